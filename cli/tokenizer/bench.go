package tokenizer

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/tokenizer"
)

// BenchOptions are the inputs of bench.
type BenchOptions struct {
	Env       *cmdenv.Env
	Tokenizer string
	Corpus    []string
	Lines     bool
	TextKey   string
	Document  int
	Passes    int
}

// Benched is the result of bench: speeds in 10^6 bytes of text a second.
type Benched struct {
	EncodeCold      float64 `json:"encode_cold_mb_s"`
	EncodeWarm      float64 `json:"encode_warm_mb_s"`
	EncodeOneThread float64 `json:"encode_one_thread_mb_s"`
	Decode          float64 `json:"decode_mb_s"`
	LoadMS          float64 `json:"load_ms"`
	Tokens          int64   `json:"tokens"`
	Bytes           int64   `json:"bytes"`
	Documents       int     `json:"documents"`
	Threads         int     `json:"threads"`
}

func newBench(env *cmdenv.Env, runF func(context.Context, *BenchOptions) error) *cobra.Command {
	o := &BenchOptions{Env: env}
	cmd := &cobra.Command{
		Use: "bench TOKENIZER --corpus F", Short: "Measure how fast a tokenizer loads, encodes and decodes",
		Long: "Measure a tokenizer on a corpus that is cut into documents: loading, the first pass over the corpus with all\n" +
			"threads (cold), the best of later passes (warm: only pieces of words are cached), the best pass of one thread,\n" +
			"and decoding. Speeds are 10^6 bytes of text a second.",
		Example: "  codexml tokenizer bench tokenizer.json --corpus texts.txt\n  codexml tokenizer bench tokenizer.json --corpus 'src/**/*.go' --threads 1 --json",
		Args:    cmdenv.Args("TOKENIZER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Tokenizer = args[0]
			if runF != nil {
				return runF(cmd.Context(), o)
			}
			return bench(cmd.Context(), o)
		},
	}
	corpusFlags(cmd, &o.Corpus, &o.Lines, &o.TextKey)
	cmd.Flags().IntVar(&o.Document, "document-bytes", 10000, "cut the corpus into documents of this size, at the end of a line")
	cmd.Flags().IntVar(&o.Passes, "passes", 3, "later passes, of which the best counts")
	return cmd
}

func bench(ctx context.Context, o *BenchOptions) error {
	if len(o.Corpus) == 0 || o.Passes < 1 || o.Document < 1 {
		return cmdenv.Usagef("bench: want --corpus, --passes of 1 or more and --document-bytes of 1 or more")
	}
	docs, size, err := o.documents()
	if err != nil {
		return err
	}
	start := time.Now()
	t, err := open(o.Env, o.Tokenizer)
	if err != nil {
		return err
	}
	r := Benched{LoadMS: time.Since(start).Seconds() * 1000, Bytes: size, Documents: len(docs), Threads: o.Env.Threads}
	b := &bencher{t: t, docs: docs, ids: make([][]int32, len(docs)), size: size}
	b.full, _ = t.(full)
	bar := o.Env.Progress("bench", 2+3*o.Passes)
	defer bar.Done()
	step := 0
	run := func(into *float64, threads, passes int, pass func(threads int)) {
		for range passes {
			if ctx.Err() != nil {
				return
			}
			*into = max(*into, b.speed(threads, pass))
			step++
			bar.Set(step, "")
		}
	}
	run(&r.EncodeCold, o.Env.Threads, 1, b.encode)
	run(&r.EncodeWarm, o.Env.Threads, o.Passes, b.encode)
	run(&r.EncodeOneThread, 1, o.Passes, b.encode)
	run(&r.Decode, o.Env.Threads, o.Passes+1, b.decode)
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, ids := range b.ids {
		r.Tokens += int64(len(ids))
	}
	bar.Done()
	return o.Env.Report(r, func(w io.Writer) { r.print(w) })
}

// documents reads the corpus into documents.
func (o *BenchOptions) documents() ([][]byte, int64, error) {
	c, err := loadCorpus(o.Env, o.Corpus, o.Lines, o.TextKey)
	if err != nil {
		return nil, 0, err
	}
	c.chunk = o.Document
	var docs [][]byte
	size := int64(0)
	for doc := range c.documents() {
		docs = append(docs, append([]byte(nil), doc...))
		size += int64(len(doc))
	}
	if c.err == nil && size == 0 {
		c.err = cmdenv.BadInput(fmt.Errorf("bench: the corpus is empty"))
	}
	return docs, size, c.err
}

type bencher struct {
	t    tokenizer.Tokenizer
	full full
	docs [][]byte
	ids  [][]int32
	size int64
}

func (b *bencher) speed(threads int, pass func(threads int)) float64 {
	start := time.Now()
	pass(threads)
	return float64(b.size) / 1e6 / time.Since(start).Seconds()
}

// encode makes new slices of ids, as a user's program would.
func (b *bencher) encode(threads int) {
	eachOf(len(b.docs), threads, func(i int) {
		if b.full != nil {
			b.ids[i] = b.full.AppendIDs(nil, b.docs[i], tokenizer.AllSpecials())
		} else {
			b.ids[i] = b.t.Encode(nil, b.docs[i])
		}
	})
}

func (b *bencher) decode(threads int) {
	eachOf(len(b.ids), threads, func(i int) { b.t.Decode(nil, b.ids[i]) })
}

func (r *Benched) print(w io.Writer) {
	t := cmdenv.NewTable("what", "MB/s")
	for _, row := range []struct {
		name  string
		value float64
	}{{"encode, first pass", r.EncodeCold}, {"encode, later passes", r.EncodeWarm}, {"encode, one thread", r.EncodeOneThread}, {"decode", r.Decode}} {
		t.Row(row.name, fmt.Sprintf("%.1f", row.value))
	}
	t.WriteTo(w)
	fmt.Fprintf(w, "\n%d tokens of %d bytes in %d documents on %d threads; loaded in %.1f ms\n", r.Tokens, r.Bytes, r.Documents, r.Threads, r.LoadMS)
}
