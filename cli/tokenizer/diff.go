package tokenizer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/tokenizer/vocab"
)

// DiffOptions are the inputs of diff.
type DiffOptions struct {
	Env     *cmdenv.Env
	A, B    string
	Corpus  []string
	Lines   bool
	TextKey string
	Limit   int
}

// DiffResult is the result of diff.
type DiffResult struct {
	vocab.Difference
	Proof *vocab.Proof `json:"proof,omitempty"` // texts of the corpus that both encode to the same ids
	First string       `json:"first_different_text,omitempty"`
}

func newDiff(env *cmdenv.Env, runF func(context.Context, *DiffOptions) error) *cobra.Command {
	o := &DiffOptions{Env: env}
	cmd := &cobra.Command{
		Use: "diff A B", Short: "Show what tells two tokenizers apart",
		Long:    "Show what tells two tokenizers apart: pieces, ids, special tokens, merges, and the other parts of their files; with\n--corpus also whether they give it the same ids. The exit code is 1 if anything differs.",
		Example: "  codexml tokenizer diff old.json new.json\n  codexml tokenizer diff a.json b.json --corpus texts.txt --json",
		Args:    cmdenv.Args("A", "B"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.A, o.B = args[0], args[1]
			if runF != nil {
				return runF(cmd.Context(), o)
			}
			return diff(cmd.Context(), o)
		},
	}
	corpusFlags(cmd, &o.Corpus, &o.Lines, &o.TextKey)
	cmd.Flags().IntVar(&o.Limit, "limit", 20, "pieces to print of each list; --json has all")
	return cmd
}

var errDifferent = errors.New("the tokenizers differ")

func diff(ctx context.Context, o *DiffOptions) error {
	a, err := document(o.Env, o.A)
	if err != nil {
		return err
	}
	b, err := document(o.Env, o.B)
	if err != nil {
		return err
	}
	r := DiffResult{Difference: vocab.Diff(a, b)}
	if len(o.Corpus) > 0 {
		if err := o.encode(ctx, &r); err != nil {
			return err
		}
	}
	if err := o.Env.Report(r, func(w io.Writer) { r.print(w, o) }); err != nil {
		return err
	}
	if !r.Same {
		return fmt.Errorf("%s and %s: %w", o.A, o.B, errDifferent)
	}
	return nil
}

func (o *DiffOptions) encode(ctx context.Context, r *DiffResult) error {
	a, err := open(o.Env, o.A)
	if err != nil {
		return err
	}
	b, err := open(o.Env, o.B)
	if err != nil {
		return err
	}
	c, err := loadCorpus(o.Env, o.Corpus, o.Lines, o.TextKey)
	if err != nil {
		return err
	}
	docs, done := c.pass("encode")
	proof, fault := vocab.Prove(ctx, a, b, nil, docs)
	if err := done(); err != nil {
		return err
	}
	r.Proof = &proof
	if fault != nil {
		r.First, r.Same = fault.Error(), false
	}
	return ctx.Err()
}

func (r *DiffResult) print(w io.Writer, o *DiffOptions) {
	if r.Same {
		fmt.Fprintln(w, "the tokenizers are the same")
		return
	}
	fmt.Fprintf(w, "%d pieces are in both with one id\n", r.CommonCount)
	lists := []struct {
		name   string
		pieces []vocab.Piece
	}{{"only in " + o.A, r.OnlyA}, {"only in " + o.B, r.OnlyB}, {"special only in " + o.A, r.SpecialsA}, {"special only in " + o.B, r.SpecialsB}}
	for _, l := range lists {
		if len(l.pieces) > 0 {
			fmt.Fprintf(w, "\n%s: %d", l.name, len(l.pieces))
			list(w, "", l.pieces[:min(o.Limit, len(l.pieces))])
		}
	}
	if len(r.Moved) > 0 {
		fmt.Fprintf(w, "\nother ids: %d\n", len(r.Moved))
		t := cmdenv.NewTable("piece", "a", "b")
		for _, m := range r.Moved[:min(o.Limit, len(r.Moved))] {
			t.Row(fmt.Sprintf("%q", m.Piece), m.A, m.B)
		}
		t.WriteTo(w)
	}
	if r.FirstMerge >= 0 {
		fmt.Fprintf(w, "\nmerges: %d and %d, the first that differs is %d\n", r.MergesA, r.MergesB, r.FirstMerge)
	}
	if len(r.Parts) > 0 {
		fmt.Fprintf(w, "\nother parts that differ: %s\n", strings.Join(r.Parts, ", "))
	}
	if r.First != "" {
		fmt.Fprintf(w, "\n%s\n", r.First)
	}
}
