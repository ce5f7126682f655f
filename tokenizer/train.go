package tokenizer

import (
	"context"
	"fmt"
	"iter"

	"github.com/aries-serpent/codexml/tokenizer/bpe"
	"github.com/aries-serpent/codexml/tokenizer/regex"
	"github.com/aries-serpent/codexml/tokenizer/train"
)

// TrainOptions say what TrainBPE makes.
type TrainOptions struct {
	// VocabSize is the number of pieces to reach: special tokens, the 256 bytes,
	// and merges. A corpus may be too small to reach it.
	VocabSize int
	// Specials are the special tokens, with ids from 0; nil stands for
	// DefaultSpecials.
	Specials []string
	// Threads is how many goroutines count words; 0 means as many as Go runs at a
	// time. The result does not depend on it.
	Threads int
	// Progress, if not nil, is told now and then, from the calling goroutine, how
	// many merges of how many are done. While the documents are read that is 0.
	Progress func(done, total int)
}

// TrainBPE learns a byte-level BPE tokenizer from documents, which it cuts with
// GPT-2's pattern; see train.BPE. The bytes of tokenizer.json equal those of the
// original.
func TrainBPE(ctx context.Context, docs iter.Seq[[]byte], opts TrainOptions) (Tokenizer, error) {
	if opts.Specials == nil {
		opts.Specials = DefaultSpecials()
	}
	r, err := train.BPE(ctx, docs, train.Options{
		VocabSize: opts.VocabSize, Specials: opts.Specials, Threads: opts.Threads, Progress: opts.Progress,
		ByteLevel: true, InitialAlphabet: bpe.Alphabet(),
		Split: eachPiece(regex.GPT2().Scanner()), Cut: train.CutAtSpace,
	})
	if err != nil {
		return nil, fmt.Errorf("train tokenizer: %w", err)
	}
	t, err := parseFile(marshalFile(r.Vocabulary, r.Merges, r.Specials))
	if err != nil {
		return nil, fmt.Errorf("train tokenizer: %w", err)
	}
	return t, nil
}

// eachPiece cuts texts that the scanner's matches cover from end to end.
func eachPiece(scan regex.Scanner) train.Split {
	return func(text []byte, each func(piece []byte)) {
		for i := 0; i < len(text); {
			end := scan(text, i)
			each(text[i:end])
			i = end
		}
	}
}
