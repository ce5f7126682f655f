package tokenizer

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/internal/fsatomic"
	"github.com/aries-serpent/codexml/tokenizer/vocab"
)

// StatsOptions are the inputs of stats.
type StatsOptions struct {
	Env       *cmdenv.Env
	Tokenizer string
	Corpus    []string
	Lines     bool
	TextKey   string
	Histogram string
}

func newStats(env *cmdenv.Env, runF func(context.Context, *StatsOptions) error) *cobra.Command {
	o := &StatsOptions{Env: env}
	cmd := &cobra.Command{
		Use: "stats TOKENIZER", Short: "Show figures of a vocabulary, and of what it makes of a corpus",
		Long: "Show figures of a vocabulary: size, special tokens, lengths, pieces that their own text is never encoded to.\n" +
			"With --corpus also tokens per byte, tokens per word (fertility), unused pieces and the share of byte fallback.",
		Example: "  codexml tokenizer stats tokenizer.json\n  codexml tokenizer stats tokenizer.json --corpus 'texts/**/*.txt' --histogram lengths.svg",
		Args:    cmdenv.Args("TOKENIZER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Tokenizer = args[0]
			if runF != nil {
				return runF(cmd.Context(), o)
			}
			return stats(cmd.Context(), o)
		},
	}
	corpusFlags(cmd, &o.Corpus, &o.Lines, &o.TextKey)
	cmd.Flags().StringVar(&o.Histogram, "histogram", "", "write the histogram of lengths to this SVG `FILE`")
	return cmd
}

// corpusFlags adds the flags of a corpus.
func corpusFlags(cmd *cobra.Command, globs *[]string, lines *bool, key *string) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringArrayVar(globs, "corpus", nil, "file, folder or `GLOB` (** for any folders) of the corpus; can be repeated. - is standard input")
	f.BoolVar(lines, "lines", false, "every line of the corpus is a text; else every file, and every record of a .jsonl file")
	f.StringVar(key, "text-key", "text", "`KEY` of the text in JSONL records")
}

func loadCorpus(env *cmdenv.Env, globs []string, lines bool, key string) (*corpus, error) {
	c, err := findCorpus(env, globs)
	if err == nil {
		c.lines, c.textKey = lines, key
	}
	return c, err
}

func stats(ctx context.Context, o *StatsOptions) error {
	t, err := open(o.Env, o.Tokenizer)
	if err != nil {
		return err
	}
	s := vocab.Describe(t, specials(t))
	if len(o.Corpus) > 0 {
		c, err := loadCorpus(o.Env, o.Corpus, o.Lines, o.TextKey)
		if err != nil {
			return err
		}
		docs, done := c.pass("encode")
		err = s.Measure(ctx, t, docs)
		if fault := done(); err == nil {
			err = fault
		}
		if err != nil {
			return err
		}
	}
	if o.Histogram != "" {
		svg := vocab.SVGHistogram("Lengths of the pieces of "+o.Tokenizer, s.Lengths)
		if err := fsatomic.WriteFile(o.Env.Path(o.Histogram), 0o644, func(w io.Writer) error { _, err := w.Write(svg); return err }); err != nil {
			return err
		}
	}
	return o.Env.Report(s, func(w io.Writer) { printStats(w, s, o.Env.Width) })
}

func printStats(w io.Writer, s *vocab.Stats, width int) {
	table := cmdenv.NewTable()
	row := func(name, format string, args ...any) { table.Row(name, fmt.Sprintf(format, args...)) }
	row("vocab_size", "%d ids", s.VocabSize)
	row("special tokens", "%d", len(s.Specials))
	row("never reached", "%d pieces that their own text is not encoded to", s.NeverNum)
	if c := s.Corpus; c != nil {
		row("corpus", "%d texts, %s, %d tokens", c.Documents, cmdenv.Bytes(c.Bytes), c.Tokens)
		row("bytes per token", "%.3f", c.BytesPerToken)
		row("tokens per byte", "%.4f", c.TokensPerByte)
		row("fertility", "%.3f tokens per word", c.Fertility)
		row("byte fallback", "%.3f%% of tokens", 100*c.ByteShare)
		row("unknown", "%d tokens", c.UnknownTokens)
		row("unused", "%d pieces; %d are used", c.UnusedPieces, c.UsedPieces)
	}
	table.WriteTo(w)
	list(w, "special tokens", s.Specials)
	list(w, "longest", s.Longest)
	list(w, "never reached", s.Never)
	if c := s.Corpus; c != nil {
		fmt.Fprintln(w, "\nmost frequent")
		table := cmdenv.NewTable("id", "piece", "count")
		for _, f := range c.Frequent {
			table.Row(f.ID, fmt.Sprintf("%q", f.Piece.Piece), f.Count)
		}
		table.WriteTo(w)
		list(w, "unused", c.Unused)
	}
	fmt.Fprintln(w, "\nlengths in bytes")
	vocab.WriteHistogram(w, s.Lengths, width)
}

func list(w io.Writer, title string, pieces []vocab.Piece) {
	if len(pieces) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	table := cmdenv.NewTable("id", "piece")
	for _, p := range pieces {
		table.Row(p.ID, fmt.Sprintf("%q", p.Piece))
	}
	table.WriteTo(w)
}
