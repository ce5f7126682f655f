package sentencepiece

import (
	"strings"
	"unicode/utf8"

	format "github.com/aries-serpent/codexml/format/sentencepiece"
	"github.com/aries-serpent/codexml/tokenizer/internal/parts"
)

// Decode appends the text of ids to dst: U+2581 is a space, one at the beginning is
// left out if the model puts one there, control pieces have no text, bytes that are
// no UTF-8 become U+FFFD. Ids outside the vocabulary have no text.
func (t *Tokenizer) Decode(dst []byte, ids []int32) []byte {
	if t.denormalizer == nil {
		return t.decode(dst, ids)
	}
	b := t.scratch.Get().(*buffers)
	b.text = t.decode(b.text[:0], ids)
	dst = t.denormalizer.Append(dst, b.text)
	t.release(b)
	return dst
}

func (t *Tokenizer) decode(dst []byte, ids []int32) []byte {
	base := len(dst)
	bytesFrom := base // what is behind it was written byte by byte
	spec := &t.model.Normalizer
	strips := spec.AddDummyPrefix || spec.RemoveExtraWhitespaces
	atStart := true
	for _, id := range ids {
		if id < 0 || int(id) >= len(t.pieces.types) {
			continue
		}
		typ, text := t.pieces.types[id], t.model.Pieces[id].Text
		if typ == format.Byte {
			c, _ := parts.ByteOf(text)
			dst = append(dst, c)
			continue
		}
		dst = mend(dst, bytesFrom)
		if len(dst) > base {
			atStart = false
		}
		stripped := false
		switch {
		case typ == format.Unknown:
			stripped = atStart && strips && strings.HasPrefix(text, space)
			dst = append(dst, t.model.Trainer.UnkSurface...)
		case isText(typ):
			if atStart && strips {
				text, stripped = strings.CutPrefix(text, space)
			}
			dst = appendUnescaped(dst, text)
		}
		if typ != format.Control && (stripped && !spec.RemoveExtraWhitespaces || len(dst) > base) {
			atStart = false
		}
		bytesFrom = len(dst)
	}
	return mend(dst, bytesFrom)
}

// appendUnescaped appends text with spaces for U+2581.
func appendUnescaped(dst []byte, text string) []byte {
	for {
		before, after, found := strings.Cut(text, space)
		dst = append(dst, before...)
		if !found {
			return dst
		}
		dst = append(dst, ' ')
		text = after
	}
}

// mend writes U+FFFD for what is no UTF-8 in dst[from:].
func mend(dst []byte, from int) []byte {
	if utf8.Valid(dst[from:]) {
		return dst
	}
	bad := append([]byte(nil), dst[from:]...)
	dst = dst[:from]
	for len(bad) > 0 {
		r, n := utf8.DecodeRune(bad)
		dst = utf8.AppendRune(dst, r)
		bad = bad[n:]
	}
	return dst
}
