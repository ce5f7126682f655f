package tokenizer

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/tokenizer"
)

// DecodeOptions are the inputs of decode.
type DecodeOptions struct {
	Env         *cmdenv.Env
	Tokenizer   string
	IDs         []string
	FromFile    string
	SkipSpecial bool
}

func newDecode(env *cmdenv.Env, runF func(context.Context, *DecodeOptions) error) *cobra.Command {
	o := &DecodeOptions{Env: env}
	cmd := &cobra.Command{
		Use: "decode [TOKENIZER] [IDS...]", Short: "Turn ids into text",
		Long: "Turn ids into text: the arguments, or the lines of a file or of standard input, each a JSON array or ids with\n" +
			"spaces between them. With --json: one object, or of a file a JSON string for each line.",
		Example: "  codexml tokenizer decode tokenizer.json 15496 995\n  codexml tokenizer decode tokenizer.json --from-file ids.jsonl --json\n" +
			"  codexml tokenizer encode tokenizer.json 'there and back' | codexml tokenizer decode tokenizer.json",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.IDs = args
			if len(args) > 0 && o.Tokenizer == "" {
				if _, err := strconv.Atoi(strings.Trim(args[0], "[],")); err != nil {
					o.Tokenizer, o.IDs = args[0], args[1:]
				}
			}
			if runF != nil {
				return runF(cmd.Context(), o)
			}
			return decode(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.Tokenizer, "tokenizer-path", "", "tokenizer `FILE` or folder, instead of the first argument (default "+DefaultPath+")")
	f.StringVar(&o.FromFile, "from-file", "", "decode the lines of this `FILE`; - is standard input")
	f.BoolVar(&o.SkipSpecial, "skip-special-tokens", false, "leave special tokens out of the text")
	return cmd
}

// Decoded is the result of decode for ids in the arguments.
type Decoded struct {
	Text string `json:"text"`
}

func decode(ctx context.Context, o *DecodeOptions) error {
	t, err := open(o.Env, o.Tokenizer)
	if err != nil {
		return err
	}
	if len(o.IDs) > 0 {
		if o.FromFile != "" {
			return cmdenv.Usagef("decode: give IDS or --from-file, and not both")
		}
		ids, err := parseIDs(t, []byte(strings.Join(o.IDs, " ")))
		if err != nil {
			return cmdenv.BadInput(fmt.Errorf("decode: %w", err))
		}
		text := o.decode(t, ids)
		return o.Env.Report(Decoded{text}, func(w io.Writer) { fmt.Fprintln(w, text) })
	}
	from := o.FromFile
	if from == "" {
		if o.Env.InTerminal {
			return cmdenv.Usagef("decode: IDS are missing: give them as arguments, with --from-file, or on standard input")
		}
		from = "-"
	}
	return o.decodeLines(ctx, t, from)
}

func (o *DecodeOptions) decodeLines(ctx context.Context, t tokenizer.Tokenizer, from string) error {
	c, err := findCorpus(o.Env, []string{from})
	if err != nil {
		return err
	}
	c.lines, c.plain = true, true
	out := bufio.NewWriterSize(o.Env.Out, 1<<20)
	docs, done := c.pass("decode")
	number := 0
	err = inBatches(ctx, docs, o.Env.Threads, func(line []byte) ([]byte, error) {
		ids, err := parseIDs(t, line)
		if err != nil {
			return nil, err
		}
		return o.line(o.decode(t, ids))
	}, func(line []byte) error {
		number++
		_, err := out.Write(line)
		return err
	})
	if fault := done(); fault != nil {
		err = fault
	}
	if err != nil {
		return fmt.Errorf("decode %s: line %d: %w", from, number+1, err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write standard output: %w", err)
	}
	return nil
}

// line is a text as a line of output.
func (o *DecodeOptions) line(text string) ([]byte, error) {
	if !o.Env.JSON {
		return append([]byte(text), '\n'), nil
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(text)
	return []byte(b.String()), err
}

func (o *DecodeOptions) decode(t tokenizer.Tokenizer, ids []int32) string {
	if f, ok := t.(full); ok {
		return f.DecodeText(ids, o.SkipSpecial)
	}
	return strings.ToValidUTF8(string(t.Decode(nil, ids)), "\uFFFD")
}

// parseIDs reads a JSON array of ids, or ids with spaces or commas between them.
func parseIDs(t tokenizer.Tokenizer, line []byte) ([]int32, error) {
	ids := []int32{}
	isBreak := func(r rune) bool { return strings.ContainsRune(" \t\r\n,[]", r) }
	for word := range strings.FieldsFuncSeq(string(line), isBreak) {
		id, err := strconv.ParseInt(word, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("want ids, got %q", word)
		}
		if id < 0 || int(id) >= t.VocabSize() {
			return nil, fmt.Errorf("id %d is not in the vocabulary: its ids are 0 to %d", id, t.VocabSize()-1)
		}
		ids = append(ids, int32(id))
	}
	return ids, nil
}
