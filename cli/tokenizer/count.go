package tokenizer

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
)

// Counted is the result of count.
type Counted struct {
	Texts  int64 `json:"texts"`
	Bytes  int64 `json:"bytes"`
	Tokens int64 `json:"tokens"`
}

func newCount(env *cmdenv.Env, runF func(context.Context, *EncodeOptions) error) *cobra.Command {
	o := &EncodeOptions{Env: env}
	cmd := &cobra.Command{
		Use: "count [TOKENIZER] [TEXT...]", Short: "Count the tokens of a text or a file",
		Example: "  codexml tokenizer count tokenizer.json 'How long is this?'\n  codexml tokenizer count tokenizer.json --from-file corpus.jsonl",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Tokenizer, o.Text = tokenizerAndRest(env, o.Tokenizer, args)
			if runF != nil {
				return runF(cmd.Context(), o)
			}
			return count(cmd.Context(), o)
		},
	}
	o.flags(cmd)
	return cmd
}

func count(ctx context.Context, o *EncodeOptions) error {
	e, err := o.encoder()
	if err != nil {
		return err
	}
	if len(o.Text) == 0 && o.FromFile == "" && o.Env.InTerminal {
		return cmdenv.Usagef("count: TEXT is missing: give it as an argument, with --from-file, or on standard input")
	}
	c, err := o.texts()
	if err != nil {
		return err
	}
	c.lines = o.Lines
	var r Counted
	var ids []int32
	docs, done := c.pass("count")
	for text := range docs {
		if err = ctx.Err(); err != nil {
			break
		}
		if ids, err = e.ids(ids[:0], text); err != nil {
			break
		}
		r.Texts++
		r.Bytes += int64(len(text))
		r.Tokens += int64(len(ids))
	}
	if fault := done(); err == nil {
		err = fault
	}
	if err != nil {
		return err
	}
	return o.Env.Report(r, func(w io.Writer) { fmt.Fprintln(w, r.Tokens) })
}
