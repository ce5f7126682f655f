package sentencepiece

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	format "github.com/aries-serpent/codexml/format/sentencepiece"
	"github.com/aries-serpent/codexml/tokenizer/internal/parts"
	"github.com/aries-serpent/codexml/tokenizer/internal/trie"
)

// pieces is the vocabulary, checked as the original checks it.
type pieces struct {
	types    []format.Type
	found    map[string]int32 // pieces that are found in text
	reserved map[string]int32 // unknown, control and byte pieces
	spelling parts.Spelling
	unk      int32      // id of the unknown piece by its name
	symbols  *trie.Trie // user-defined pieces
}

// maxPiece is the longest piece, in bytes, that the original loads.
const maxPiece = 8000

func newPieces(m *format.Model) (pieces, error) {
	p := pieces{types: make([]format.Type, len(m.Pieces)), found: map[string]int32{}, reserved: map[string]int32{}}
	p.spelling = parts.Spelling{Unknown: -1, ByteFallback: m.Trainer.ByteFallback, Fuse: !m.Trainer.ByteFallback}
	for b := range p.spelling.Bytes {
		p.spelling.Bytes[b] = -1
	}
	var symbols []trie.Key
	for i, piece := range m.Pieces {
		typ := piece.Type
		if piece.Text == "\x00" && m.Trainer.ByteFallback {
			typ = format.Unused // converters write it although there is <0x00>
		}
		p.types[i] = typ
		if piece.Text == "\x00" && typ == format.Unused {
			continue
		}
		if err := p.add(int32(i), piece, typ, m.Trainer.ModelType); err != nil {
			return pieces{}, err
		}
		if typ == format.UserDefined {
			symbols = append(symbols, trie.Key{Text: piece.Text, Value: int32(i)})
		}
	}
	p.symbols = trie.New(symbols)
	if err := p.checkUnknown(); err != nil {
		return pieces{}, err
	}
	name := m.Trainer.UnkPiece
	if name == "" {
		name = "<unk>"
	}
	p.unk = p.spelling.Unknown
	if id, ok := p.id(name); ok && p.types[id] != format.Unknown {
		p.unk = -1
	}
	return p, nil
}

func (p *pieces) add(id int32, piece format.Piece, typ format.Type, model format.ModelType) error {
	switch {
	case len(piece.Text) >= maxPiece:
		return fmt.Errorf("piece %d has %d bytes, want less than %d", id, len(piece.Text), maxPiece)
	case strings.Contains(piece.Text, "\x00"):
		return fmt.Errorf("piece %d, %q, has a zero byte", id, piece.Text)
	case model == format.Unigram && (math.IsNaN(float64(piece.Score)) || math.IsInf(float64(piece.Score), 0)):
		return fmt.Errorf("piece %d, %q, has score %v, want a finite number", id, piece.Text, piece.Score)
	}
	found := typ == format.Normal || typ == format.UserDefined || typ == format.Unused
	at := p.found
	if !found {
		at = p.reserved
	}
	other, twice := at[piece.Text]
	if !twice && model == format.BPE { // where all are in one table
		if other, twice = p.found[piece.Text]; !twice {
			other, twice = p.reserved[piece.Text]
		}
	}
	if twice {
		return fmt.Errorf("piece %d, %q, is piece %d too", id, piece.Text, other)
	}
	at[piece.Text] = id
	switch typ {
	case format.Unknown:
		if p.spelling.Unknown >= 0 {
			return fmt.Errorf("pieces %d and %d are both of type UNKNOWN, want one", p.spelling.Unknown, id)
		}
		p.spelling.Unknown = id
	case format.Byte:
		b, ok := parts.ByteOf(piece.Text)
		if !ok || !p.spelling.ByteFallback {
			return fmt.Errorf("piece %d, %q, is of type BYTE: want byte_fallback to be set and a text from <0x00> to <0xFF>", id, piece.Text)
		}
		p.spelling.Bytes[b] = id
	}
	return nil
}

func (p *pieces) checkUnknown() error {
	if !p.spelling.ByteFallback {
		if p.spelling.Unknown < 0 {
			return errors.New("no piece is of type UNKNOWN, and byte_fallback is not set: not every text could be encoded")
		}
		return nil
	}
	for b, id := range p.spelling.Bytes {
		if id < 0 {
			return fmt.Errorf("byte_fallback is set, but there is no piece <0x%02X> of type BYTE", b)
		}
	}
	return nil
}

// id finds any piece.
func (p *pieces) id(piece string) (id int32, ok bool) {
	if id, ok = p.reserved[piece]; ok {
		return id, true
	}
	id, ok = p.found[piece]
	return id, ok
}

// output is the id that a piece found in text has in the output, -1 for none.
func (p *pieces) output(text []byte) int32 {
	id, ok := p.found[string(text)]
	if !ok || p.types[id] == format.Unused {
		return -1
	}
	return id
}

// prefix is the length of the first symbol of text: the longest user-defined piece
// that it begins with, or a character.
func (p *pieces) prefix(text []byte) (n int, userDefined bool) {
	if n, _ := p.symbols.Longest(text); n > 0 {
		return n, true
	}
	return min(parts.CharLen(text[0]), len(text)), false
}

func (p *pieces) userDefined(m *format.Model) []string {
	var texts []string
	for i, typ := range p.types {
		if typ == format.UserDefined {
			texts = append(texts, m.Pieces[i].Text)
		}
	}
	return texts
}

const space = "\u2581"

// lengths are how many bytes of text ids stand for.
func (p *pieces) lengths(m *format.Model) []int32 {
	lengths := make([]int32, len(p.types))
	for i, typ := range p.types {
		switch typ {
		case format.Byte:
			lengths[i] = 1
		case format.Unknown:
			lengths[i] = int32(len(m.Trainer.UnkSurface))
		case format.Normal, format.UserDefined:
			text := m.Pieces[i].Text
			lengths[i] = int32(len(text) - strings.Count(text, space)*(utf8.RuneLen('\u2581')-1))
		}
	}
	return lengths
}
