package tokenizer

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/tokenizer/vocab"
)

// ExpandOptions are the inputs of expand.
type ExpandOptions struct {
	Env       *cmdenv.Env
	Tokenizer string
	Corpus    []string
	Lines     bool
	TextKey   string
	Add       int
	Out, Plan string
	Force     bool
}

// ExpandResult is the result of expand.
type ExpandResult struct {
	Out          string `json:"out"`
	PlanFile     string `json:"plan"`
	Added        int    `json:"added"`
	OldSize      int32  `json:"old_size"`
	NewSize      int32  `json:"new_size"`
	TokensBefore int64  `json:"tokens_before"`
	TokensAfter  int64  `json:"tokens_after"`
}

func newExpand(env *cmdenv.Env, runF func(context.Context, *ExpandOptions) error) *cobra.Command {
	o := &ExpandOptions{Env: env}
	cmd := &cobra.Command{
		Use: "expand TOKENIZER --corpus F --add N --out FILE", Short: "Add the pieces that shorten a corpus most",
		Long: "Add to a BPE tokenizer the N pieces that shorten a corpus most. No id changes; beside the tokenizer, the plan says\n" +
			"how to begin the new rows of an embedding: with the mean of the rows of the old pieces of their text.",
		Example: "  codexml tokenizer expand tokenizer.json --corpus 'medical/*.txt' --add 500 --out expanded.json",
		Args:    cmdenv.Args("TOKENIZER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Tokenizer = args[0]
			if runF != nil {
				return runF(cmd.Context(), o)
			}
			return expandVocabulary(cmd.Context(), o)
		},
	}
	corpusFlags(cmd, &o.Corpus, &o.Lines, &o.TextKey)
	f := cmd.Flags()
	f.IntVar(&o.Add, "add", 0, "`N` pieces to add")
	f.StringVar(&o.Out, "out", "", "`FILE` to write")
	f.StringVar(&o.Plan, "plan", "", "`FILE` of the embedding plan (default: beside --out, ending in .embedding_plan.json)")
	f.BoolVar(&o.Force, "force", false, "write over files that exist")
	return cmd
}

func expandVocabulary(ctx context.Context, o *ExpandOptions) error {
	if o.Add < 1 || len(o.Corpus) == 0 {
		return cmdenv.Usagef("expand: want --corpus and --add of 1 or more")
	}
	out := o.Env.Path(o.Out)
	if o.Plan == "" {
		o.Plan = strings.TrimSuffix(o.Out, ".json") + ".embedding_plan.json"
	}
	for _, path := range []string{out, o.Env.Path(o.Plan)} {
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
	e, ok := t.(vocab.Encoder)
	if !ok {
		return cmdenv.BadInput(fmt.Errorf("expand: %s does not say where its words end", o.Tokenizer))
	}
	c, err := loadCorpus(o.Env, o.Corpus, o.Lines, o.TextKey)
	if err != nil {
		return err
	}
	docs, done := c.pass("count words")
	bar := o.Env.Progress("add pieces", o.Add)
	plan, err := d.Expand(ctx, e, docs, o.Add, func(done int) { bar.Set(done, "") })
	bar.Done()
	if fault := done(); fault != nil {
		err = fault
	}
	if err != nil {
		return cmdenv.BadInput(err)
	}
	if _, err := writeDocument(out, d); err != nil {
		return err
	}
	if err := writeJSON(o.Env.Path(o.Plan), plan); err != nil {
		return err
	}
	r := ExpandResult{o.Out, o.Plan, len(plan.Pieces), plan.OldSize, plan.NewSize, plan.TokensBefore, plan.TokensAfter}
	return o.Env.Report(r, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %d pieces are new, %d ids; the corpus has %d tokens, before %d (%.1f%% fewer)\n", r.Out, r.Added, r.NewSize,
			r.TokensAfter, r.TokensBefore, 100*(1-float64(r.TokensAfter)/float64(max(r.TokensBefore, 1))))
		fmt.Fprintf(w, "%s: how to begin their embeddings\n", r.PlanFile)
	})
}
