package jsonscan

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// Canonical writes the canonical form of the JSON text data to w: members sorted
// by name (code points), no white space, UTF-8 with the fewest escapes, integers as
// they stand, other numbers in the shortest form that reads back the same. Names
// in omit are left out of the outermost object. Text that is not JSON, a name twice
// in one object, and numbers beyond float64 are refused.
//
// It is what Python's json.dumps(json.loads(data), sort_keys=True,
// separators=(",", ":"), ensure_ascii=False, allow_nan=False) gives.
func Canonical(w io.Writer, data []byte, omit ...string) error {
	if len(data) > math.MaxInt32 {
		return fmt.Errorf("canonical JSON: %d bytes are too many", len(data))
	}
	s := New(data)
	if _, err := s.Value(); err != nil {
		return err
	}
	if err := s.End(); err != nil {
		return err
	}
	c := canon{s: New(data), w: w, omit: omit, members: make([]member, 0, s.members)}
	if err := c.value(); err != nil {
		return err
	}
	return c.flush()
}

// canon writes what has been checked. The members of the open objects share one
// stack, whose room is known beforehand: memory stays near the size of the text.
type canon struct {
	s       *Scanner
	w       io.Writer
	out     [4096]byte
	used    int
	failed  error // of w
	omit    []string
	members []member
}

// member is where a name and its value stand: offsets, to be small.
type member struct{ name, nameEnd, value uint32 }

func (c *canon) text(m member) Text {
	raw := c.s.data[m.name:m.nameEnd]
	return Text{raw: raw, escaped: bytes.IndexByte(raw, '\\') >= 0}
}

func (c *canon) value() error {
	switch first := c.s.Peek(); first {
	case '{':
		return c.object()
	case '[':
		return c.array()
	case '"':
		t, err := c.s.Text()
		c.quote(t)
		return err
	case 't', 'f', 'n':
		word, err := c.s.Value()
		c.put(word)
		return err
	}
	return c.number()
}

func (c *canon) array() error {
	c.byte('[')
	empty := true
	err := c.s.Array(func() error {
		if !empty {
			c.byte(',')
		}
		empty = false
		return c.value()
	})
	c.byte(']')
	return err
}

func (c *canon) object() error {
	base := len(c.members)
	outermost := c.s.depth == 0
	err := c.s.Object(func(name Text) error {
		c.members = append(c.members, member{uint32(name.at), uint32(name.at + len(name.raw)), uint32(c.s.pos)})
		_, err := c.s.Value()
		return err
	})
	if err != nil {
		return err
	}
	end, depth := c.s.pos, c.s.depth
	own := c.members[base:]
	slices.SortFunc(own, func(a, b member) int { return c.text(a).compare(c.text(b)) })
	for i := 1; i < len(own); i++ {
		if name := c.text(own[i]); name.compare(c.text(own[i-1])) == 0 {
			return c.s.Errorf("the name %q comes twice", name.Bytes())
		}
	}
	c.byte('{')
	empty := true
	for _, m := range own {
		if outermost && len(c.omit) > 0 && slices.Contains(c.omit, string(c.text(m).Bytes())) {
			continue
		}
		if !empty {
			c.byte(',')
		}
		empty = false
		c.quote(c.text(m))
		c.byte(':')
		c.s.pos, c.s.depth = int(m.value), depth+1
		if err := c.value(); err != nil {
			return err
		}
	}
	c.byte('}')
	c.s.pos, c.s.depth = end, depth
	c.members = c.members[:base]
	return nil
}

func (c *canon) number() error {
	text, err := c.s.Number()
	if err != nil {
		return err
	}
	if bytes.ContainsAny(text, ".eE") {
		v, err := strconv.ParseFloat(string(text), 64)
		if err != nil {
			return c.s.Errorf("number %.30s is out of range", text)
		}
		var buf [32]byte
		text = appendFloat(buf[:0], v)
	} else if string(text) == "-0" {
		text = text[1:]
	}
	c.put(text)
	return nil
}

// appendFloat is Python's repr: an exponent below 1e-4 and from 1e16 on, otherwise
// digits with a point.
func appendFloat(dst []byte, v float64) []byte {
	if abs := math.Abs(v); abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.AppendFloat(dst, v, 'e', -1, 64)
	}
	dst = strconv.AppendFloat(dst, v, 'f', -1, 64)
	if !bytes.ContainsRune(dst, '.') {
		dst = append(dst, ".0"...)
	}
	return dst
}

func (c *canon) quote(t Text) {
	c.byte('"')
	rest := t.raw
	if !t.escaped { // nothing in it needs an escape
		c.put(rest)
		rest = nil
	}
	var buf [8]byte
	for len(rest) > 0 {
		r, size := next(rest)
		rest = rest[size:]
		c.put(appendEscaped(buf[:0], r))
	}
	c.byte('"')
}

// AppendQuoted appends a string as canonical JSON writes it. It must be valid UTF-8.
func AppendQuoted(dst []byte, text string) []byte {
	dst = append(dst, '"')
	for _, r := range text {
		dst = appendEscaped(dst, r)
	}
	return append(dst, '"')
}

func appendEscaped(dst []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	if r < ' ' {
		return append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
	}
	return append(dst, string(r)...)
}

func (c *canon) byte(b byte) {
	if c.used == len(c.out) {
		_ = c.flush()
	}
	c.out[c.used] = b
	c.used++
}

func (c *canon) put(p []byte) {
	for len(p) > 0 {
		if c.used == len(c.out) {
			_ = c.flush()
		}
		n := copy(c.out[c.used:], p)
		c.used += n
		p = p[n:]
	}
}

// flush keeps the first failure; what follows is dropped.
func (c *canon) flush() error {
	if c.failed == nil {
		_, c.failed = c.w.Write(c.out[:c.used])
	}
	c.used = 0
	return c.failed
}
