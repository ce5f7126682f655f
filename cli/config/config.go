// Package config holds the commands codexml config: show, check and document the
// configuration of a run.
package config

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/config"
)

// New makes the command group.
func New(env *cmdenv.Env) *cobra.Command {
	return cmdenv.Group("config", "Show, check and document the configuration of a run",
		newShow(env, nil), newValidate(env, nil), newDocs(env), newSchema(env))
}

// Options are the inputs of config show and config validate.
type Options struct {
	Env       *cmdenv.Env
	Path      string   // of the file; empty: the defaults
	Overrides []string // key=value
	Changed   bool     // show only what differs from the defaults
}

// Shown is the result of config show.
type Shown struct {
	Config *config.Run     `json:"config"`
	Hash   string          `json:"config_hash"` // SHA-256 of config as canonical JSON
	Change []config.Change `json:"changed"`     // from the defaults
	Notes  []config.Note   `json:"notes"`
}

func newShow(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	if runF == nil {
		runF = show
	}
	cmd := &cobra.Command{
		Use:   "show [key=value...]",
		Short: "Print the resolved configuration",
		Long: "Print the configuration that a file and overrides give, defaults included, under the names of\n" +
			"today: what a run would write into its config.yaml.",
		Example: "  codexml config show\n  codexml config show -c run.yaml lr=1e-3 model.preset=small\n  codexml config show -c run.yaml --changed",
		Args:    cmdenv.Args("key=value..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Overrides = args
			return runF(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVarP(&opts.Path, "config", "c", "", "`FILE` with the configuration (none: the defaults)")
	cmd.Flags().BoolVar(&opts.Changed, "changed", false, "print only what differs from the defaults")
	return cmd
}

func show(_ context.Context, opts *Options) error {
	run, notes, err := load(opts)
	if err != nil {
		return err
	}
	changes := config.Diff(config.Default(), run)
	result := Shown{run, run.Hash(), append([]config.Change{}, changes...), append([]config.Note{}, notes...)}
	return opts.Env.Report(result, func(w io.Writer) {
		if !opts.Changed {
			w.Write(run.YAML())
			return
		}
		t := cmdenv.NewTable("key", "default", "value")
		for _, c := range changes {
			t.Row(c.Key, c.From, c.To)
		}
		t.WriteTo(w)
	})
}

// Valid is the result of config validate; a file that is not valid is an error.
type Valid struct {
	OK    bool          `json:"ok"`
	Path  string        `json:"path"`
	Hash  string        `json:"config_hash"`
	Notes []config.Note `json:"notes"`
}

func newValidate(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	if runF == nil {
		runF = validate
	}
	return &cobra.Command{
		Use:   "validate FILE [key=value...]",
		Short: "Check a configuration",
		Long: "Check a file, and overrides if any are given: unknown keys, types, ranges, and what keys demand of\n" +
			"each other. All problems are reported at once, each with its place; the exit code is 2 then.",
		Example: "  codexml config validate run.yaml\n  codexml config validate run.yaml training.seed=7 --json",
		Args:    cmdenv.Args("FILE", "key=value..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Path, opts.Overrides = args[0], args[1:]
			return runF(cmd.Context(), opts)
		},
	}
}

func validate(_ context.Context, opts *Options) error {
	run, notes, err := load(opts)
	if err != nil {
		return err
	}
	result := Valid{true, opts.Path, run.Hash(), append([]config.Note{}, notes...)}
	return opts.Env.Report(result, func(w io.Writer) {
		fmt.Fprintf(w, "OK: %s is valid. model_name=%s epochs=%d\n", opts.Path, run.Model.Name, run.Training.Epochs)
	})
}

func load(opts *Options) (*config.Run, []config.Note, error) {
	run, notes, err := config.Load(opts.Env.Path(opts.Path), opts.Overrides)
	for _, n := range notes {
		opts.Env.Note("note: %v", n)
	}
	var problems config.Problems
	if errors.As(err, &problems) {
		//lint:ignore ST1005 the Python system prints these words
		err = fmt.Errorf("Invalid configuration:\n%w", err)
	}
	return run, notes, cmdenv.BadInput(err)
}

func newDocs(env *cmdenv.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "docs",
		Short:   "Print the reference of all keys",
		Long:    "Print the reference of all keys and of the Python system's names for them, as Markdown.",
		Example: "  codexml config docs\n  codexml config docs --json",
		Args:    cmdenv.Args(),
		RunE: func(*cobra.Command, []string) error {
			result := map[string][]config.Key{"keys": config.Keys()}
			return env.Report(result, func(w io.Writer) { io.WriteString(w, config.Markdown()) })
		},
	}
}

func newSchema(env *cmdenv.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print a JSON Schema of the configuration",
		Long:    "Print a JSON Schema (draft 2020-12) of the configuration, for editors that complete and check YAML.",
		Example: "  codexml config schema > run.schema.json",
		Args:    cmdenv.Args(),
		RunE: func(*cobra.Command, []string) error {
			schema, err := config.Schema()
			if err != nil {
				return err
			}
			return env.Report(json.RawMessage(schema), func(w io.Writer) { fmt.Fprintf(w, "%s\n", schema) })
		},
	}
}
