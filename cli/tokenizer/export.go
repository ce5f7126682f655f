package tokenizer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
)

// exported are the files of a trained tokenizer.
var exported = []string{"tokenizer.json", "manifest.json", "spm.model", "spm.vocab"}

// ExportOptions are the inputs of export.
type ExportOptions struct {
	Env      *cmdenv.Env
	Src, Dst string
	Force    bool
}

// ExportResult is the result of export.
type ExportResult struct {
	Folder string   `json:"folder"`
	Files  []string `json:"files"`
}

func newExport(env *cmdenv.Env, runF func(context.Context, *ExportOptions) error) *cobra.Command {
	o := &ExportOptions{Env: env}
	cmd := &cobra.Command{
		Use: "export SRC DST", Short: "Copy a trained tokenizer to a folder to be given away",
		Long:    "Copy a trained tokenizer's files (tokenizer.json, manifest.json, spm.model, spm.vocab) and write a README with\nits manifest.",
		Example: "  codexml tokenizer export artifacts/tokenizers/default dist/tokenizer",
		Args:    cmdenv.Args("SRC", "DST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Src, o.Dst = args[0], args[1]
			if runF != nil {
				return runF(cmd.Context(), o)
			}
			return export(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.Force, "force", false, "write over files that exist")
	return cmd
}

func export(_ context.Context, o *ExportOptions) error {
	src, dst := o.Env.Path(o.Src), o.Env.Path(o.Dst)
	if isFile(src) {
		src = filepath.Dir(src)
	}
	r := ExportResult{Folder: o.Dst}
	contents := map[string][]byte{}
	for _, name := range exported {
		data, err := os.ReadFile(filepath.Join(src, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return cmdenv.BadInput(err)
		}
		contents[name], r.Files = data, append(r.Files, name)
	}
	if contents["tokenizer.json"] == nil && contents["spm.model"] == nil {
		return cmdenv.BadInput(fmt.Errorf("%s: there is no tokenizer.json and no spm.model", o.Src))
	}
	readme := "# Tokenizer " + filepath.Base(src) + "\n\nMade by codexml. Its manifest:\n\n```json\n" + string(contents["manifest.json"]) + "```\n"
	if contents["manifest.json"] == nil {
		readme = "# Tokenizer " + filepath.Base(src) + "\n\nIt has no manifest.\n"
	}
	contents["README.md"], r.Files = []byte(readme), append(r.Files, "README.md")
	for _, name := range r.Files {
		if err := checkOut(filepath.Join(dst, name), o.Force); err != nil {
			return err
		}
	}
	slices.Sort(r.Files)
	for _, name := range r.Files {
		if err := writeFile(filepath.Join(dst, name), contents[name]); err != nil {
			return err
		}
	}
	return o.Env.Report(r, func(w io.Writer) {
		for _, name := range r.Files {
			fmt.Fprintln(w, filepath.Join(o.Dst, name))
		}
	})
}
