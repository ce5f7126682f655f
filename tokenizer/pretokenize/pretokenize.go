// Package pretokenize cuts text into the pieces that a tokenizer's model then
// encodes: the pre-tokenizers of Hugging Face's tokenizers 0.23, with the cuts of
// the original for every text.
//
// Package tokenizer calls it. A PreTokenizer is safe for concurrent use and a
// function of the text alone; it obeys no switches. How characters are classed comes
// from the original (characters.txt), not from the Go release. The original knows
// only text: here a byte that is no part of a character is a character of its own
// which belongs to no class.
package pretokenize

import (
	"unicode/utf8"

	"github.com/aries-serpent/codexml/tokenizer/normalize"
)

// Piece is a stretch of the text.
type Piece struct {
	Start, End int32
	// Added is the id of the added token that the piece is, or None: added tokens are
	// not cut further.
	Added int32
}

// None stands for no added token.
const None int32 = -1

// Text is a text on its way through pre-tokenizers. It belongs to one goroutine and
// keeps its storage when it is used again.
type Text struct {
	Bytes []byte
	// Spans has, for each byte, the stretch of the original that it comes from. It is
	// not filled in, and left alone, unless Aligned.
	Spans   []normalize.Span
	Aligned bool
	// FromStart says that the first piece begins where the original does; asked only
	// if not Aligned, where nobody else knows.
	FromStart bool
	// Pieces are in order and do not overlap, and none is empty.
	Pieces []Piece

	// The storage of the last step.
	oldBytes  []byte
	oldSpans  []normalize.Span
	oldPieces []Piece
	ends      []int32
}

// PreTokenizer cuts the pieces of a text further. Some rewrite them too.
type PreTokenizer interface {
	Split(t *Text)
}

// Sequence applies pre-tokenizers one after another.
type Sequence []PreTokenizer

// Split implements PreTokenizer.
func (s Sequence) Split(t *Text) {
	for _, p := range s {
		p.Split(t)
	}
}

// begin starts a step: the old pieces are returned and the new ones are none yet.
func (t *Text) begin() []Piece {
	t.Pieces, t.oldPieces = t.oldPieces[:0], t.Pieces
	return t.oldPieces
}

// add appends a piece unless it is empty.
func (t *Text) add(start, end int) {
	if start < end {
		t.Pieces = append(t.Pieces, Piece{int32(start), int32(end), None})
	}
}

// eachPiece starts a step that only cuts: cut is given each piece that is not an
// added token and adds what becomes of it.
func (t *Text) eachPiece(cut func(start, end int)) {
	for _, p := range t.begin() {
		if p.Added != None {
			t.Pieces = append(t.Pieces, p)
			continue
		}
		cut(int(p.Start), int(p.End))
	}
}

// beginRewriting starts a step that also writes the text anew.
func (t *Text) beginRewriting() []Piece {
	t.Bytes, t.oldBytes = t.oldBytes[:0], t.Bytes
	if t.Aligned {
		t.Spans, t.oldSpans = t.oldSpans[:0], t.Spans
	}
	return t.begin()
}

// keep copies old text.
func (t *Text) keep(start, end int) {
	t.Bytes = append(t.Bytes, t.oldBytes[start:end]...)
	if t.Aligned {
		t.Spans = append(t.Spans, t.oldSpans[start:end]...)
	}
}

// put writes text that comes from where the old byte at came from.
func (t *Text) put(text string, at int) {
	t.Bytes = append(t.Bytes, text...)
	if t.Aligned {
		for range len(text) {
			t.Spans = append(t.Spans, t.oldSpans[at])
		}
	}
}

// keepPiece copies a piece as it is.
func (t *Text) keepPiece(p Piece) {
	start := int32(len(t.Bytes))
	t.keep(int(p.Start), int(p.End))
	t.Pieces = append(t.Pieces, Piece{start, int32(len(t.Bytes)), p.Added})
}

// char returns the character at text[i] and its length; a byte that is none is
// utf8.RuneError of length 1.
func char(text []byte, i int) (rune, int) {
	if c := text[i]; c < utf8.RuneSelf {
		return rune(c), 1
	}
	return utf8.DecodeRune(text[i:])
}
