// Package normalize rewrites text before a tokenizer cuts it: the normalisers of
// Hugging Face's tokenizers and the one of SentencePiece, with the results of the
// originals for every text and with where each byte came from.
//
// tokenizer and its models call it. Every Normalizer is safe for concurrent use
// and is a pure function of the text: it obeys no switches. The originals bind
// Unicode versions of their own (normal forms are those of Unicode 9.0); the
// tables here are theirs, not those of the Go release. The originals take valid
// UTF-8 only; here a byte that is no part of a character is a character of its
// own, which the Hugging Face normalisers leave as it is and SentencePiece
// replaces by U+FFFD.
package normalize

import "unicode/utf8"

// Span is a stretch of the original text, in bytes.
type Span struct{ Start, End int32 }

// Normalizer rewrites text. Both methods give the same text.
type Normalizer interface {
	// Append appends the normalised src to dst. src must not overlap what lies
	// beyond dst's length, unless it lies within dst itself.
	Append(dst, src []byte) []byte
	// Align rewrites a.Text, and a.Spans with it.
	Align(a *Aligned)
}

// Aligned is a text on its way through normalisers: one span for each byte of
// Text. All bytes of a character have the same span. As in the original, a
// character that a normaliser adds has the span of the one before it, and at the
// very beginning of the text an empty span; what is removed leaves a gap.
type Aligned struct {
	Text  []byte
	Spans []Span

	base int32 // where the original begins

	// The text as it was, while it is rewritten, and the storage of the last turn.
	oldText  []byte
	oldSpans []Span
	at       int // bytes of oldText that are used up
}

// Reset makes a the text src, which begins at offset base of the original. It
// copies src and uses a's storage again.
func (a *Aligned) Reset(src []byte, base int) {
	a.base = int32(base)
	a.Text = append(a.Text[:0], src...)
	a.Spans = a.Spans[:0]
	for i := 0; i < len(src); {
		n := charLen(src[i:])
		span := Span{int32(base + i), int32(base + i + n)}
		for range n {
			a.Spans = append(a.Spans, span)
		}
		i += n
	}
}

// begin starts a rewriting: keep, put and drop then go through the old text.
func (a *Aligned) begin() {
	a.Text, a.oldText = a.oldText[:0], a.Text
	a.Spans, a.oldSpans = a.oldSpans[:0], a.Spans
	a.at = 0
}

// keep copies n bytes, whole characters.
func (a *Aligned) keep(n int) {
	a.Text = append(a.Text, a.oldText[a.at:a.at+n]...)
	a.Spans = append(a.Spans, a.oldSpans[a.at:a.at+n]...)
	a.at += n
}

// drop removes n characters.
func (a *Aligned) drop(n int) {
	for ; n > 0 && a.at < len(a.oldText); n-- {
		a.at += charLen(a.oldText[a.at:])
	}
}

// put writes a character. change is the original's account of it: 1 stands for a
// character that is added, 0 for one that takes the place of the next one, and -n
// for one that takes the place of the next 1+n.
func (a *Aligned) put(char []byte, change int) {
	span := Span{a.base, a.base}
	switch {
	case change > 0 && a.at > 0:
		span = a.oldSpans[a.at-1]
	case change <= 0 && a.at < len(a.oldSpans):
		span = a.oldSpans[a.at]
	}
	a.Text = append(a.Text, char...)
	for range char {
		a.Spans = append(a.Spans, span)
	}
	if change <= 0 {
		a.drop(1 - change)
	}
}

// putRune is put of a rune, or of a byte that is no character, as decode gives it.
func (a *Aligned) putRune(r rune, change int) {
	var buf [utf8.UTFMax]byte
	a.put(appendRune(buf[:0], r), change)
}

// decode is utf8.DecodeRune, except that a byte b that begins no character is the
// rune -1-b.
func decode(text []byte) (rune, int) {
	r, n := utf8.DecodeRune(text)
	if r == utf8.RuneError && n == 1 {
		return -1 - rune(text[0]), 1
	}
	return r, n
}

// appendRune appends what decode has read.
func appendRune(dst []byte, r rune) []byte {
	if r < 0 {
		return append(dst, byte(-1-r))
	}
	return utf8.AppendRune(dst, r)
}

func charLen(text []byte) int {
	if text[0] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRune(text)
	return n
}

// Sequence applies normalisers one after another.
type Sequence []Normalizer

// Append implements Normalizer.
func (s Sequence) Append(dst, src []byte) []byte {
	if len(s) == 0 {
		return append(dst, src...)
	}
	base := len(dst)
	dst = s[0].Append(dst, src)
	for _, n := range s[1:] {
		// The next text is made behind the last one, then moved to its place.
		end := len(dst)
		dst = n.Append(dst, dst[base:end])
		dst = dst[:base+copy(dst[base:], dst[end:])]
	}
	return dst
}

// Align implements Normalizer.
func (s Sequence) Align(a *Aligned) {
	for _, n := range s {
		n.Align(a)
	}
}
