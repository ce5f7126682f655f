package normalize

import (
	"slices"
	"unicode/utf8"
)

// edit says what happens to a character: it stays, goes, or becomes another one.
type edit func(class uint16, r rune) (to rune, keep bool)

// appendEdited appends src with every character edited.
func appendEdited(dst, src []byte, edit edit) []byte {
	class := characterTables().class
	for i := 0; i < len(src); {
		r, n := decode(src[i:])
		if to, keep := edit(class.get(r), r); !keep {
			// Nothing is written.
		} else if to == r {
			dst = append(dst, src[i:i+n]...)
		} else {
			dst = appendRune(dst, to)
		}
		i += n
	}
	return dst
}

// alignEdited is appendEdited with alignments.
func alignEdited(a *Aligned, edit edit) {
	class := characterTables().class
	a.begin()
	for a.at < len(a.oldText) {
		r, n := decode(a.oldText[a.at:])
		if to, keep := edit(class.get(r), r); !keep {
			a.drop(1)
		} else if to == r {
			a.keep(n)
		} else {
			a.putRune(to, 0)
		}
	}
}

// Lowercase makes every character lower case by itself: as in the original, a
// final sigma is not looked for.
type Lowercase struct{}

// dottedI is the only character whose lower case is two.
const dottedI = 0x130

// Append implements Normalizer.
func (Lowercase) Append(dst, src []byte) []byte {
	lower := characterTables().lower
	dst = slices.Grow(dst, len(src))
	for i := 0; i < len(src); {
		if b := src[i]; b < utf8.RuneSelf {
			if 'A' <= b && b <= 'Z' {
				b += 'a' - 'A'
			}
			dst = append(dst, b)
			i++
			continue
		}
		r, n := decode(src[i:])
		i += n
		dst = appendRune(dst, r+lower.get(r))
		if r == dottedI {
			dst = utf8.AppendRune(dst, 0x307)
		}
	}
	return dst
}

// Align implements Normalizer.
func (Lowercase) Align(a *Aligned) {
	lower := characterTables().lower
	a.begin()
	for a.at < len(a.oldText) {
		r, n := decode(a.oldText[a.at:])
		d := lower.get(r)
		if d == 0 {
			a.keep(n)
			continue
		}
		a.putRune(r+d, 0)
		if r == dottedI {
			a.putRune(0x307, 1)
		}
	}
}

// Strip removes white space at the ends of the text.
type Strip struct{ Left, Right bool }

// bounds returns where what remains of text begins and ends.
func (s Strip) bounds(text []byte) (lo, hi int) {
	class := characterTables().class
	hi = len(text)
	for s.Left && lo < hi {
		r, n := decode(text[lo:])
		if class.get(r)&classSpace == 0 {
			break
		}
		lo += n
	}
	for s.Right && hi > lo {
		r, n := utf8.DecodeLastRune(text[:hi])
		if class.get(r)&classSpace == 0 {
			break
		}
		hi -= n
	}
	return lo, hi
}

// Append implements Normalizer.
func (s Strip) Append(dst, src []byte) []byte {
	lo, hi := s.bounds(src)
	return append(dst, src[lo:hi]...)
}

// Align implements Normalizer.
func (s Strip) Align(a *Aligned) {
	lo, hi := s.bounds(a.Text)
	a.Text = append(a.Text[:0], a.Text[lo:hi]...)
	a.Spans = append(a.Spans[:0], a.Spans[lo:hi]...)
}

// StripAccents removes marks. It does not take characters apart: a normal form
// before it does.
type StripAccents struct{}

func stripMark(class uint16, r rune) (rune, bool) { return r, class&classMark == 0 }

// Append implements Normalizer.
func (StripAccents) Append(dst, src []byte) []byte { return appendEdited(dst, src, stripMark) }

// Align implements Normalizer.
func (StripAccents) Align(a *Aligned) { alignEdited(a, stripMark) }

// Nmt removes control characters and makes what looks like a space one, as machine
// translation does.
type Nmt struct{}

func nmt(_ uint16, r rune) (rune, bool) {
	switch {
	case 1 <= r && r <= 8, r == 0xB, 0xE <= r && r <= 0x1F, r == 0x7F, r == 0x8F, r == 0x9F:
		return r, false
	case r == 9, r == 0xA, r == 0xC, r == 0xD, r == 0x1680, 0x200B <= r && r <= 0x200F, r == 0x2028, r == 0x2029, r == 0x2581, r == 0xFEFF, r == utf8.RuneError:
		return ' ', true
	}
	return r, true
}

// Append implements Normalizer.
func (Nmt) Append(dst, src []byte) []byte { return appendEdited(dst, src, nmt) }

// Align implements Normalizer.
func (Nmt) Align(a *Aligned) { alignEdited(a, nmt) }

// Prepend puts its text before any that is not empty.
type Prepend string

// Append implements Normalizer.
func (p Prepend) Append(dst, src []byte) []byte {
	if len(src) > 0 {
		dst = append(dst, p...)
	}
	return append(dst, src...)
}

// Align implements Normalizer. The new characters and the first old one have the
// span of the latter.
func (p Prepend) Align(a *Aligned) {
	if len(a.Text) == 0 {
		return
	}
	a.begin()
	first := a.oldText[:charLen(a.oldText)]
	for i, r := range string(p) {
		a.putRune(r, min(i, 1))
	}
	a.put(first, 1)
	a.at = len(first)
	a.keep(len(a.oldText) - len(first))
}

// ByteLevel writes every byte as the character that GPT-2's vocabulary has for it.
type ByteLevel struct{}

// byteChars are the characters of the bytes: a printable one of Latin-1 is itself,
// the others follow U+00FF in order.
var byteChars = func() (chars [256][]byte) {
	next := rune(256)
	for b := range rune(256) {
		r := b
		if !(0x21 <= b && b <= 0x7E || 0xA1 <= b && b <= 0xAC || 0xAE <= b) {
			r, next = next, next+1
		}
		chars[b] = utf8.AppendRune(nil, r)
	}
	return chars
}()

// Append implements Normalizer.
func (ByteLevel) Append(dst, src []byte) []byte {
	dst = slices.Grow(dst, len(src))
	for _, b := range src {
		dst = append(dst, byteChars[b]...)
	}
	return dst
}

// Align implements Normalizer.
func (ByteLevel) Align(a *Aligned) {
	a.begin()
	for a.at < len(a.oldText) {
		for i, b := range a.oldText[a.at : a.at+charLen(a.oldText[a.at:])] {
			a.put(byteChars[b], min(i, 1))
		}
	}
}
