package tokenizer

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/tokenizer"
	"github.com/aries-serpent/codexml/tokenizer/vocab"
)

// ConvertOptions are the inputs of convert.
type ConvertOptions struct {
	Env       *cmdenv.Env
	Tokenizer string
	Out       string
	To        string
	Corpus    []string
	Lines     bool
	TextKey   string
	Force     bool
}

// ConvertResult is the result of convert.
type ConvertResult struct {
	Format string      `json:"format"`
	Files  []string    `json:"files"`
	Proof  vocab.Proof `json:"proof"`
}

func newConvert(env *cmdenv.Env, runF func(context.Context, *ConvertOptions) error) *cobra.Command {
	o := &ConvertOptions{Env: env}
	cmd := &cobra.Command{
		Use: "convert TOKENIZER FOLDER --to FORMAT --corpus F", Short: "Write a tokenizer in another format, proven on a corpus",
		Long: "Write a tokenizer in another format into a folder. What was written is loaded again and encodes the corpus: unless\n" +
			"every id is the same, nothing is left behind. A file of ranks (tiktoken) holds no pattern: it is proven word by word.\n" +
			"Formats: " + strings.Join(vocab.Formats(), ", ") + ".",
		Example: "  codexml tokenizer convert tokenizer.json gpt2-files --to gpt2 --corpus texts.txt\n  codexml tokenizer convert spm.model hf --to tokenizer.json --corpus texts.txt --lines",
		Args:    cmdenv.Args("TOKENIZER", "FOLDER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Tokenizer, o.Out = args[0], args[1]
			if runF != nil {
				return runF(cmd.Context(), o)
			}
			return convert(cmd.Context(), o)
		},
	}
	corpusFlags(cmd, &o.Corpus, &o.Lines, &o.TextKey)
	f := cmd.Flags()
	f.StringVar(&o.To, "to", "tokenizer.json", "`FORMAT` to write: "+strings.Join(vocab.Formats(), ", "))
	f.BoolVar(&o.Force, "force", false, "write over files that exist")
	return cmd
}

func convert(ctx context.Context, o *ConvertOptions) error {
	if len(o.Corpus) == 0 {
		return cmdenv.Usagef("convert: want --corpus: the texts on which it is proven that the ids are the same")
	}
	t, err := open(o.Env, o.Tokenizer)
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "codexml-convert-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	d, err := document(o.Env, o.Tokenizer)
	if err != nil {
		return err
	}
	files, err := d.Files(o.To)
	if err != nil {
		return cmdenv.BadInput(err)
	}
	for _, f := range files {
		if err := checkOut(filepath.Join(o.Env.Path(o.Out), f.Name), o.Force); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(temp, f.Name), f.Data, 0o644); err != nil {
			return err
		}
	}
	r := ConvertResult{Format: o.To}
	if r.Proof, err = o.prove(ctx, t, temp, files); err != nil {
		return fmt.Errorf("convert %s to %s: nothing is written: %w", o.Tokenizer, o.To, err)
	}
	for _, f := range files {
		path := filepath.Join(o.Out, f.Name)
		if err := writeFile(o.Env.Path(path), f.Data); err != nil {
			return err
		}
		r.Files = append(r.Files, path)
	}
	return o.Env.Report(r, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %d texts of %s have the same %d ids\n", strings.Join(r.Files, ", "), r.Proof.Documents, cmdenv.Bytes(r.Proof.Bytes), r.Proof.Tokens)
	})
}

// prove loads what was written and encodes the corpus with it.
func (o *ConvertOptions) prove(ctx context.Context, t tokenizer.Tokenizer, temp string, files []vocab.OutFile) (vocab.Proof, error) {
	c, err := loadCorpus(o.Env, o.Corpus, o.Lines, o.TextKey)
	if err != nil {
		return vocab.Proof{}, err
	}
	var other tokenizer.Tokenizer
	e, words := t.(vocab.Encoder)
	switch {
	case o.To != "tiktoken":
		path := temp
		if len(files) == 1 {
			path = filepath.Join(temp, files[0].Name)
		}
		if other, err = load(path); err != nil {
			return vocab.Proof{}, fmt.Errorf("what was written does not load: %w", err)
		}
	case !words:
		return vocab.Proof{}, fmt.Errorf("%s does not say where its words end", o.Tokenizer)
	}
	docs, done := c.pass("prove")
	var proof vocab.Proof
	if other != nil {
		proof, err = vocab.Prove(ctx, t, other, nil, docs)
	} else {
		proof, err = vocab.ProveRanks(ctx, e, files[0].Data, docs)
	}
	if fault := done(); fault != nil {
		err = fault
	}
	return proof, err
}
