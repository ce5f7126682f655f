// Package bpe encodes pieces of text by byte-pair encoding.
//
// Package tokenizer, which cuts text into pieces, calls it. A Model is safe for
// concurrent use, and ids are a function of the piece alone, never of what its cache
// has seen.
package bpe

import (
	"fmt"
	"sync"
)

// Config says what a Model is made of.
type Config struct {
	Vocabulary *Vocabulary
	Merges     []Merge
}

// Model is a BPE model over bytes. Nothing in it changes after it was made but the
// cache and the scratch, which look after themselves.
type Model struct {
	vocab  *Vocabulary
	merges mergeTable
	bytes  [NumBytes]int32 // the id of each byte

	cache   pieceCache
	scratch sync.Pool // of *longPiece
}

// New makes a model. Every byte must have a piece.
func New(c Config) (*Model, error) {
	t := &Model{vocab: c.Vocabulary, merges: newMergeTable(c.Merges)}
	t.scratch.New = func() any { return new(longPiece) }
	var written []byte
	for b := range t.bytes {
		written = AppendWritten(written[:0], []byte{byte(b)})
		id, ok := t.vocab.ID(written)
		if !ok {
			return nil, fmt.Errorf("the vocabulary has no piece for byte 0x%02X, written %q, so not every text could be encoded", b, written)
		}
		t.bytes[b] = id
	}
	return t, nil
}
