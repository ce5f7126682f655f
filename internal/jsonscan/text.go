package jsonscan

import (
	"bytes"
	"cmp"
	"unicode/utf16"
	"unicode/utf8"
)

// Text is a JSON string that has been checked but not decoded.
type Text struct {
	raw     []byte // between the quotes
	at      int    // where raw is in the scanner's data
	escaped bool
}

// Bytes is the decoded string; it shares the scanner's data unless there are escapes.
func (t Text) Bytes() []byte {
	if !t.escaped {
		return t.raw
	}
	out := make([]byte, 0, len(t.raw))
	for rest := t.raw; len(rest) > 0; {
		r, size := next(rest)
		out = utf8.AppendRune(out, r)
		rest = rest[size:]
	}
	return out
}

// String is a decoded copy.
func (t Text) String() string { return string(t.Bytes()) }

// compare orders texts by their decoded characters, without decoding them whole.
func (t Text) compare(o Text) int {
	if !t.escaped && !o.escaped {
		return bytes.Compare(t.raw, o.raw)
	}
	a, b := t.raw, o.raw
	for len(a) > 0 && len(b) > 0 {
		x, n := next(a)
		y, m := next(b)
		if x != y {
			return cmp.Compare(x, y)
		}
		a, b = a[n:], b[m:]
	}
	return cmp.Compare(len(a), len(b))
}

// next decodes the first character of checked text.
func next(raw []byte) (rune, int) {
	if raw[0] == '\\' {
		return unescape(raw)
	}
	return utf8.DecodeRune(raw)
}

// unescape decodes the escape at the start of raw. Its size is 0 if it is invalid,
// which a lone surrogate is.
func unescape(raw []byte) (rune, int) {
	if len(raw) < 2 {
		return 0, 0
	}
	switch c := raw[1]; c {
	case '"', '\\', '/':
		return rune(c), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	}
	r := unit(raw)
	if !utf16.IsSurrogate(r) {
		if r < 0 {
			return 0, 0
		}
		return r, 6
	}
	if r = utf16.DecodeRune(r, unit(raw[6:])); r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// unit reads \uXXXX; it is -1 if that is not there.
func unit(raw []byte) rune {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range raw[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}
