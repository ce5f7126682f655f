package regex

import (
	"fmt"
	"strings"
)

// bracket reads a class [...], whose [ stands at at and is read. Without regard to case
// fold is true: the caller folds the whole, for an inner class is a part of it. A negated
// one is folded here, for [^a] means neither a nor A.
func (p *parser) bracket(at int) (s set, fold bool) {
	p.enter()
	negative := p.skip("^")
	if p.dialect == oniguruma && strings.HasPrefix(p.src[p.pos:], "]") && strings.IndexByte(p.src[p.pos+1:], ']') < 0 {
		p.fail(at, "the class is empty")
	}
	s = p.intersections(at)
	if p.ignoreCase && negative {
		s = s.folded()
	}
	if negative {
		s = s.complement()
	}
	p.depth--
	return s, p.ignoreCase && !negative
}

// intersections reads up to the ] the parts that && keeps apart, or Rust's -- and ~~.
func (p *parser) intersections(at int) set {
	s := p.union(at, true)
	for p.isSetOperator() {
		operator := p.src[p.pos]
		p.pos += 2
		right := p.union(at, false)
		if p.ignoreCase {
			s, right = s.folded(), right.folded()
		}
		switch operator {
		case '&':
			s = s.and(right)
		case '-':
			s = s.and(right.complement())
		default:
			s = s.with(right).and(s.and(right).complement())
		}
	}
	p.pos++ // the ]
	return s
}

func (p *parser) isSetOperator() bool {
	rest := p.src[p.pos:]
	return strings.HasPrefix(rest, "&&") || p.dialect == rust && (strings.HasPrefix(rest, "--") || strings.HasPrefix(rest, "~~"))
}

// union reads up to ] or an operator the members of a class. A ] that comes first is a
// member.
func (p *parser) union(at int, first bool) set {
	var members []rune
	for ; ; first = false {
		if !p.more() {
			p.fail(at, "the class has no end")
		}
		rest := p.src[p.pos:]
		if p.isSetOperator() || rest[0] == ']' && !first {
			return newSet(members...)
		}
		members = append(members, p.member()...)
	}
}

// member reads one character, range, class or inner bracket.
func (p *parser) member() set {
	at := p.pos
	if strings.HasPrefix(p.src[p.pos:], "[") {
		if s, ok := p.posixBracket(at); ok {
			return s
		}
		p.pos++
		s, fold := p.bracket(at)
		if fold {
			s = s.folded()
		}
		return s
	}
	s, isClass, ok := p.classChar()
	if !ok {
		return nil
	}
	if isClass {
		return s
	}
	low := s[0]
	rest := p.src[p.pos:]
	if p.isSetOperator() || !strings.HasPrefix(rest, "-") || len(rest) < 2 || rest[1] == ']' || rest[1] == '[' || strings.HasPrefix(rest[1:], "&&") {
		return s
	}
	p.pos++
	high, isClass, _ := p.classChar()
	if isClass {
		p.fail(at, "the range ends in a class")
	}
	if high[0] < low {
		p.fail(at, "the range ends before it begins")
	}
	return set{low, high[0]}
}

// classChar reads one character or escaped class inside brackets. Under Rust's (?x)
// white space there is nothing: ok is false.
func (p *parser) classChar() (s set, isClass, ok bool) {
	at := p.pos
	if r := p.char(); r != '\\' {
		if p.extended && p.dialect == rust && strings.ContainsRune(" \t\n\r\f\v", r) {
			return nil, false, false
		}
		return oneChar(r), false, true
	}
	if !p.more() {
		p.fail(at, "nothing follows the \\")
	}
	isWord := p.src[p.pos]|0x20 == 'w'
	if s, ok := p.classEscape(at); ok {
		if isWord && p.dialect == oniguruma {
			s = innerWord(s)
		}
		return s, true, true
	}
	switch c := p.src[p.pos]; {
	case c == 'b':
		p.pos++
		return oneChar('\b'), false, true
	case c == 'R' || c == 'X':
		p.unsupported(at, "\\"+string(c)+" in a class")
	}
	return oneChar(p.charEscape(at)), false, true
}

// posixBracket reads [:alpha:] or [:^alpha:].
func (p *parser) posixBracket(at int) (s set, ok bool) {
	rest, ok := strings.CutPrefix(p.src[p.pos:], "[:")
	if !ok {
		return nil, false
	}
	name, _, ok := strings.Cut(rest, ":]")
	if !ok || strings.ContainsAny(name, "]\\[") {
		return nil, false
	}
	p.pos += len("[:") + len(name) + len(":]")
	bare, negative := strings.CutPrefix(name, "^")
	if s = p.posix(bare); bare == "word" && p.dialect == oniguruma {
		s = innerWord(s)
	}
	if s == nil {
		p.fail(at, "%s", fmt.Sprintf("there is no class [:%s:]", name))
	}
	if negative {
		s = s.complement()
	}
	return s, true
}
