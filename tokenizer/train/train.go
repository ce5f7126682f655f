// Package train learns tokenizers from documents.
//
// Package tokenizer and its command call it. What is learned is a function of the
// documents and the options alone, never of the number of threads.
package train

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"runtime"
	"unicode/utf8"

	"github.com/aries-serpent/codexml/tokenizer/bpe"
)

// Split calls each with the pieces of a text, one after another. It must be safe for
// concurrent use.
type Split func(text []byte, each func(piece []byte))

// Cut returns a place in text, from size on, where a piece ends whatever stands
// around it, the length of the text if there is none.
type Cut func(text []byte, size int) int

// Options say what is made.
type Options struct {
	// VocabSize is the number of pieces to reach: special tokens, the 256 bytes,
	// and merges. A corpus may be too small to reach it.
	VocabSize int
	// Specials are the special tokens, with ids from 0; they
	// come first.
	Specials []string
	// Split cuts text into pieces, and Cut finds where long texts may be parted; a
	// nil Cut parts none.
	Split Split
	Cut   Cut
	// Threads is how many goroutines count words; 0 means as many as Go runs at a
	// time. The result does not depend on it.
	Threads int
	// Progress, if not nil, is told now and then, from the calling goroutine, how
	// many merges of how many are done. While the documents are read that is 0.
	Progress func(done, total int)
}

// maxVocab bounds VocabSize: more is a slip of the pen.
const maxVocab = 1 << 24

// validate checks the options and puts defaults in.
func (o *Options) validate() error {
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.Cut == nil {
		o.Cut = func(text []byte, size int) int { return len(text) }
	}
	if o.Progress == nil {
		o.Progress = func(done, total int) {}
	}
	if o.Threads < 0 {
		return fmt.Errorf("threads is %d, want at least 1, or 0 for all", o.Threads)
	}
	if least := len(o.Specials) + bpe.NumBytes; o.VocabSize < least || o.VocabSize > maxVocab {
		return fmt.Errorf("vocabulary size is %d, want %d (the bytes and %d special tokens) to %d",
			o.VocabSize, least, len(o.Specials), maxVocab)
	}
	return validateSpecials(o.Specials)
}

func validateSpecials(specials []string) error {
	seen := make(map[string]bool, len(specials))
	for _, s := range specials {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case s == "":
			return errors.New("a special token is empty: give it a name such as [X]")
		case !utf8.ValidString(s):
			return fmt.Errorf("the special token %q is not UTF-8", s)
		case seen[s]:
			return fmt.Errorf("the special token %q is given twice", s)
		case size == len(s) && isByte(r):
			b, _ := bpe.ByteOf(r)
			return fmt.Errorf("the special token %q is the writing of byte 0x%02X: give it a name such as [%s]", s, b, s)
		}
		seen[s] = true
	}
	return nil
}

// Result is what was learned: the pieces by id, special tokens first, and the
// merges.
type Result struct {
	Vocabulary *bpe.Vocabulary
	Merges     []bpe.Merge
	Specials   []int32
}

// BPE learns byte-level BPE from documents: the pair of neighbours that is most
// frequent in the pieces of text, the one with the lowest ids among equals, is merged
// until the vocabulary is full. The merges equal those of the original's BpeTrainer
// with the byte alphabet as initial alphabet, on any number of threads (it counts
// pairs in 32 bits and this in 64: corpora with more than 2^31 of a pair are beyond
// it).
//
// A document may be reused by docs after its turn. Memory grows with the number of
// different pieces, not with the corpus. Special tokens are not looked for in the
// text; if the text makes one a piece, that is an error.
func BPE(ctx context.Context, docs iter.Seq[[]byte], opts Options) (*Result, error) {
	if err := opts.validate(); err != nil {
		return nil, err
	}
	opts.Progress(0, opts.VocabSize-len(opts.Specials)-bpe.NumBytes)
	words, err := countWords(ctx, docs, &opts)
	if err != nil {
		return nil, err
	}
	if len(words.entries) == 0 {
		return nil, errors.New("the documents hold no text")
	}
	if len(words.text) > math.MaxUint32 {
		return nil, fmt.Errorf("the documents hold %d bytes of different pieces, want at most %d: train on a sample", len(words.text), uint32(math.MaxUint32))
	}
	l := newLearner(words, opts)
	if err := l.learn(ctx); err != nil {
		return nil, err
	}
	specials := make([]int32, len(opts.Specials))
	for i := range specials {
		specials[i] = int32(i)
	}
	return &Result{l.vocab, l.merges, specials}, nil
}

func isByte(r rune) bool {
	_, ok := bpe.ByteOf(r)
	return ok
}
