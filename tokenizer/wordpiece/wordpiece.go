// Package wordpiece has the models that look words up: WordPiece, which takes the
// longest piece again and again, and WordLevel, for which a word is one piece. Ids
// are those of Hugging Face's tokenizers 0.23.
//
// Package tokenizer calls it. The models are safe for concurrent use, allocate
// nothing but what they append to, and obey no switches: ids are a function of the
// word alone.
package wordpiece

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/aries-serpent/codexml/tokenizer/bpe"
	"github.com/aries-serpent/codexml/tokenizer/internal/trie"
)

// Config says what a WordPiece model is made of.
type Config struct {
	// Vocabulary holds the pieces. It must not change afterwards.
	Vocabulary *bpe.Vocabulary
	// Unknown is the id of a word that pieces of the vocabulary do not make.
	Unknown int32
	// Prefix is how pieces begin that do not begin a word, "##" in BERT's.
	Prefix string
	// MaxChars is how many characters a word may have before it is unknown.
	MaxChars int
}

// Model is a WordPiece model.
type Model struct {
	config Config
	begin  *trie.Trie // pieces that begin a word
	middle *trie.Trie // the others, without their prefix
}

// New makes a model. An unknown id outside the vocabulary is an error.
func New(c Config) (*Model, error) {
	if err := checkUnknown(c.Vocabulary, c.Unknown); err != nil {
		return nil, err
	}
	if c.MaxChars < 0 {
		return nil, fmt.Errorf("words may have %d characters, want 0 or more", c.MaxChars)
	}
	var begin, middle []trie.Key
	for id := range int32(c.Vocabulary.Size()) {
		text := string(c.Vocabulary.Piece(id))
		if text == "" {
			continue
		}
		begin = append(begin, trie.Key{Text: text, Value: id})
		if rest, ok := strings.CutPrefix(text, c.Prefix); ok && rest != "" {
			middle = append(middle, trie.Key{Text: rest, Value: id})
		}
	}
	return &Model{config: c, begin: trie.New(begin), middle: trie.New(middle)}, nil
}

func checkUnknown(v *bpe.Vocabulary, unknown int32) error {
	switch {
	case v == nil:
		return errors.New("the model needs a vocabulary")
	case unknown < 0 || int(unknown) >= v.Size():
		return fmt.Errorf("the unknown id is %d, want one of the %d of the vocabulary", unknown, v.Size())
	}
	return nil
}

// Config returns what the model was made of; its parts must not be changed.
func (m *Model) Config() Config { return m.config }

// AppendIDs appends the ids of one word to dst.
func (m *Model) AppendIDs(dst []int32, word []byte) []int32 {
	dst, _ = m.append(dst, nil, word, false)
	return dst
}

// AppendTokens appends the ids of one word, and where in it, in bytes, the text of
// each id ends.
func (m *Model) AppendTokens(ids []int32, ends []int, word []byte) ([]int32, []int) {
	return m.append(ids, ends, word, true)
}

func (m *Model) append(ids []int32, ends []int, word []byte, wantEnds bool) ([]int32, []int) {
	numIDs, numEnds := len(ids), len(ends)
	pieces := m.begin
	for at := 0; at < len(word); pieces = m.middle {
		n, id := pieces.Longest(word[at:])
		if n == 0 || at == 0 && len(word) > m.config.MaxChars && utf8.RuneCount(word) > m.config.MaxChars {
			ids, ends = append(ids[:numIDs], m.config.Unknown), ends[:numEnds]
			if wantEnds {
				ends = append(ends, len(word))
			}
			return ids, ends
		}
		at += n
		ids = append(ids, id)
		if wantEnds {
			ends = append(ends, at)
		}
	}
	return ids, ends
}

// WordLevel is a model for which a word is one piece.
type WordLevel struct {
	vocab   *bpe.Vocabulary
	unknown int32
}

// NewWordLevel makes a model of a vocabulary, which must not change afterwards, and
// the id of words that are not in it.
func NewWordLevel(v *bpe.Vocabulary, unknown int32) (*WordLevel, error) {
	if err := checkUnknown(v, unknown); err != nil {
		return nil, err
	}
	return &WordLevel{v, unknown}, nil
}

// AppendIDs appends the id of one word to dst.
func (m *WordLevel) AppendIDs(dst []int32, word []byte) []int32 {
	if len(word) == 0 {
		return dst
	}
	id, ok := m.vocab.ID(word)
	if !ok {
		id = m.unknown
	}
	return append(dst, id)
}

// AppendTokens appends the id of one word and its length.
func (m *WordLevel) AppendTokens(ids []int32, ends []int, word []byte) ([]int32, []int) {
	if len(word) == 0 {
		return ids, ends
	}
	return m.AppendIDs(ids, word), append(ends, len(word))
}
