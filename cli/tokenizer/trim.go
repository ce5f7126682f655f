package tokenizer

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/tokenizer"
	"github.com/aries-serpent/codexml/tokenizer/vocab"
)

// TrimOptions are the inputs of trim.
type TrimOptions struct {
	Env       *cmdenv.Env
	Tokenizer string
	Corpus    []string
	Lines     bool
	TextKey   string
	Out       string
	Force     bool
}

// TrimResult is the result of trim.
type TrimResult struct {
	Out     string      `json:"out"`
	IDs     string      `json:"ids"`
	OldSize int32       `json:"old_size"`
	NewSize int32       `json:"new_size"`
	Removed int         `json:"removed"`
	Proof   vocab.Proof `json:"proof"`
}

func newTrim(env *cmdenv.Env, runF func(context.Context, *TrimOptions) error) *cobra.Command {
	o := &TrimOptions{Env: env}
	cmd := &cobra.Command{
		Use: "trim TOKENIZER --corpus F --out FILE", Short: "Leave out the pieces that a corpus does not need",
		Long: "Leave out of a BPE tokenizer the pieces that a corpus does not need, and number the rest again. Special tokens, the\n" +
			"alphabet and what other pieces are made of stay. The corpus is encoded again: unless every id is the old one under\n" +
			"its new number, nothing is written. Beside the tokenizer, a file lists the old ids in their new order: the rows of\n" +
			"an embedding to keep.",
		Example: "  codexml tokenizer trim tokenizer.json --corpus 'code/**/*.py' --out trimmed.json",
		Args:    cmdenv.Args("TOKENIZER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Tokenizer = args[0]
			if runF != nil {
				return runF(cmd.Context(), o)
			}
			return trim(cmd.Context(), o)
		},
	}
	corpusFlags(cmd, &o.Corpus, &o.Lines, &o.TextKey)
	f := cmd.Flags()
	f.StringVar(&o.Out, "out", "", "`FILE` to write")
	f.BoolVar(&o.Force, "force", false, "write over files that exist")
	return cmd
}

func trim(ctx context.Context, o *TrimOptions) error {
	if len(o.Corpus) == 0 {
		return cmdenv.Usagef("trim: want --corpus: what it does not use is left out")
	}
	kept := strings.TrimSuffix(o.Out, ".json") + ".kept_ids.json"
	for _, path := range []string{o.Env.Path(o.Out), o.Env.Path(kept)} {
		if err := checkOut(path, o.Force); err != nil {
			return err
		}
	}
	d, err := document(o.Env, o.Tokenizer)
	if err != nil {
		return err
	}
	t, err := open(o.Env, o.Tokenizer)
	if err != nil {
		return err
	}
	c, err := loadCorpus(o.Env, o.Corpus, o.Lines, o.TextKey)
	if err != nil {
		return err
	}
	s := &vocab.Stats{}
	docs, done := c.pass("encode")
	if err := s.Measure(ctx, t, docs); err != nil {
		return err
	}
	if err := done(); err != nil {
		return err
	}
	trimmed, err := d.Trim(s.Corpus.Used)
	if err != nil {
		return cmdenv.BadInput(err)
	}
	small, err := tokenizer.Parse(o.Out, d.Bytes())
	if err != nil {
		return fmt.Errorf("what was made does not load, so it is not written: %w", err)
	}
	proof, err := o.prove(ctx, t, small, c, trimmed)
	if err != nil {
		return err
	}
	if err := writeFile(o.Env.Path(o.Out), d.Bytes()); err != nil {
		return err
	}
	if err := writeJSON(o.Env.Path(kept), trimmed); err != nil {
		return err
	}
	r := TrimResult{o.Out, kept, trimmed.OldSize, trimmed.NewSize, len(trimmed.Removed), proof}
	return o.Env.Report(r, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %d of %d ids are left; %d tokens of the corpus are the same\n%s: the old ids in their new order\n", r.Out, r.NewSize, r.OldSize, proof.Tokens, kept)
	})
}

func (o *TrimOptions) prove(ctx context.Context, t, small tokenizer.Tokenizer, c *corpus, trimmed *vocab.Trimmed) (vocab.Proof, error) {
	ids := make([]int32, trimmed.OldSize)
	for i := range ids {
		ids[i] = -1
	}
	for i, old := range trimmed.Kept {
		ids[old] = int32(i)
	}
	docs, done := c.pass("prove")
	proof, err := vocab.Prove(ctx, t, small, func(id int32) int32 { return ids[id] }, docs)
	if fault := done(); fault != nil {
		err = fault
	}
	return proof, err
}
