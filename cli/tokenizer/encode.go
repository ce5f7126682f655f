package tokenizer

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/tokenizer"
)

// EncodeOptions are the inputs of encode, count and tokenize.
type EncodeOptions struct {
	Env            *cmdenv.Env
	Tokenizer      string
	Text           []string
	FromFile       string
	Lines          bool
	TextKey        string
	AddSpecial     bool
	NoAddSpecial   bool
	AllowedSpecial string
	MaxLength      int
	ShowIDs        bool
	ShowTokens     bool
	Show           bool
}

// flags adds the flags that say what is encoded and how.
func (o *EncodeOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.Tokenizer, "tokenizer-path", "", "tokenizer `FILE` or folder (default "+DefaultPath+")")
	f.StringVar(&o.FromFile, "from-file", "", "encode this `FILE`, instead of TEXT; - is standard input. Of a .jsonl file every record is a text")
	f.BoolVar(&o.Lines, "lines", false, "every line is a text, and gives a line of output")
	f.StringVar(&o.TextKey, "text-key", "text", "`KEY` of the text in JSONL records")
	f.StringVar(&o.AllowedSpecial, "allowed-special", "all", "special tokens that are found in the text: none, all, or a `LIST` with commas")
	f.BoolVar(&o.AddSpecial, "add-special-tokens", false, "add the special tokens that the tokenizer puts around a text")
	f.BoolVar(&o.NoAddSpecial, "no-add-special-tokens", false, "add none (the default)")
	f.IntVar(&o.MaxLength, "max-length", 0, "cut to this many ids; 0 is off")
}

func newEncode(env *cmdenv.Env, runF func(context.Context, *EncodeOptions) error) *cobra.Command {
	o := &EncodeOptions{Env: env}
	cmd := &cobra.Command{
		Use: "encode [TOKENIZER] [TEXT...]", Short: "Turn text into ids",
		Long: "Turn text into ids: the arguments, a file, or standard input. Special tokens in the text are found, and none\n" +
			"are added, as the original libraries do. With --json: one object, or with --lines an array of ids for each line.",
		Example: "  codexml tokenizer encode tokenizer.json 'Hello, world'\n  codexml tokenizer encode tokenizer.json --from-file corpus.txt --lines --json > ids.jsonl\n" +
			"  codexml tokenizer encode tokenizer.json --show 'colours show the pieces'\n  echo hello | codexml tokenizer encode tokenizer.json",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Tokenizer, o.Text = tokenizerAndRest(env, o.Tokenizer, args)
			if runF != nil {
				return runF(cmd.Context(), o)
			}
			return encode(cmd.Context(), o)
		},
	}
	o.flags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.ShowIDs, "show-ids", false, "print the ids (the default, unless tokens are shown)")
	f.BoolVar(&o.ShowTokens, "show-tokens", false, "print the pieces as the vocabulary writes them")
	f.BoolVar(&o.Show, "show", false, "print the text with its pieces in colours; in brackets where there is no terminal")
	return cmd
}

// encoder encodes as the flags say.
type encoder struct {
	tokenizer.Tokenizer
	full    full // nil if it is not one
	options tokenizer.EncodeOptions
	max     int
}

func (o *EncodeOptions) encoder() (*encoder, error) {
	if o.AddSpecial && o.NoAddSpecial {
		return nil, cmdenv.Usagef("give --add-special-tokens or --no-add-special-tokens, and not both")
	}
	if o.MaxLength < 0 {
		return nil, cmdenv.Usagef("--max-length: want 0 or above, got %d", o.MaxLength)
	}
	t, err := open(o.Env, o.Tokenizer)
	if err != nil {
		return nil, err
	}
	e := &encoder{Tokenizer: t, max: o.MaxLength}
	e.full, _ = t.(full)
	allowed, err := parseAllowed(t, o.AllowedSpecial)
	if err != nil {
		return nil, err
	}
	e.options = tokenizer.EncodeOptions{AddSpecial: o.AddSpecial, Allowed: allowed, Whole: true}
	if o.MaxLength > 0 {
		e.options.Truncation = &tokenizer.Truncation{MaxLength: o.MaxLength}
	}
	if o.AddSpecial && e.full == nil {
		return nil, cmdenv.BadInput(fmt.Errorf("--add-special-tokens: this tokenizer's file does not say which special tokens stand around a text"))
	}
	return e, nil
}

// ids appends the ids of text.
func (e *encoder) ids(dst []int32, text []byte) ([]int32, error) {
	switch {
	case e.full == nil:
		start := len(dst)
		dst = e.Encode(dst, text)
		if e.max > 0 && len(dst)-start > e.max {
			dst = dst[:start+e.max]
		}
		return dst, nil
	case !e.options.AddSpecial && e.max == 0:
		return e.full.AppendIDs(dst, text, e.options.Allowed), nil
	}
	encoding, err := e.full.EncodeText(text, e.options)
	if err != nil {
		return dst, err
	}
	return append(dst, encoding.IDs...), nil
}

// Encoded is the result of encode for one text.
type Encoded struct {
	IDs    []int32  `json:"ids"`
	Tokens []string `json:"tokens"`
	Count  int      `json:"count"`
}

func encode(ctx context.Context, o *EncodeOptions) error {
	e, err := o.encoder()
	if err != nil {
		return err
	}
	if o.Lines || strings.HasSuffix(o.FromFile, ".jsonl") {
		return o.encodeLines(ctx, e)
	}
	text, err := o.text()
	if err != nil {
		return err
	}
	ids, err := e.ids([]int32{}, text)
	if err != nil {
		return cmdenv.BadInput(err)
	}
	result := Encoded{IDs: ids, Tokens: pieces(e, ids), Count: len(ids)}
	return o.Env.Report(result, func(w io.Writer) { o.print(w, e, result) })
}

func (o *EncodeOptions) print(w io.Writer, e *encoder, r Encoded) {
	if o.Show {
		showPieces(w, e, r.IDs, o.Env.OutTerminal)
		fmt.Fprintf(w, "\n%d tokens\n", r.Count)
	}
	if o.ShowTokens {
		fmt.Fprintln(w, strings.Join(r.Tokens, " "))
	}
	if o.ShowIDs || !o.Show && !o.ShowTokens {
		fmt.Fprintln(w, strings.Trim(fmt.Sprint(r.IDs), "[]"))
	}
}

func pieces(t tokenizer.Tokenizer, ids []int32) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = t.Piece(id)
	}
	return out
}

// text is what is to be encoded: the arguments, the file, or standard input.
func (o *EncodeOptions) text() ([]byte, error) {
	switch {
	case o.FromFile != "" && len(o.Text) > 0:
		return nil, cmdenv.Usagef("give TEXT or --from-file, and not both")
	case len(o.Text) > 0:
		return []byte(strings.Join(o.Text, " ")), nil
	case o.FromFile == "" || o.FromFile == "-":
		if o.FromFile == "" && o.Env.InTerminal {
			return nil, cmdenv.Usagef("TEXT is missing: give it as an argument, with --from-file, or on standard input")
		}
		text, err := io.ReadAll(o.Env.In)
		return text, err
	}
	text, err := os.ReadFile(o.Env.Path(o.FromFile))
	return text, cmdenv.BadInput(err)
}

// texts is the texts of --lines.
func (o *EncodeOptions) texts() (*corpus, error) {
	if len(o.Text) > 0 {
		if o.FromFile != "" {
			return nil, cmdenv.Usagef("give TEXT or --from-file, and not both")
		}
		env := *o.Env
		env.In = strings.NewReader(strings.Join(o.Text, " "))
		c, err := findCorpus(&env, []string{"-"})
		c.lines = true
		return c, err
	}
	from := o.FromFile
	if from == "" {
		from = "-"
	}
	c, err := findCorpus(o.Env, []string{from})
	if err != nil {
		return nil, err
	}
	c.lines, c.textKey = true, o.TextKey
	return c, nil
}

// encodeLines writes a line of ids for every text.
func (o *EncodeOptions) encodeLines(ctx context.Context, e *encoder) error {
	c, err := o.texts()
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(o.Env.Out, 1<<20)
	docs, done := c.pass("encode")
	err = inBatches(ctx, docs, o.Env.Threads, func(text []byte) ([]byte, error) {
		ids, err := e.ids(nil, text)
		return appendIDs(nil, ids, o.Env.JSON), err
	}, func(line []byte) error {
		_, err := out.Write(line)
		return err
	})
	if fault := done(); fault != nil {
		err = fault
	}
	if err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write standard output: %w", err)
	}
	return nil
}

func appendIDs(line []byte, ids []int32, asJSON bool) []byte {
	separator := " "
	if asJSON {
		line, separator = append(line, '['), ","
	}
	for i, id := range ids {
		if i > 0 {
			line = append(line, separator...)
		}
		line = strconv.AppendInt(line, int64(id), 10)
	}
	if asJSON {
		line = append(line, ']')
	}
	return append(line, '\n')
}

// batch is how many texts, or bytes of texts, are worked on at a time.
const (
	batchTexts = 1 << 12
	batchBytes = 8 << 20
)

// inBatches gives every text to work, on several goroutines, and what it returns to
// write, in order.
func inBatches(ctx context.Context, docs func(func([]byte) bool), threads int, work func([]byte) ([]byte, error), write func([]byte) error) error {
	var texts [][]byte
	size := 0
	var fault error
	flush := func() bool {
		fault = ctx.Err()
		if fault == nil {
			fault = batch(texts, threads, work, write)
		}
		texts, size = texts[:0], 0
		return fault == nil
	}
	for doc := range docs {
		texts = append(texts, append([]byte(nil), doc...))
		if size += len(doc); (len(texts) == batchTexts || size > batchBytes) && !flush() {
			return fault
		}
	}
	flush()
	return fault
}

func batch(texts [][]byte, threads int, work func([]byte) ([]byte, error), write func([]byte) error) error {
	out := make([][]byte, len(texts))
	faults := make([]error, len(texts))
	eachOf(len(texts), threads, func(i int) { out[i], faults[i] = work(texts[i]) })
	for i := range out {
		if faults[i] != nil {
			return cmdenv.BadInput(faults[i])
		}
		if err := write(out[i]); err != nil {
			return fmt.Errorf("write standard output: %w", err)
		}
	}
	return nil
}

// eachOf calls f for 0 to n-1 on several goroutines.
func eachOf(n, threads int, f func(i int)) {
	threads = max(1, min(threads, n, 4*runtime.GOMAXPROCS(0)))
	var next int
	var lock sync.Mutex
	var all sync.WaitGroup
	for range threads {
		all.Go(func() {
			for {
				lock.Lock()
				lo := next
				next += 8
				lock.Unlock()
				if lo >= n {
					return
				}
				for i := lo; i < min(lo+8, n); i++ {
					f(i)
				}
			}
		})
	}
	all.Wait()
}
