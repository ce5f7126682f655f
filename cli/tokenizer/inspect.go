package tokenizer

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/tokenizer"
	"github.com/aries-serpent/codexml/tokenizer/sentencepiece"
	"github.com/aries-serpent/codexml/tokenizer/vocab"
)

// InspectOptions are the inputs of inspect.
type InspectOptions struct {
	Env  *cmdenv.Env
	Path string
}

// Inspected is the result of inspect.
type Inspected struct {
	Path       string          `json:"path"`
	SHA256     string          `json:"sha256"`
	Model      string          `json:"model,omitempty"`
	VocabSize  int             `json:"vocab_size"`
	Specials   []vocab.Piece   `json:"special_tokens"`
	BOS        *int32          `json:"bos_id"`
	EOS        *int32          `json:"eos_id"`
	PAD        *int32          `json:"pad_id"`
	Padding    json.RawMessage `json:"padding,omitempty"`
	Truncation json.RawMessage `json:"truncation,omitempty"`
	MaxLength  json.RawMessage `json:"max_length,omitempty"`
}

func newInspect(env *cmdenv.Env, runF func(context.Context, *InspectOptions) error) *cobra.Command {
	o := &InspectOptions{Env: env}
	return &cobra.Command{
		Use: "inspect TOKENIZER", Short: "Show what a tokenizer is: size, special tokens, padding and truncation",
		Example: "  codexml tokenizer inspect artifacts/tokenizers/default\n  codexml tokenizer inspect tokenizer.json --json",
		Args:    cmdenv.Args("TOKENIZER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Path = args[0]
			if runF != nil {
				return runF(cmd.Context(), o)
			}
			return inspect(cmd.Context(), o)
		},
	}
}

func inspect(_ context.Context, o *InspectOptions) error {
	t, err := open(o.Env, o.Path)
	if err != nil {
		return err
	}
	r := Inspected{Path: o.Path, SHA256: t.SHA256(), VocabSize: t.VocabSize(), Specials: specials(t)}
	r.BOS, r.EOS, r.PAD = optional(t.BOS), optional(t.EOS), optional(t.PAD)
	r.Model = modelType(o.Env.Path(o.Path), t)
	r.manifest(o.Env.Path(o.Path))
	return o.Env.Report(r, func(w io.Writer) { r.print(w, t) })
}

// modelType is the kind of model in a tokenizer.json, a file or in a folder.
func modelType(path string, t tokenizer.Tokenizer) string {
	if _, ok := t.(*sentencepiece.Tokenizer); ok {
		return "SentencePiece"
	}
	if file := filepath.Join(path, "tokenizer.json"); isFile(file) {
		path = file
	}
	var file struct {
		Model struct {
			Type string `json:"type"`
		} `json:"model"`
	}
	if data, err := os.ReadFile(path); err != nil || json.Unmarshal(data, &file) != nil {
		return ""
	}
	return file.Model.Type
}

func optional(get func() (int32, bool)) *int32 {
	if id, ok := get(); ok {
		return &id
	}
	return nil
}

// manifest adds what the manifest beside a tokenizer says, if there is one.
func (r *Inspected) manifest(path string) {
	if isFile(path) {
		path = filepath.Dir(path)
	}
	data, err := os.ReadFile(filepath.Join(path, "manifest.json"))
	if err != nil {
		return
	}
	var m struct {
		Config map[string]json.RawMessage `json:"config"`
	}
	if json.Unmarshal(data, &m) == nil {
		r.Padding, r.Truncation, r.MaxLength = m.Config["padding"], m.Config["truncation"], m.Config["max_length"]
	}
}

func (r *Inspected) print(w io.Writer, t tokenizer.Tokenizer) {
	table := cmdenv.NewTable()
	table.Row("tokenizer", r.Path)
	table.Row("sha256", r.SHA256)
	if r.Model != "" {
		table.Row("model", r.Model)
	}
	table.Row("vocab_size", fmt.Sprintf("%d ids", r.VocabSize))
	for _, f := range []struct {
		name string
		id   *int32
	}{{"bos", r.BOS}, {"eos", r.EOS}, {"pad", r.PAD}} {
		if f.id != nil {
			table.Row(f.name, fmt.Sprintf("%d %s", *f.id, t.Piece(*f.id)))
		}
	}
	for _, f := range []struct {
		name  string
		value json.RawMessage
	}{{"padding", r.Padding}, {"truncation", r.Truncation}, {"max_length", r.MaxLength}} {
		if f.value != nil {
			table.Row(f.name, string(f.value))
		}
	}
	table.WriteTo(w)
	fmt.Fprintf(w, "\nspecial tokens: %d\n", len(r.Specials))
	table = cmdenv.NewTable("id", "token")
	for _, s := range r.Specials {
		table.Row(s.ID, s.Piece)
	}
	table.WriteTo(w)
}
