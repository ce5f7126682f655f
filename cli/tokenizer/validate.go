package tokenizer

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/tokenizer/trainer"
)

// ValidateOptions are the inputs of validate.
type ValidateOptions struct {
	Env    *cmdenv.Env
	Config *trainer.Config
}

// Validated is the result of validate.
type Validated struct {
	Config          *trainer.Config `json:"config"`
	Files           []string        `json:"files"`
	NumFiles        int             `json:"num_files"`
	MissingFiles    []string        `json:"missing_files"`
	TokenizerPath   string          `json:"tokenizer_path"`
	TokenizerExists bool            `json:"tokenizer_exists"`
	ManifestExists  bool            `json:"manifest_exists"`
}

func newValidate(env *cmdenv.Env, runF func(context.Context, *ValidateOptions) error) *cobra.Command {
	flags := &trainFlags{env: env}
	o := &ValidateOptions{Env: env}
	cmd := &cobra.Command{
		Use: "validate --config C", Short: "Check a training config: its values, its files, and what it has made",
		Long:    "Check what tokenizer train would be given. The exit code is 2 if a value is wrong, 1 if files are missing.",
		Example: "  codexml tokenizer validate -c tokenizer.yaml\n  codexml tokenizer validate -c tokenizer.yaml --json",
		Args:    cmdenv.Args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := flags.resolve()
			if err != nil {
				return err
			}
			o.Config = c
			if runF != nil {
				return runF(cmd.Context(), o)
			}
			return validate(cmd.Context(), o)
		},
	}
	flags.add(cmd)
	return cmd
}

func validate(_ context.Context, o *ValidateOptions) error {
	if err := o.Config.Validate(); err != nil {
		return cmdenv.BadInput(err)
	}
	r := Validated{Config: o.Config, Files: []string{}, MissingFiles: []string{}}
	for _, glob := range o.Config.CorpusGlob {
		c := *o.Config
		c.CorpusGlob = []string{glob}
		plan, err := trainer.MakePlan(c)
		if err != nil {
			r.MissingFiles = append(r.MissingFiles, glob)
			continue
		}
		for _, f := range plan.Files {
			r.Files = append(r.Files, f.Path)
		}
	}
	r.NumFiles = len(r.Files)
	folder := o.Config.Folder()
	r.TokenizerPath = filepath.Join(folder, "tokenizer.json")
	r.TokenizerExists, r.ManifestExists = isFile(r.TokenizerPath), isFile(filepath.Join(folder, "manifest.json"))
	err := o.Env.Report(r, func(w io.Writer) {
		t := cmdenv.NewTable()
		t.Row("files", fmt.Sprintf("%d files", r.NumFiles))
		t.Row("missing", fmt.Sprint(len(r.MissingFiles))+" patterns")
		t.Row("tokenizer", r.TokenizerPath)
		t.Row("tokenizer exists", r.TokenizerExists)
		t.Row("manifest exists", r.ManifestExists)
		t.WriteTo(w)
	})
	if err == nil && len(r.MissingFiles) > 0 {
		err = fmt.Errorf("validate: no file matches %q", r.MissingFiles)
	}
	return err
}
