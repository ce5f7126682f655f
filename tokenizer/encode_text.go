package tokenizer

import (
	"unicode/utf8"

	"github.com/aries-serpent/codexml/tokenizer/normalize"
	"github.com/aries-serpent/codexml/tokenizer/pretokenize"
)

// EncodeOptions say how a text is encoded. The zero value finds all special tokens in
// the text and adds none.
type EncodeOptions struct {
	// AddSpecial adds the tokens that the file's post-processor puts around a text.
	AddSpecial bool
	// Allowed says which special tokens are found in text.
	Allowed AllowedSpecials
	// Pair, if not nil, is the second text of a pair.
	Pair []byte
	// Truncation and Padding, if not nil, stand in the place of those of the file,
	// which Whole leaves out too.
	Truncation *Truncation
	Padding    *Padding
	Whole      bool
}

func (p *Pipeline) truncationFor(o *EncodeOptions) *Truncation {
	if o.Truncation == nil && !o.Whole {
		return p.truncation
	}
	return o.Truncation
}

func (p *Pipeline) paddingFor(o *EncodeOptions) *Padding {
	if o.Padding == nil && !o.Whole {
		return p.padding
	}
	return o.Padding
}

// EncodeText encodes a text as the original does, with all that is known of each id.
// A truncation that cannot be done is an error.
func (p *Pipeline) EncodeText(text []byte, o EncodeOptions) (*Encoding, error) {
	first := p.encodeOne(text, 0, o.Allowed)
	var second *Encoding
	all := []*Encoding{first}
	if o.Pair != nil {
		second = p.encodeOne(o.Pair, 1, o.Allowed)
		all = append(all, second)
	}
	if t := p.truncationFor(&o); t != nil {
		added := 0
		if o.AddSpecial && p.post != nil {
			added = p.post.added(second != nil)
		}
		if err := truncatePair(first, second, *t, added); err != nil {
			return nil, err
		}
	}
	out := p.assemble(all, o.AddSpecial)
	if pad := p.paddingFor(&o); pad != nil {
		pad.pad([]*Encoding{out})
	}
	return out, nil
}

// assemble makes one encoding of a text and its pair.
func (p *Pipeline) assemble(all []*Encoding, addSpecial bool) *Encoding {
	for i, e := range all {
		e.setSequence(int32(i))
		if p.post == nil {
			continue
		}
		for j := range e.TypeIDs {
			e.TypeIDs[j] = int32(i)
		}
	}
	if p.post != nil {
		all = p.post.process(all, addSpecial)
	}
	out := &Encoding{}
	if len(all) > 0 {
		out = all[0]
		for _, e := range all[1:] {
			out.merge(e)
		}
	}
	return out
}

// encodeOne encodes a text, before anything is cut or added.
func (p *Pipeline) encodeOne(text []byte, typeID int32, allowed AllowedSpecials) *Encoding {
	b := p.buffers.Get().(*buffers)
	defer p.buffers.Put(b)
	p.align(b, text, allowed)
	e := &Encoding{}
	chars := newCharOffsets(text)
	for word, piece := range b.text.Pieces {
		p.encodePiece(e, b, piece, chars)
		for len(e.WordIDs) < len(e.IDs) {
			e.WordIDs = append(e.WordIDs, int32(word))
		}
	}
	n := len(e.IDs)
	e.TypeIDs, e.SequenceIDs = filled(n, typeID), filled(n, typeID)
	e.SpecialMask, e.AttentionMask = filled(n, 0), filled(n, 1)
	return e
}

func filled(n int, value int32) []int32 {
	s := make([]int32, n)
	for i := range s {
		s[i] = value
	}
	return s
}

// encodePiece appends the ids of one piece.
func (p *Pipeline) encodePiece(e *Encoding, b *buffers, piece pretokenize.Piece, chars charOffsets) {
	text := b.text.Bytes[piece.Start:piece.End:piece.End]
	spans := b.text.Spans[piece.Start:piece.End]
	if piece.Added != pretokenize.None {
		b.ids, b.tokens = append(b.ids[:0], piece.Added), append(b.tokens[:0], len(text))
	} else {
		b.ids, b.tokens = p.model.AppendTokens(b.ids[:0], b.tokens[:0], text)
	}
	start, last := 0, 0
	for i, id := range b.ids {
		end := b.tokens[i]
		if i > 0 && end == last && p.surface {
			// Bytes of one character all stand for the whole of it.
		} else {
			start = last
		}
		last = end
		token := ""
		switch {
		case piece.Added != pretokenize.None || p.surface && !p.isByte(id):
			token = string(text[start:end])
		default:
			token = p.Piece(id)
		}
		span := originalSpan(spans, start, end)
		e.IDs, e.Tokens = append(e.IDs, id), append(e.Tokens, token)
		e.Offsets, e.CharOffsets = append(e.Offsets, span), append(e.CharOffsets, chars.of(span))
	}
}

// isByte says whether a piece stands for a byte, like <0x41>.
func (p *Pipeline) isByte(id int32) bool {
	_, ok := fallbackByte(p.piece(id))
	return ok
}

// originalSpan is where spans[start:end] come from.
func originalSpan(spans []normalize.Span, start, end int) Span {
	if start >= end {
		at := 0
		if len(spans) > 0 {
			at = int(spans[0].Start)
		}
		return Span{at + start, at + end}
	}
	return Span{int(spans[start].Start), int(spans[end-1].End)}
}

// charOffsets turns offsets in bytes into those in characters. It is nil where they
// are the same.
type charOffsets []int32

func newCharOffsets(text []byte) charOffsets {
	ascii := true
	for _, c := range text {
		if c >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return nil
	}
	chars := make(charOffsets, 0, len(text))
	for i, n := 0, int32(0); i < len(text); n++ {
		size := charSize(text, i)
		for range size {
			chars = append(chars, n)
		}
		i += size
	}
	return chars
}

// of translates a span. As in the original, one that begins at the end of the text
// stays in bytes.
func (c charOffsets) of(s Span) Span {
	if c == nil || s.Start >= len(c) {
		return s
	}
	start := int(c[s.Start])
	if s.End < len(c) {
		return Span{start, int(c[s.End])}
	}
	end := start + 1
	if s.End-1 < len(c) {
		end = int(c[s.End-1])
	}
	return Span{start, end + 1}
}
