// Package unigram is the unigram language model of SentencePiece: the pieces of a
// text are those whose scores, logarithms of probabilities, have the largest sum
// (Kudo, "Subword Regularization", 2018).
//
// tokenizer and tokenizer/sentencepiece call it. A Model is safe for concurrent use
// and allocates nothing but what it appends to, once its scratch is warm. Ids are a
// function of the text alone, never of what was encoded before: they equal those
// of SentencePiece 0.2.3, whose sums are float32, or of Hugging Face's tokenizers
// 0.23.3, whose sums are float64 (Config.Rules). It obeys no switches.
package unigram

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"unicode/utf8"

	"github.com/aries-serpent/codexml/tokenizer/internal/parts"
	"github.com/aries-serpent/codexml/tokenizer/internal/trie"
)

// Rules are whose arithmetic and details are followed.
type Rules uint8

const (
	// HuggingFace sums in float64.
	HuggingFace Rules = iota
	// SentencePiece sums in float32, which are brought back to 0 when they pass
	// 100,000, and prefers user-defined pieces to all others.
	SentencePiece
)

// Kind is what a piece is for.
type Kind uint8

const (
	// Normal pieces are found in text.
	Normal Kind = iota
	// UserDefined pieces are found in text, under the SentencePiece rules before all
	// normal ones.
	UserDefined
	// Reserved pieces have ids but are not found in text.
	Reserved
)

// Piece is an entry of the vocabulary; its id is its place.
type Piece struct {
	Text  string
	Score float64
	Kind  Kind
}

// Config says what a Model is made of.
type Config struct {
	Rules  Rules
	Pieces []Piece
	// Unknown is the id for characters that no piece has, -1 if there is none, which
	// only ByteFallback makes possible.
	Unknown int32
	// ByteFallback spells unknown characters by the pieces <0x00> to <0xFF>.
	ByteFallback bool
	// FuseUnknown makes one of unknown characters that follow one another.
	FuseUnknown bool
	// MinScore is 10 above the score of an unknown character; NaN for the lowest score
	// of the pieces (of those that are Normal, under the SentencePiece rules).
	MinScore float64
}

// unknownPenalty is how much less likely than the least likely piece an unknown
// character is, in both originals.
const unknownPenalty = 10

// Model encodes text. Nothing in it changes after New but the scratch, which looks
// after itself.
type Model struct {
	rules    Rules
	trie     *trie.Trie
	spelling parts.Spelling
	scores   []float64
	scores32 []float32 // the same, under the SentencePiece rules
	unknown  float64   // score of an unknown character
	joins    parts.Joins
	scratch  sync.Pool // of *scratch
}

// New makes a model.
func New(c Config) (*Model, error) {
	m := &Model{rules: c.Rules, scores: make([]float64, len(c.Pieces))}
	if err := c.validate(); err != nil {
		return nil, err
	}
	last := make(map[string]int32, len(c.Pieces)) // of equal pieces Hugging Face's last one counts
	for i, p := range c.Pieces {
		if p.Kind != Reserved {
			last[p.Text] = int32(i)
		}
	}
	m.spelling = parts.Spelling{Unknown: c.Unknown, ByteFallback: c.ByteFallback, Fuse: c.FuseUnknown, Bytes: findBytes(c.Pieces)}
	if c.Rules == HuggingFace {
		m.spelling.Names = last
	}
	keys := make([]trie.Key, 0, len(c.Pieces))
	for i, p := range c.Pieces {
		m.scores[i] = p.Score
		if c.Rules == SentencePiece && p.Kind == UserDefined {
			m.scores[i] = float64(float32(0.1 * float64(len(p.Text)-1)))
		}
		if p.Kind != Reserved && p.Text != "" && (c.Rules == SentencePiece || last[p.Text] == int32(i)) {
			keys = append(keys, trie.Key{Text: p.Text, Value: int32(i)})
			m.joins.Add(p.Text)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("no piece of the vocabulary is found in text: nothing could be encoded")
	}
	m.trie = trie.New(keys)
	m.setUnknown(c)
	m.scratch.New = func() any { return new(scratch) }
	return m, nil
}

func (c *Config) validate() error {
	if c.Unknown < -1 || int(c.Unknown) >= len(c.Pieces) {
		return fmt.Errorf("the unknown piece is %d, of a vocabulary of %d pieces", c.Unknown, len(c.Pieces))
	}
	if c.Unknown < 0 && !c.ByteFallback {
		return errors.New("there is no unknown piece (unk_id) and no byte fallback: not every text could be encoded")
	}
	for i, p := range c.Pieces {
		switch {
		case math.IsNaN(p.Score) || math.IsInf(p.Score, 0):
			return fmt.Errorf("piece %d, %q, has score %v, want a finite number", i, p.Text, p.Score)
		case !utf8.ValidString(p.Text):
			return fmt.Errorf("piece %d, %q, is not UTF-8", i, p.Text)
		case c.Rules == SentencePiece && float64(float32(p.Score)) != p.Score:
			return fmt.Errorf("piece %d, %q, has score %v, which is no float32", i, p.Text, p.Score)
		}
	}
	return nil
}

// findBytes finds the pieces of bytes, -1 for those that there are not.
func findBytes(pieces []Piece) (ids [256]int32) {
	for b := range ids {
		ids[b] = -1
	}
	for i, p := range pieces {
		if b, ok := parts.ByteOf(p.Text); ok {
			ids[b] = int32(i)
		}
	}
	return ids
}

// setUnknown finds the score of an unknown character.
func (m *Model) setUnknown(c Config) {
	low := c.MinScore
	if math.IsNaN(low) {
		low = math.MaxFloat32
		for _, p := range c.Pieces {
			if m.rules == HuggingFace || p.Kind == Normal {
				low = min(low, p.Score)
			}
		}
	}
	m.unknown = low - unknownPenalty
	if m.rules == SentencePiece {
		m.unknown = float64(float32(low) - unknownPenalty)
		m.scores32 = make([]float32, len(m.scores))
		for i, s := range m.scores {
			m.scores32[i] = float32(s)
		}
	}
}

// Score is the logarithm of the probability of the piece with this id.
func (m *Model) Score(id int32) float64 { return m.scores[id] }
