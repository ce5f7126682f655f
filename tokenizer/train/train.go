// Package train learns tokenizers from documents: byte-pair encoding (of bytes or of
// characters), WordPiece and WordLevel.
//
// Package tokenizer and its command call it. What is learned is a function of the
// documents and the options alone, never of the number of threads, the memory limit or
// the platform, and is what the trainers of Hugging Face's tokenizers 0.23 learn. It
// obeys no switches.
//
// The original's rule for ties, which this keeps: of pairs that are seen equally often
// the one whose left id, then right id, is lowest is merged first. Where the original
// goes by the order of a hash table (characters at the limit of the alphabet, and the
// ids of characters with a prefix or suffix) this goes by code points.
package train

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/aries-serpent/codexml/tokenizer/bpe"
)

// Result is what was learned: the pieces by id, special tokens first, and the merges,
// of which WordPiece and WordLevel have none.
type Result struct {
	Vocabulary *bpe.Vocabulary
	Merges     []bpe.Merge
	Specials   []int32
}

// BPE learns byte-pair encoding from documents: the pair of neighbours that is most
// frequent in the pieces of text is merged until the vocabulary is full. (The original
// counts pairs in 32 bits and this in 64: corpora with more than 2^31 of a pair are
// beyond it.)
//
// A document may be reused by docs after its turn. Memory grows with the number of
// different pieces of text, not with the corpus.
func BPE(ctx context.Context, docs iter.Seq[[]byte], opts Options) (*Result, error) {
	if err := opts.validate(); err != nil {
		return nil, err
	}
	opts.Progress(0, opts.VocabSize-len(opts.Specials)-len(opts.InitialAlphabet))
	words, err := countWords(ctx, docs, &opts)
	if err != nil {
		return nil, err
	}
	if err := checkFits(int64(len(words.entries)), int64(len(words.text)), opts.Memory); err != nil {
		return nil, err
	}
	l, err := newLearner(words, opts)
	if err != nil {
		return nil, err
	}
	if err := l.learn(ctx); err != nil {
		return nil, err
	}
	return &Result{l.vocab, l.merges, firstIDs(len(opts.Specials))}, nil
}

// WordPiece learns the pieces of a WordPiece model as the original does: by BPE of
// characters, with ## as Prefix unless the options have another.
func WordPiece(ctx context.Context, docs iter.Seq[[]byte], opts Options) (*Result, error) {
	if opts.ByteLevel {
		return nil, errors.New("a WordPiece model is of characters, not of bytes")
	}
	if opts.Prefix == "" {
		opts.Prefix = "##"
	}
	r, err := BPE(ctx, docs, opts)
	if err != nil {
		return nil, err
	}
	r.Merges = nil
	return r, nil
}

// WordLevel learns the words that are seen most, of equals the lower in the order of
// their bytes. A word that is a special token already is not taken again. Of the
// options it needs VocabSize, MinFrequency, Specials, and those of counting.
func WordLevel(ctx context.Context, docs iter.Seq[[]byte], opts Options) (*Result, error) {
	opts.InitialAlphabet = nil
	if err := opts.validate(); err != nil {
		return nil, err
	}
	words, err := countWords(ctx, docs, &opts)
	if err != nil {
		return nil, err
	}
	order := make([]*wordEntry, len(words.entries))
	for i := range order {
		order[i] = &words.entries[i]
	}
	slices.SortFunc(order, func(a, b *wordEntry) int {
		if a.count != b.count {
			if a.count > b.count {
				return -1
			}
			return 1
		}
		return slices.Compare(words.word(a), words.word(b))
	})
	vocab := bpe.NewVocabulary(opts.VocabSize, 8*opts.VocabSize)
	for _, s := range opts.Specials {
		vocab.Add([]byte(s))
	}
	for _, e := range order {
		if vocab.Size() == opts.VocabSize || e.count < opts.MinFrequency {
			break
		}
		vocab.Add(words.word(e))
	}
	return &Result{vocab, nil, firstIDs(len(opts.Specials))}, nil
}

// firstIDs returns the ids 0 to n-1.
func firstIDs(n int) []int32 {
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32(i)
	}
	return ids
}

// learningTakes is about how many bytes learning from so many words takes: symbols,
// and lists of the words that pairs are in.
func learningTakes(words, size int64) int64 { return 14*size + 64*words }

// checkFits says whether learning from so many words, of size bytes in all, stays
// within the memory limit.
func checkFits(words, size, memory int64) error {
	if words == 0 {
		return errors.New("the documents hold no text")
	}
	if need := learningTakes(words, size); size > math.MaxUint32 || need > memory {
		return fmt.Errorf("the documents hold %d different pieces of text with %d bytes, from which to learn takes about %d MiB: raise the memory limit (%d MiB), leave out rare pieces (min word count), or train on a sample",
			words, size, need>>20, memory>>20)
	}
	return nil
}
