// Package bpe encodes pieces of text by byte-pair encoding.
//
// Package tokenizer, which cuts text into pieces, calls it, and so do the readers of
// formats and package train. A Model is safe for concurrent use, and ids are a
// function of the piece alone, never of what its cache has seen. It obeys no switches.
//
// The meaning of every option is that of the BPE model of Hugging Face's tokenizers
// 0.23, and with RankByID that of tiktoken.
package bpe

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"unicode/utf8"
)

// Config says what a Model is made of.
type Config struct {
	// Vocabulary holds the pieces as they are written. It must not change afterwards.
	Vocabulary *Vocabulary
	// Merges are the rules, the first to be applied first. Of a pair that is in it
	// twice the later rule counts, as in the original.
	Merges []Merge
	// RankByID orders the merges by the id they make instead of by their place: of
	// pairs that make the same piece the leftmost is merged first. With the merges
	// that AllMerges returns it is the rank merge of tiktoken.
	RankByID bool
	// ByteLevel says that pieces of the vocabulary are written in GPT-2's byte
	// alphabet and that text is given in bytes. Otherwise text is a string of
	// characters, each of which is looked up; bytes that are not UTF-8 are then taken
	// for characters of one byte.
	ByteLevel bool
	// Unknown is the id of a character (of a byte, if ByteLevel) that is not in the
	// vocabulary; -1 leaves such characters out.
	Unknown int32
	// FuseUnknown makes neighbouring unknown characters one id.
	FuseUnknown bool
	// ByteFallback spells an unknown character with the pieces <0x00> to <0xFF>, if
	// the vocabulary has all that it needs.
	ByteFallback bool
	// Prefix is written before every character of a piece but the first, and Suffix
	// behind the last one (continuing_subword_prefix and end_of_word_suffix).
	Prefix, Suffix string
	// IgnoreMerges gives a piece that is in the vocabulary its id, whatever the
	// merges make of it.
	IgnoreMerges bool
}

// Model is a BPE model. Nothing in it changes after it was made but the cache and
// the scratch, which look after themselves.
type Model struct {
	config   Config
	pairs    pairTable
	bytes    [NumBytes]int32 // the id of each byte, if ByteLevel; -1 for none
	allBytes bool            // each has one
	first    *bytePairs      // the merges of bytes, if allBytes and there are many
	fallback [NumBytes]int32 // the ids of <0x00> and so on; -1 for none
	ascii    [utf8.RuneSelf]int32
	lengths  []int32 // of ids in bytes of text, if allBytes
	joints   joints

	cache   pieceCache
	scratch sync.Pool // of *scratch
}

// New makes a model. A merge outside the vocabulary and an unknown id outside it are
// errors.
func New(c Config) (*Model, error) {
	if c.Vocabulary == nil {
		return nil, errors.New("a BPE model needs a vocabulary")
	}
	size := int32(c.Vocabulary.Size())
	if c.Unknown < -1 || c.Unknown >= size {
		return nil, fmt.Errorf("the unknown id is %d, want -1 for none or less than the %d of the vocabulary", c.Unknown, size)
	}
	for i, m := range c.Merges {
		if least, most := min(m.Left, m.Right, m.ID), max(m.Left, m.Right, m.ID); least < 0 || most >= size {
			return nil, fmt.Errorf("merge %d joins the ids %d and %d to %d, want ids less than the %d of the vocabulary", i, m.Left, m.Right, m.ID, size)
		}
	}
	m := &Model{config: c, pairs: newPairTable(c.Merges, c.RankByID)}
	m.scratch.New = func() any { return new(scratch) }
	m.findBytes()
	m.joints = newJoints(m)
	return m, nil
}

// Config returns what the model was made of; its parts must not be changed.
func (m *Model) Config() Config { return m.config }

// findBytes looks up the ids of single bytes and characters.
func (m *Model) findBytes() {
	vocab, written := m.config.Vocabulary, make([]byte, 0, utf8.UTFMax)
	m.allBytes = m.config.ByteLevel && m.config.Prefix == "" && m.config.Suffix == ""
	for b := range m.bytes {
		written = AppendWritten(written[:0], []byte{byte(b)})
		m.bytes[b] = vocab.find1(written)
		m.allBytes = m.allBytes && m.bytes[b] >= 0
		m.fallback[b] = -1
		if m.config.ByteFallback {
			m.fallback[b] = vocab.find1(fmt.Appendf(nil, "<0x%02X>", b))
		}
	}
	for b := range m.ascii {
		m.ascii[b] = vocab.find1([]byte{byte(b)})
	}
	if m.allBytes {
		if len(m.config.Merges) >= manyMerges {
			m.first = newBytePairs(&m.pairs, &m.bytes)
		}
		m.fillLengths()
	}
}

// fillLengths makes the table of the lengths of byte-level pieces.
func (m *Model) fillLengths() {
	m.lengths = make([]int32, m.config.Vocabulary.Size())
	var text []byte
	for id := range m.lengths {
		text = AppendUnwritten(text[:0], m.config.Vocabulary.Piece(int32(id)))
		m.lengths[id] = int32(len(text))
	}
}

// AppendIDs appends the ids of one piece to dst. It allocates nothing but dst's
// growth.
func (m *Model) AppendIDs(dst []int32, piece []byte) []int32 {
	if len(piece) > math.MaxInt32 {
		panic("bpe: Model: AppendIDs: the piece has more than 2^31 bytes")
	}
	ends := [1]int32{int32(len(piece))}
	return m.AppendChunk(dst, piece, ends[:])
}

// AppendTokens appends the ids of one piece, and where in the piece, in bytes, the
// text of each id ends. As in the original, characters that were left out are not
// counted, so that what stands behind them moves to the front; ends never go beyond
// the piece.
func (m *Model) AppendTokens(ids []int32, ends []int, piece []byte) ([]int32, []int) {
	if m.allBytes {
		first, end := len(ids), 0
		ids = m.AppendIDs(ids, piece)
		for _, id := range ids[first:] {
			end = min(end+int(m.lengths[id]), len(piece))
			ends = append(ends, end)
		}
		return ids, ends
	}
	if id, ok := m.whole(piece); ok {
		return append(ids, id), append(ends, len(piece))
	}
	s := m.scratch.Get().(*scratch)
	s.spell(m, piece)
	s.merge(m)
	end := 0
	for i := s.first(); i >= 0; i = s.parts[i].next {
		end = min(end+int(s.parts[i].size), len(piece))
		ids, ends = append(ids, s.parts[i].id), append(ends, end)
	}
	m.scratch.Put(s)
	return ids, ends
}

// whole returns the id of a piece that needs no merging.
func (m *Model) whole(piece []byte) (id int32, ok bool) {
	if !m.config.IgnoreMerges || len(piece) == 0 {
		return 0, false
	}
	if !m.config.ByteLevel {
		return m.config.Vocabulary.ID(piece)
	}
	if len(piece) > m.config.Vocabulary.longest {
		return 0, false
	}
	var room [256]byte
	return m.config.Vocabulary.ID(AppendWritten(room[:0], piece))
}

// appendPiece appends the ids of a piece without a look into the cache.
func (m *Model) appendPiece(dst []int32, piece []byte) []int32 {
	if id, ok := m.whole(piece); ok {
		return append(dst, id)
	}
	if m.allBytes && len(piece) <= shortPiece {
		return m.appendShort(dst, piece)
	}
	s := m.scratch.Get().(*scratch)
	s.spell(m, piece)
	s.merge(m)
	for i := s.first(); i >= 0; i = s.parts[i].next {
		dst = append(dst, s.parts[i].id)
	}
	m.scratch.Put(s)
	return dst
}
