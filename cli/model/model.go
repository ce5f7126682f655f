// Package model holds the commands codexml model: list, show, verify and convert
// models that are on this machine. None of them opens a socket.
package model

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/format/hfcache"
	"github.com/aries-serpent/codexml/model"
)

// New makes the command group.
func New(env *cmdenv.Env) *cobra.Command {
	return cmdenv.Group("model", "List, show, verify and convert models that are on this machine",
		newList(env, nil), newShow(env, nil), newVerify(env, nil), newConvert(env, nil))
}

// Options are the inputs of the commands; each uses what it has flags for.
type Options struct {
	Env      *cmdenv.Env
	Name     string // a folder, a .gguf file, NAME or ORG/NAME
	Revision string
	Out      string
	Type     string
	Force    bool
}

// places is what the commands' help says about names.
const places = "MODEL is a folder of transformers, a .gguf file (any part of a split one), or a name, NAME or ORG/NAME,\n" +
	"that is looked for in CODEX_ML_<NAME>_PATH, CODEX_ML_OFFLINE_MODELS_DIR, artifacts/models and the cache of\n" +
	"Hugging Face (HF_HUB_CACHE, HF_HOME)."

// command makes a command that takes one model.
func command(opts *Options, use, short, long, example string, runF, run func(context.Context, *Options) error) *cobra.Command {
	if runF == nil {
		runF = run
	}
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long + "\n" + places, Example: example, Args: cmdenv.Args("MODEL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Name = args[0]
			return runF(cmd.Context(), opts)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&opts.Revision, "revision", "", "branch, tag or `COMMIT` of a model in the cache of Hugging Face (default main)")
	return cmd
}

// open finds a model and checks its files.
func (o *Options) open() (hfcache.Model, *model.Pretrained, error) {
	found, err := o.Env.FindModel(o.Name, o.Revision)
	if err != nil {
		return found, nil, err
	}
	p, err := model.Open(found.Path)
	return found, p, cmdenv.BadInput(err)
}

// files lists a model's files: of a folder those at its top, hidden ones left out.
func files(p *model.Pretrained) ([]string, error) {
	if p.GGUF != nil {
		return p.GGUF.Paths, nil
	}
	entries, err := os.ReadDir(p.Path)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		path := filepath.Join(p.Path, e.Name())
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out, nil
}

// closing joins the error of closing to another.
func closing(p *model.Pretrained, err *error) {
	*err = errors.Join(*err, p.Close())
}

// Listed is a model in a listing.
type Listed struct {
	Name     string `json:"name"`
	Path     string `json:"path"`
	From     string `json:"from"`
	Revision string `json:"revision,omitempty"`
	Bytes    int64  `json:"bytes"`
}

func newList(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	if runF == nil {
		runF = list
	}
	return &cobra.Command{
		Use: "list", Short: "List the models that are on this machine",
		Long: "List the models in CODEX_ML_OFFLINE_MODELS_DIR, in artifacts/models of the working folder and in the\n" +
			"cache of Hugging Face, every revision.",
		Example: "  codexml model list\n  HF_HOME=/data/hf codexml model list --json",
		Args:    cmdenv.Args(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runF(cmd.Context(), opts) },
	}
}

func list(_ context.Context, opts *Options) error {
	out := []Listed{}
	for _, m := range opts.Env.Models().List() {
		out = append(out, Listed{m.Name, m.Path, m.From, m.Revision, size(m.Path)})
	}
	return opts.Env.Report(map[string]any{"models": out}, func(w io.Writer) {
		if len(out) == 0 {
			fmt.Fprintln(w, "no models: set CODEX_ML_OFFLINE_MODELS_DIR or HF_HOME, or name a path")
			return
		}
		t := cmdenv.NewTable("name", "size", "revision", "path")
		for _, m := range out {
			t.Row(m.Name, cmdenv.Bytes(m.Bytes), m.Revision[:min(8, len(m.Revision))], m.Path)
		}
		t.WriteTo(w)
	})
}

// size is the size of a file, or of all files at the top of a folder.
func size(path string) (total int64) {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	if !info.IsDir() {
		return info.Size()
	}
	entries, _ := os.ReadDir(path) // what cannot be read has no size
	for _, e := range entries {
		if info, err := os.Stat(filepath.Join(path, e.Name())); err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
	}
	return total
}
