package tokenizer

import (
	"github.com/aries-serpent/codexml/tokenizer/normalize"
	"github.com/aries-serpent/codexml/tokenizer/pretokenize"
)

// Encode appends the ids of text to dst: added tokens that are not special are found,
// special ones are text like any other. See Tokenizer.
func (p *Pipeline) Encode(dst []int32, text []byte) []int32 {
	return p.AppendIDs(dst, text, NoSpecials())
}

// AppendIDs appends the ids of text to dst, without those that a post-processor adds,
// truncation and padding. It allocates nothing but dst's growth.
func (p *Pipeline) AppendIDs(dst []int32, text []byte, allowed AllowedSpecials) []int32 {
	b := p.buffers.Get().(*buffers)
	if p.needsSpans {
		p.align(b, text, allowed)
		dst = p.appendPieces(dst, &b.text)
	} else {
		b.sections = p.verbatim.sections(b.sections[:0], text, allowed)
		for _, s := range b.sections {
			if s.added != nil {
				dst = append(dst, s.added.ID)
				continue
			}
			dst = p.appendSection(dst, b, text[s.start:s.end:s.end], s.start == 0, allowed)
		}
	}
	p.buffers.Put(b)
	return dst
}

// appendSection appends the ids of text between added tokens.
func (p *Pipeline) appendSection(dst []int32, b *buffers, text []byte, atStart bool, allowed AllowedSpecials) []int32 {
	if p.norm != nil {
		b.norm = p.norm.Append(b.norm[:0], text)
		text = b.norm
	}
	b.inner = p.normalized.sections(b.inner[:0], text, allowed)
	for _, s := range b.inner {
		part := text[s.start:s.end:s.end]
		switch {
		case s.added != nil:
			dst = append(dst, s.added.ID)
			continue
		case p.cutter == nil:
			dst = p.model.AppendIDs(dst, part)
			continue
		case p.covering != nil:
			var ok bool
			if b.ends, ok = p.covering.Ends(b.ends[:0], part); ok {
				dst = p.appendCut(dst, part, b.ends)
				continue
			}
		}
		t := &b.text
		t.Bytes = append(t.Bytes[:0], part...)
		t.Aligned, t.FromStart = false, atStart && s.start == 0
		t.Pieces = append(t.Pieces[:0], pretokenize.Piece{End: int32(len(t.Bytes)), Added: pretokenize.None})
		p.cutter.Split(t)
		dst = p.appendPieces(dst, t)
	}
	return dst
}

// appendCut appends the ids of pieces that follow one another.
func (p *Pipeline) appendCut(dst []int32, text []byte, ends []int32) []int32 {
	if p.chunks != nil {
		return p.chunks.AppendChunk(dst, text, ends)
	}
	start := int32(0)
	for _, end := range ends {
		dst = p.model.AppendIDs(dst, text[start:end:end])
		start = end
	}
	return dst
}

// appendPieces appends the ids of pieces.
func (p *Pipeline) appendPieces(dst []int32, t *pretokenize.Text) []int32 {
	for _, piece := range t.Pieces {
		if piece.Added != pretokenize.None {
			dst = append(dst, piece.Added)
			continue
		}
		dst = p.model.AppendIDs(dst, t.Bytes[piece.Start:piece.End:piece.End])
	}
	return dst
}

// align cuts text into pieces that know where they come from, in b.text.
func (p *Pipeline) align(b *buffers, text []byte, allowed AllowedSpecials) {
	t := &b.text
	t.Bytes, t.Spans, t.Pieces, t.Aligned = t.Bytes[:0], t.Spans[:0], t.Pieces[:0], true
	add := func(part []byte, spans []normalize.Span, added *AddedToken) {
		id := pretokenize.None
		if added != nil {
			id = added.ID
		}
		start := int32(len(t.Bytes))
		t.Bytes, t.Spans = append(t.Bytes, part...), append(t.Spans, spans...)
		t.Pieces = append(t.Pieces, pretokenize.Piece{Start: start, End: int32(len(t.Bytes)), Added: id})
	}
	b.sections = p.verbatim.sections(b.sections[:0], text, allowed)
	for _, s := range b.sections {
		a := &b.aligned
		a.Reset(text[s.start:s.end], s.start)
		if s.added != nil {
			add(a.Text, a.Spans, s.added)
			continue
		}
		if p.norm != nil {
			p.norm.Align(a)
		}
		b.inner = p.normalized.sections(b.inner[:0], a.Text, allowed)
		for _, s := range b.inner {
			add(a.Text[s.start:s.end], a.Spans[s.start:s.end], s.added)
		}
	}
	if p.cutter != nil {
		p.cutter.Split(t)
	}
}
