package checkpoint

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/checkpoint"
	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/cli/runs"
	"github.com/aries-serpent/codexml/format/safetensors"
	"github.com/aries-serpent/codexml/internal/fsatomic"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/tokenizer"
)

// ExportOptions are the inputs of checkpoint export.
type ExportOptions struct {
	Options
	Out   string
	Force bool
}

// Exported is its result.
type Exported struct {
	Checkpoint   string   `json:"checkpoint"`
	Out          string   `json:"out"`
	Architecture string   `json:"architecture"`
	Files        []string `json:"files"`
	Parameters   int      `json:"parameters"`
}

func newExport(env *cmdenv.Env, runF func(*ExportOptions) error) *cobra.Command {
	opts := &ExportOptions{Options: Options{Env: env}}
	cmd := &cobra.Command{
		Use: "export PATH", Short: "Write a checkpoint as a folder that transformers opens",
		Long: "Writes the weights, configuration and tokenizer of a checkpoint as a folder that Hugging Face\n" +
			"transformers opens with AutoModelForCausalLM and AutoTokenizer. PATH is a run folder (its newest\n" +
			"checkpoint) or a checkpoint. A model that transformers has no architecture for is refused, with the\n" +
			"keys that stand against it.",
		Example: "  codexml checkpoint export runs/quickstart --out model\n  codexml checkpoint export runs/quickstart/checkpoints/step-500 --out model --json",
		Args:    cmdenv.Args("PATH"),
		RunE: func(_ *cobra.Command, args []string) error {
			opts.Path = args[0]
			if runF != nil {
				return runF(opts)
			}
			return exportRun(opts)
		},
	}
	cmd.Flags().StringVarP(&opts.Out, "out", "o", "", "folder to write; it must not exist")
	cmd.Flags().BoolVar(&opts.Force, "force", false, "replace an existing export")
	return cmd
}

func exportRun(opts *ExportOptions) error {
	env := opts.Env
	if opts.Out == "" {
		return cmdenv.Usagef("checkpoint export: --out is missing: name the folder to write")
	}
	out := env.Path(opts.Out)
	if err := free(out, opts.Force); err != nil {
		return cmdenv.BadInput(err)
	}
	t, err := opts.find()
	if err != nil {
		return err
	}
	run, path := "", t.path
	if t.store != nil {
		run = filepath.Dir(t.store.Root())
	}
	l, err := runs.LoadModel(env, run, path)
	if err != nil {
		return err
	}
	arch, err := model.Architectures.Get(l.Model.Config().Name)
	if err != nil {
		return err
	}
	e, err := arch.Export(l.Model)
	if err != nil {
		return cmdenv.BadInput(fmt.Errorf("export %s: %w", l.Path, err))
	}
	r := Exported{Checkpoint: l.Path, Out: out, Architecture: fmt.Sprint(e.Config["model_type"]), Parameters: model.NumParams(l.Model)}
	r.Files, err = writeExport(out, l, e)
	if err != nil {
		return fmt.Errorf("export %s: %w", l.Path, err)
	}
	return env.Report(r, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %d parameters as %s, from %s\n", r.Out, r.Parameters, r.Architecture, r.Checkpoint)
		fmt.Fprintf(w, "in Python: AutoModelForCausalLM.from_pretrained(%q)\n", opts.Out)
	})
}

// free refuses a folder that is there, unless it is an export and force is set.
func free(out string, force bool) error {
	if _, err := os.Stat(out); err != nil {
		return nil // what else is wrong shows when it is written
	}
	if _, err := os.Stat(filepath.Join(out, "config.json")); force && err == nil {
		return nil
	}
	return fmt.Errorf("export: %s exists: choose another folder, or give --force to replace an export", out)
}

// writeExport writes the folder, whole or not at all.
func writeExport(out string, l *runs.Loaded, e *model.Export) (files []string, err error) {
	special := specials(l.Tokenizer)
	for key, value := range special.ids {
		e.Config[key] = value
	}
	e.Config["dtype"] = "float32"
	documents := map[string]any{
		"config.json": e.Config, "generation_config.json": special.ids, "special_tokens_map.json": special.tokens, "tokenizer_config.json": special.config(l.Model.Config().MaxSeqLen),
	}
	err = fsatomic.WriteDir(out, func(d *fsatomic.Dir) error {
		for _, name := range []string{"config.json", "generation_config.json", "special_tokens_map.json", "tokenizer_config.json"} {
			files = append(files, name)
			if err := d.WriteFile(name, 0o644, func(w io.Writer) error {
				enc := json.NewEncoder(w)
				enc.SetIndent("", "  ")
				return enc.Encode(documents[name])
			}); err != nil {
				return err
			}
		}
		files = append(files, "model.safetensors", runs.TokenizerFile)
		if err := d.WriteFile("model.safetensors", 0o644, func(w io.Writer) error { return writeTensors(w, e) }); err != nil {
			return err
		}
		return l.Tokenizer.Save(filepath.Join(d.Path(), runs.TokenizerFile))
	})
	return files, err
}

func writeTensors(w io.Writer, e *model.Export) error {
	header := make([]safetensors.Tensor, len(e.Tensors))
	for i, t := range e.Tensors {
		header[i] = safetensors.Tensor{Name: t.Name, DType: safetensors.F32, Shape: t.Shape}
	}
	out, err := safetensors.NewWriter(w, header, map[string]string{"format": "pt"})
	if err != nil {
		return err
	}
	for _, t := range e.Tensors {
		if err := checkpoint.WriteValues(out, t.Data); err != nil {
			return err
		}
	}
	return out.Close()
}

// specialTokens are the tokenizer's special tokens under transformers' names.
type specialTokens struct {
	ids    map[string]any
	tokens map[string]any
}

func specials(tok tokenizer.Tokenizer) specialTokens {
	s := specialTokens{map[string]any{}, map[string]any{}}
	for name, find := range map[string]func() (int32, bool){"bos": tok.BOS, "eos": tok.EOS, "pad": tok.PAD} {
		s.ids[name+"_token_id"] = nil
		if id, ok := find(); ok {
			s.ids[name+"_token_id"], s.tokens[name+"_token"] = id, tok.Piece(id)
		}
	}
	return s
}

func (s specialTokens) config(maxLen int) map[string]any {
	c := map[string]any{"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": maxLen, "clean_up_tokenization_spaces": false}
	for name, token := range s.tokens {
		c[name] = token
	}
	return c
}
