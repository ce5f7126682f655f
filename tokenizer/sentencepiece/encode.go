package sentencepiece

import format "github.com/aries-serpent/codexml/format/sentencepiece"

// Span is a part of a text, in bytes.
type Span struct{ Start, End int }

// Encode appends the ids of text to dst. It adds no special tokens, and control
// pieces in text are text. In the steady state it allocates nothing but dst's growth.
func (t *Tokenizer) Encode(dst []int32, text []byte) []int32 {
	b := t.scratch.Get().(*buffers)
	b.text = t.normalizer.Append(b.text[:0], text)
	dst = t.encoder.AppendIDs(dst, b.text)
	t.release(b)
	return dst
}

// EncodeSpans is Encode that also appends, for each id, the part of text that it
// stands for, as the original's begin and end: of the bytes that spell a character
// all but the last have no length.
func (t *Tokenizer) EncodeSpans(ids []int32, spans []Span, text []byte) ([]int32, []Span) {
	b := t.scratch.Get().(*buffers)
	b.text, b.offsets = t.normalizer.AppendOffsets(b.text[:0], b.offsets[:0], text)
	ids, b.ends = t.encoder.AppendTokens(ids, b.ends[:0], b.text)
	start := 0
	for i, end := range b.ends {
		from, to := int(b.offsets[start]), int(b.offsets[end])
		if i+1 < len(b.ends) && b.ends[i+1] == end {
			spans = append(spans, Span{from, from})
			continue
		}
		spans = append(spans, Span{from, to})
		start = end
	}
	t.release(b)
	return ids, spans
}

// Normalize appends the text that is cut into pieces.
func (t *Tokenizer) Normalize(dst, text []byte) []byte { return t.normalizer.Append(dst, text) }

// isText says whether a type is that of pieces with a text of their own.
func isText(typ format.Type) bool {
	return typ == format.Normal || typ == format.UserDefined || typ == format.Unused
}
