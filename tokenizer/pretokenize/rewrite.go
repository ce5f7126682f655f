package pretokenize

import (
	"bytes"
	"unicode/utf8"
)

// Prepend says before which pieces Metaspace writes its replacement.
type Prepend uint8

// The schemes, by the original's names.
const (
	Always Prepend = iota
	First          // only where the text begins
	Never
)

// Metaspace writes spaces as another character, SentencePiece's U+2581, and cuts
// before each.
type Metaspace struct {
	Replacement string // one character
	Prepend     Prepend
	Cut         bool
}

// NeedsSpans says whether the cuts depend on where pieces come from, which a text
// that is not Aligned only knows of its first.
func (m Metaspace) NeedsSpans() bool { return m.Prepend == First }

// Split implements PreTokenizer.
func (m Metaspace) Split(t *Text) {
	for i, p := range t.beginRewriting() {
		if p.Added != None {
			t.keepPiece(p)
			continue
		}
		start := len(t.Bytes)
		if m.prepends(t, i, p) {
			t.put(m.Replacement, int(p.Start))
		}
		m.write(t, int(p.Start), int(p.End))
		if m.Cut {
			m.cut(t, start)
		} else {
			t.add(start, len(t.Bytes))
		}
	}
}

// prepends says whether a piece gets a replacement before it.
func (m Metaspace) prepends(t *Text, i int, p Piece) bool {
	text := t.oldBytes[p.Start:p.End]
	if m.Prepend == Never || text[0] == ' ' || bytes.HasPrefix(text, []byte(m.Replacement)) {
		return false
	}
	switch {
	case m.Prepend == Always:
		return true
	case t.Aligned:
		return t.oldSpans[p.Start].Start == 0
	}
	return i == 0 && t.FromStart
}

// write copies old text with its spaces replaced.
func (m Metaspace) write(t *Text, start, end int) {
	for start < end {
		n := bytes.IndexByte(t.oldBytes[start:end], ' ')
		if n < 0 {
			n = end - start
		}
		t.keep(start, start+n)
		if start += n; start < end {
			t.put(m.Replacement, start)
			start++
		}
	}
}

// cut makes pieces of what was written since start: each replacement begins one.
func (m Metaspace) cut(t *Text, start int) {
	for i := start + 1; i < len(t.Bytes); i++ {
		if t.Bytes[i] == m.Replacement[0] && bytes.HasPrefix(t.Bytes[i:], []byte(m.Replacement)) {
			t.add(start, i)
			start = i
		}
	}
	t.add(start, len(t.Bytes))
}

// PrefixSpace puts a space before pieces that do not begin with one: the first step
// of the original's ByteLevel, if its add_prefix_space is set.
type PrefixSpace struct{}

// Split implements PreTokenizer.
func (PrefixSpace) Split(t *Text) {
	for _, p := range t.beginRewriting() {
		if p.Added != None {
			t.keepPiece(p)
			continue
		}
		start := len(t.Bytes)
		if t.oldBytes[p.Start] != ' ' {
			t.put(" ", int(p.Start))
		}
		t.keep(int(p.Start), int(p.End))
		t.add(start, len(t.Bytes))
	}
}

// ByteAlphabet writes every byte as the character that GPT-2's vocabulary has for it:
// the last step of the original's ByteLevel.
type ByteAlphabet struct{}

// byteChars are the characters of the bytes: a printable one of Latin-1 is itself,
// the others follow U+00FF in order.
var byteChars = func() (chars [256]string) {
	next := rune(256)
	for b := range rune(256) {
		r := b
		if !('!' <= b && b <= '~' || 0xA1 <= b && b <= 0xAC || 0xAE <= b) {
			r, next = next, next+1
		}
		chars[b] = string(utf8.AppendRune(nil, r))
	}
	return chars
}()

// Split implements PreTokenizer.
func (ByteAlphabet) Split(t *Text) {
	for _, p := range t.beginRewriting() {
		if p.Added != None {
			t.keepPiece(p)
			continue
		}
		start := len(t.Bytes)
		for i := p.Start; i < p.End; i++ {
			t.put(byteChars[t.oldBytes[i]], int(i))
		}
		t.add(start, len(t.Bytes))
	}
}
