package train

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"runtime"
)

// Counting says how pieces of texts are counted. The fields are those of Options.
type Counting struct {
	Split        Split
	Threads      int
	Memory       int64
	TempDir      string
	MinWordCount uint64
}

// Count counts the pieces of all documents, in bounded memory, and returns an
// iterator over the different ones, in no order that means anything, with how often
// each was seen. A piece that is yielded must not be changed.
func Count(ctx context.Context, docs iter.Seq[[]byte], c Counting) (iter.Seq2[[]byte, int64], error) {
	if c.Split == nil {
		panic("train: Count: Split is nil")
	}
	if c.Threads < 0 || c.Memory < 0 {
		return nil, fmt.Errorf("count words: threads is %d and memory %d, want neither below 0", c.Threads, c.Memory)
	}
	opts := &Options{
		Split: c.Split, Cut: func(text []byte, _ int) int { return len(text) }, Threads: cmp.Or(c.Threads, runtime.GOMAXPROCS(0)),
		Memory: cmp.Or(c.Memory, defaultMemory), TempDir: c.TempDir, MinWordCount: c.MinWordCount,
	}
	words, err := countWords(ctx, docs, opts)
	if err != nil {
		return nil, err
	}
	return func(yield func([]byte, int64) bool) {
		for i := range words.entries {
			if e := &words.entries[i]; !yield(words.word(e), int64(e.count)) {
				return
			}
		}
	}, nil
}
