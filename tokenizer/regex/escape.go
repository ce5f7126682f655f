package regex

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// escape reads what follows a \ that stands at at, outside brackets.
func (p *parser) escape(at int) *node {
	if !p.more() {
		p.fail(at, "nothing follows the \\")
	}
	switch c := p.src[p.pos]; {
	case c == 'A':
		p.pos++
		return condition(atStart)
	case c == 'z':
		p.pos++
		return condition(atEnd)
	case c == 'Z':
		p.pos++
		return condition(atLastLine)
	case c == 'b':
		p.pos++
		return condition(p.ofDialect(atWordBoundary, atRustBoundary))
	case c == 'B':
		p.pos++
		return condition(p.ofDialect(atNoWordBoundary, atNoRustBoundary))
	case c == 'R':
		p.pos++
		return newline
	case c == 'N' && p.dialect == oniguruma:
		p.pos++
		return setNode(oneChar('\n').complement())
	case c == 'O':
		p.pos++
		return setNode(newSet(0, maxChar))
	case c >= '1' && c <= '9' && !p.isOctal() || c == 'k':
		p.unsupported(at, "a reference to a group, \\"+string(c)+",")
	case c == 'X':
		p.unsupported(at, "\\X, a grapheme,")
	case c == 'g', c == 'G', c == 'K', c == 'y', c == 'Y':
		p.unsupported(at, "\\"+string(c))
	}
	if s, ok := p.classEscape(at); ok {
		if p.ignoreCase && p.dialect == rust {
			s = s.folded()
		}
		return setNode(s)
	}
	return p.literal(p.charEscape(at))
}

func (p *parser) ofDialect(ofOniguruma, ofRust assertion) assertion {
	if p.dialect == rust {
		return ofRust
	}
	return ofOniguruma
}

// latinNumbers are six characters that Oniguruma counts to \w and \b, but not to a
// \w inside brackets.
var latinNumbers = newSet(0xB2, 0xB3, 0xB9, 0xB9, 0xBC, 0xBE)

// innerWord makes \w or \W inside brackets of what it is outside.
func innerWord(s set) set {
	if s.has('_') {
		return s.and(latinNumbers.complement())
	}
	return s.with(latinNumbers)
}

// newline is \R: a line's end, of which \r\n is never cut.
var newline = &node{op: opAtomic, subs: []*node{alternate(
	concat(setNode(oneChar('\r')), setNode(oneChar('\n'))),
	setNode(newSet('\n', '\r', 0x85, 0x85, 0x2028, 0x2029)),
)}}

// classEscape reads a class such as \s or \p{L}; the \ is read already.
func (p *parser) classEscape(at int) (s set, ok bool) {
	c := p.src[p.pos]
	name := map[byte]string{'s': "space", 'd': "digit", 'w': "word", 'h': "xdigit"}[c|0x20]
	switch {
	case c|0x20 == 'p':
		return p.property(at)
	case name == "":
		return nil, false
	}
	p.pos++
	s = p.perl(name)
	if c&0x20 == 0 {
		s = s.complement()
	}
	return s, true
}

// property reads \p{L}, \P{L}, \p{^L}, and Rust's \pL.
func (p *parser) property(at int) (s set, ok bool) {
	negative := p.src[p.pos] == 'P'
	rest := p.src[p.pos+1:]
	var name string
	switch {
	case strings.HasPrefix(rest, "{"):
		end := strings.IndexByte(rest, '}')
		if end < 0 {
			p.fail(at, "the } of the property is missing")
		}
		name = rest[1:end]
		p.pos += 1 + end + 1
	case p.dialect == oniguruma:
		return nil, false // \p alone is p
	default:
		if rest == "" {
			p.fail(at, "the property's name is missing")
		}
		name = rest[:1]
		p.pos += 2
	}
	if bare, ok := strings.CutPrefix(name, "^"); ok {
		negative = !negative
		name = bare
	}
	if kind, value, ok := strings.Cut(name, "="); ok && p.dialect == rust {
		switch looseName(kind) {
		case "sc", "script", "gc", "generalcategory":
			name = value
		}
	}
	s, ok = propertySet(name, p.dialect)
	if !ok {
		p.unsupported(at, fmt.Sprintf("the property %q", name))
	}
	if negative {
		s = s.complement()
	}
	return s, true
}

// controls are the escapes of one character that is not a letter.
var controls = map[byte]rune{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f', 'v': '\v', 'a': '\a', 'e': 0x1B}

// charEscape reads an escape that stands for one character.
func (p *parser) charEscape(at int) rune {
	c := p.src[p.pos]
	if r, ok := controls[c]; ok {
		p.pos++
		return r
	}
	switch {
	case c == 'x' && strings.HasPrefix(p.src[p.pos:], "x{"):
		p.pos += 2
		return p.braced(at)
	case c == 'u' && p.dialect == rust && strings.HasPrefix(p.src[p.pos:], "u{"):
		p.pos += 2
		return p.braced(at)
	case c == 'x':
		return p.byteEscape(at)
	case c == 'u' && (p.dialect == rust || p.hexLen(p.pos+1, 4) > 0):
		return p.fixedHex(at, 4)
	case c == 'U' && p.dialect == rust:
		return p.fixedHex(at, 8)
	case p.dialect == oniguruma && c >= '0' && c <= '7':
		return p.octal(at)
	case p.dialect == oniguruma && c == 'c':
		return p.control(at, 1)
	case p.dialect == oniguruma && (c == 'C' || c == 'M'):
		p.unsupported(at, "\\"+string(c))
	case p.dialect == rust && (c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'):
		p.unsupported(at, "\\"+string(c))
	}
	return p.char()
}

// hexLen returns how many hexadecimal digits stand at at, up to most.
func (p *parser) hexLen(at, most int) int {
	n := 0
	for n < most && at+n < len(p.src) && strings.IndexByte("0123456789abcdefABCDEF", p.src[at+n]) >= 0 {
		n++
	}
	return n
}

// hex reads n hexadecimal digits as a character.
func (p *parser) hex(at, n int) rune {
	var r rune
	fmt.Sscanf(p.src[p.pos:p.pos+n], "%x", &r)
	p.pos += n
	if n == 0 || !utf8.ValidRune(r) {
		p.fail(at, "the escape is no character")
	}
	return r
}

// braced reads the rest of \x{...}.
func (p *parser) braced(at int) rune {
	n := p.hexLen(p.pos, 8)
	if p.pos+n >= len(p.src) || p.src[p.pos+n] != '}' {
		p.fail(at, "the escape is not one number in braces")
	}
	r := p.hex(at, n)
	p.pos++
	return r
}

func (p *parser) fixedHex(at, n int) rune {
	p.pos++
	if p.hexLen(p.pos, n) < n {
		p.fail(at, "the escape needs %d hexadecimal digits", n)
	}
	return p.hex(at, n)
}

// byteEscape reads \xHH. In Oniguruma it stands for a byte, and several of them make
// a character.
func (p *parser) byteEscape(at int) rune {
	p.pos++
	if p.dialect == rust {
		if p.hexLen(p.pos, 2) < 2 {
			p.fail(at, "the escape needs 2 hexadecimal digits")
		}
		return p.hex(at, 2)
	}
	var bytes []byte
	for {
		n := p.hexLen(p.pos, 2)
		r := rune(0)
		if n > 0 {
			r = p.hex(at, n)
		}
		bytes = append(bytes, byte(r))
		if utf8.FullRune(bytes) {
			break
		}
		if !p.skip(`\x`) {
			break
		}
	}
	r, size := utf8.DecodeRune(bytes)
	if r == utf8.RuneError && size == 1 {
		p.fail(at, "the bytes are not UTF-8: write \\x{...} for a character")
	}
	return r
}

// isOctal tells whether two octal digits come next in Oniguruma: one is a reference.
func (p *parser) isOctal() bool {
	rest := p.src[p.pos:]
	return p.dialect == oniguruma && len(rest) > 1 && rest[0] <= '7' && rest[1] >= '0' && rest[1] <= '7'
}

// octal reads up to three octal digits.
func (p *parser) octal(at int) rune {
	r := rune(0)
	for n := 0; n < 3 && p.more() && p.src[p.pos] >= '0' && p.src[p.pos] <= '7'; n++ {
		r = 8*r + rune(p.src[p.pos]-'0')
		p.pos++
	}
	if r > 0xFF {
		p.fail(at, "the octal number is greater than 0377")
	}
	return r
}

// control reads \cX.
func (p *parser) control(at, skip int) rune {
	p.pos += skip
	if !p.more() || p.src[p.pos] >= utf8.RuneSelf || p.src[p.pos] == '\\' {
		p.unsupported(at, "\\c without a letter")
	}
	r := p.char()
	if r == '?' {
		return 0x7F
	}
	return r & 0x1F
}
