package tokenizer

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/tokenizer/vocab"
)

// MergeOptions are the inputs of merge.
type MergeOptions struct {
	Env      *cmdenv.Env
	Paths    []string
	Specials []string
	Only     bool
	Out      string
	Force    bool
}

// MergeResult is the result of merge.
type MergeResult struct {
	Out       string `json:"out"`
	VocabSize int32  `json:"vocab_size"`
	vocab.Merged
}

func newMerge(env *cmdenv.Env, runF func(context.Context, *MergeOptions) error) *cobra.Command {
	o := &MergeOptions{Env: env}
	cmd := &cobra.Command{
		Use: "merge BASE [OTHER...]", Short: "Add the pieces and special tokens of other tokenizers to one, without renumbering",
		Long: "Add what other tokenizers have, and a list of special tokens, to the first one. Its ids never change: what is new\n" +
			"gets the ids that follow. Where all are side files (NAME.special_tokens.json, which map special tokens to ids),\n" +
			"the result is one too.",
		Example: "  codexml tokenizer merge base.json other.json --out merged.json\n  codexml tokenizer merge base.json --special '<tool>,</tool>' --out tools.json\n" +
			"  codexml tokenizer merge a.special_tokens.json b.special_tokens.json --out all.special_tokens.json",
		Args: cmdenv.Args("BASE", "OTHER..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Paths = args
			if runF != nil {
				return runF(cmd.Context(), o)
			}
			return merge(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.Out, "out", "", "`FILE` to write")
	f.StringSliceVar(&o.Specials, "special", nil, "special `TOKENS` to add, with commas between them")
	f.BoolVar(&o.Only, "specials-only", false, "take only the special tokens of the others")
	f.BoolVar(&o.Force, "force", false, "write over a file that exists")
	return cmd
}

func merge(_ context.Context, o *MergeOptions) error {
	out := o.Env.Path(o.Out)
	if err := checkOut(out, o.Force); err != nil {
		return err
	}
	if !slices.ContainsFunc(o.Paths, func(p string) bool { return !strings.HasSuffix(p, vocab.SideFile("")) }) {
		return o.mergeSideFiles(out)
	}
	d, err := document(o.Env, o.Paths[0])
	if err != nil {
		return err
	}
	r := MergeResult{Out: o.Out, Merged: vocab.Merged{Pieces: []vocab.Piece{}, Specials: []vocab.Piece{}}}
	for _, path := range o.Paths[1:] {
		other, err := document(o.Env, path)
		if err != nil {
			return err
		}
		m := vocab.Merged{}
		if o.Only {
			m.Specials = d.AddSpecials(slices.DeleteFunc(slices.Clone(other.Added), func(a vocab.Added) bool { return !a.Special })...)
		} else if m, err = d.Merge(other); err != nil {
			return cmdenv.BadInput(fmt.Errorf("%s: %w", path, err))
		}
		r.Pieces, r.Specials, r.Merges = append(r.Pieces, m.Pieces...), append(r.Specials, m.Specials...), r.Merges+m.Merges
	}
	var more []vocab.Added
	for _, token := range o.Specials {
		more = append(more, vocab.Added{Content: token, Special: true})
	}
	r.Specials = append(r.Specials, d.AddSpecials(more...)...)
	if _, err := writeDocument(out, d); err != nil {
		return err
	}
	r.VocabSize = d.Size()
	return o.Env.Report(r, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %d ids: %d pieces, %d merges and %d added tokens are new\n", r.Out, r.VocabSize, len(r.Pieces), r.Merges, len(r.Specials))
		for _, s := range r.Specials {
			fmt.Fprintf(w, "  %d %s\n", s.ID, s.Piece)
		}
	})
}

// SideResult is the result of merge for side files.
type SideResult struct {
	Out     string         `json:"out"`
	Special vocab.Specials `json:"special_tokens"`
}

func (o *MergeOptions) mergeSideFiles(out string) error {
	none := func(string) (int32, bool) { return 0, false }
	var all []vocab.Specials
	for _, path := range o.Paths {
		if !isFile(o.Env.Path(path)) {
			return cmdenv.BadInput(fmt.Errorf("merge: there is no %s", path))
		}
		s, err := vocab.LoadSpecials(o.Env.Path(path), none)
		if err != nil {
			return cmdenv.BadInput(err)
		}
		all = append(all, s)
	}
	base := all[0]
	err := base.Merge(0, all[1:]...)
	if err == nil {
		err = base.Add(0, o.Specials...)
	}
	if err == nil {
		err = base.Save(out)
	}
	if err != nil {
		return cmdenv.BadInput(err)
	}
	return o.Env.Report(SideResult{o.Out, base}, func(w io.Writer) { fmt.Fprintf(w, "%s: %d special tokens\n", o.Out, len(base)) })
}
