package regex

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// dialect is whose patterns are read.
type dialect uint8

const (
	oniguruma dialect = iota
	rust
)

// The bounds that patterns must keep to; those in use are far below.
const (
	maxPattern = 1 << 16 // bytes
	maxDepth   = 200     // of groups and brackets inside one another
	maxRepeat  = 100000  // Oniguruma's own
)

// Error says what is wrong with a pattern.
type Error struct {
	Pattern string
	At      int // byte of the pattern
	Problem string
}

func (e *Error) Error() string {
	pattern := e.Pattern
	if len(pattern) > 200 {
		pattern = pattern[:200] + "..."
	}
	return fmt.Sprintf("regular expression %q, at byte %d: %s", pattern, e.At, e.Problem)
}

// flags are the options in force, (?imsx).
type flags struct {
	ignoreCase bool
	dotAll     bool // (?m) of Oniguruma, (?s) of Rust
	multiLine  bool // (?m) of Rust; Oniguruma's ^ and $ always are
	extended   bool
	swapGreed  bool // (?U) of Rust
}

// parser reads a pattern by recursive descent. The first fault ends it by a panic
// with an *Error, which parse returns.
type parser struct {
	flags
	dialect dialect
	src     string
	pos     int
	depth   int
}

func parse(pattern string, d dialect) (tree *node, err error) {
	p := &parser{dialect: d, src: pattern}
	defer func() {
		if fault := recover(); fault != nil {
			e, ok := fault.(*Error)
			if !ok {
				panic(fault)
			}
			err = e
		}
	}()
	if len(pattern) > maxPattern {
		p.fail(0, "it has %d bytes, more than the %d that are read", len(pattern), maxPattern)
	}
	if !utf8.ValidString(pattern) {
		p.fail(0, "it is not valid UTF-8")
	}
	tree = p.alternatives()
	if p.pos < len(p.src) {
		p.fail(p.pos, "unmatched )")
	}
	return tree, nil
}

func (p *parser) fail(at int, format string, args ...any) {
	panic(&Error{p.src, at, fmt.Sprintf(format, args...)})
}

// unsupported ends parsing at a construct that is not known here.
func (p *parser) unsupported(at int, what string) {
	p.fail(at, "%s is not supported", what)
}

func (p *parser) more() bool { return p.pos < len(p.src) }

// skip moves past text if it comes next.
func (p *parser) skip(text string) bool {
	if strings.HasPrefix(p.src[p.pos:], text) {
		p.pos += len(text)
		return true
	}
	return false
}

// char reads one character.
func (p *parser) char() rune {
	r, size := utf8.DecodeRuneInString(p.src[p.pos:])
	p.pos += size
	return r
}

// enter counts one level of nesting.
func (p *parser) enter() {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.pos, "more than %d groups or brackets inside one another", maxDepth)
	}
}

// alternatives reads up to the ) that ends the group, or the end.
func (p *parser) alternatives() *node {
	p.enter()
	before := p.flags
	alternatives := []*node{p.sequence()}
	for p.skip("|") {
		alternatives = append(alternatives, p.sequence())
	}
	p.flags = before
	p.depth--
	return alternate(alternatives...)
}

// sequence reads one alternative.
func (p *parser) sequence() *node {
	var parts []*node
	for p.more() && p.src[p.pos] != '|' && p.src[p.pos] != ')' {
		at := p.pos
		atom, isAtom := p.atom()
		if !isAtom {
			continue
		}
		parts = append(parts, p.quantified(atom, at))
	}
	p.checkFolds(parts)
	return concat(parts...)
}

// checkFolds refuses what Oniguruma's case folding of several characters would also
// match with one, such as ss with the German sharp s.
func (p *parser) checkFolds(parts []*node) {
	if !p.ignoreCase || p.dialect != oniguruma {
		return
	}
	var text strings.Builder
	for _, part := range parts {
		if part.op != opSet || len(part.set) > 8 {
			text.WriteByte(0)
			continue
		}
		text.WriteRune(lowerOf(part.set))
	}
	for _, fold := range multiFolds() {
		if strings.Contains(text.String(), fold.full) || strings.ContainsRune(text.String(), fold.char) {
			p.unsupported(p.pos, fmt.Sprintf("%q without regard to case, which Oniguruma takes for %q too,", fold.full, string(fold.char)))
		}
	}
}

// atom reads one character, class, group or condition. It returns false for what
// stands for nothing: comments, white space under (?x), and (?i).
func (p *parser) atom() (n *node, ok bool) {
	at := p.pos
	switch r := p.char(); {
	case p.extended && strings.ContainsRune(" \t\n\r\f\v", r):
		return nil, false
	case p.extended && r == '#':
		for p.more() && p.char() != '\n' {
		}
		return nil, false
	case r == '(':
		return p.group(at)
	case r == '[':
		s, fold := p.bracket(at)
		if fold {
			s = s.folded()
		}
		return setNode(s), true
	case r == '.':
		return setNode(p.dot()), true
	case r == '^':
		return p.lineStart(), true
	case r == '$':
		return p.lineEnd(), true
	case r == '*' || r == '+' || r == '?':
		p.fail(at, "nothing stands before %q that could be repeated", r)
		return nil, false
	case r == '{' && p.isInterval(at):
		p.fail(at, "nothing stands before the repeat count that could be repeated")
		return nil, false
	case r == '\\':
		return p.escape(at), true
	default:
		return p.literal(r), true
	}
}

func (p *parser) literal(r rune) *node {
	s := oneChar(r)
	if p.ignoreCase {
		s = s.folded()
	}
	return setNode(s)
}

func (p *parser) dot() set {
	if p.dotAll {
		return newSet(0, maxChar)
	}
	return oneChar('\n').complement()
}

func condition(a assertion) *node { return &node{op: opAssert, assert: a} }

func (p *parser) lineStart() *node {
	switch {
	case p.dialect == oniguruma:
		return condition(atLineStart)
	case p.multiLine:
		return condition(atAnyLineStart)
	}
	return condition(atStart)
}

func (p *parser) lineEnd() *node {
	if p.dialect == oniguruma || p.multiLine {
		return condition(atLineEnd)
	}
	return condition(atEnd)
}

// group reads what follows a ( that stands at at.
func (p *parser) group(at int) (n *node, ok bool) {
	if p.dialect == oniguruma && strings.HasPrefix(p.src[p.pos:], "*") {
		p.unsupported(at, "a callout (*...)")
	}
	if !p.skip("?") {
		return p.groupBody(at), true
	}
	switch {
	case p.skip("#"):
		end := strings.IndexByte(p.src[p.pos:], ')')
		if end < 0 {
			p.fail(at, "the comment has no end")
		}
		p.pos += end + 1
		return nil, false
	case p.skip(":"):
		return p.groupBody(at), true
	case p.skip(">"):
		return &node{op: opAtomic, subs: []*node{p.groupBody(at)}}, true
	case p.skip("="):
		return p.look(at, false, false), true
	case p.skip("!"):
		return p.look(at, false, true), true
	case p.skip("<="):
		return p.look(at, true, false), true
	case p.skip("<!"):
		return p.look(at, true, true), true
	case p.skip("<"):
		return p.named(at, '>'), true
	case p.dialect == oniguruma && p.skip("'"):
		return p.named(at, '\''), true
	case p.dialect == rust && p.skip("P<"):
		return p.named(at, '>'), true
	}
	return p.option(at)
}

func (p *parser) groupBody(at int) *node {
	body := p.alternatives()
	if !p.skip(")") {
		p.fail(at, "the group has no end")
	}
	return body
}

// maxBehind is the longest look-behind, in characters.
const maxBehind = 255

func (p *parser) look(at int, behind, negative bool) *node {
	body := p.groupBody(at)
	if _, most := body.widths(); behind && (most < 0 || most > maxBehind) {
		p.unsupported(at, fmt.Sprintf("look-behind for more than %d characters", maxBehind))
	}
	return &node{op: opLook, subs: []*node{body}, behind: behind, negative: negative}
}

// named reads a group with a name, which matters to no match.
func (p *parser) named(at int, end byte) *node {
	size := strings.IndexByte(p.src[p.pos:], end)
	if size <= 0 || !isName(p.src[p.pos:p.pos+size]) {
		p.fail(at, "the group's name is missing or no name")
	}
	p.pos += size + 1
	return p.groupBody(at)
}

func isName(s string) bool {
	for i, r := range s {
		if !(r == '_' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= utf8.RuneSelf || i > 0 && r >= '0' && r <= '9') {
			return false
		}
	}
	return true
}

// option reads (?i) and (?i:...). In Oniguruma the former holds the rest of the
// group with its alternatives, a(?i)b|c being a(?i:b|c).
func (p *parser) option(at int) (n *node, ok bool) {
	before := p.flags
	on := true
	for {
		if !p.more() {
			p.fail(at, "the group has no end")
		}
		flagAt := p.pos
		switch r := p.char(); {
		case r == '-' && on:
			on = false
		case r == ')':
			if p.dialect == rust {
				return nil, false
			}
			rest := p.alternatives()
			p.flags = before
			return rest, true
		case r == ':':
			body := p.groupBody(at)
			p.flags = before
			return body, true
		case !p.setFlag(r, on):
			p.unsupported(flagAt, fmt.Sprintf("the group (?%c", r))
		}
	}
}

// setFlag sets one option and tells whether it is known.
func (p *parser) setFlag(r rune, on bool) bool {
	switch {
	case r == 'i':
		p.ignoreCase = on
	case r == 'x':
		p.extended = on
	case r == 'm' && p.dialect == oniguruma, r == 's' && p.dialect == rust:
		p.dotAll = on
	case r == 'm':
		p.multiLine = on
	case r == 'U' && p.dialect == rust:
		p.swapGreed = on
	default:
		return r == 'u' && on && p.dialect == rust // patterns are Unicode anyway
	}
	return true
}

// isInterval tells whether a { at at begins a repeat count.
func (p *parser) isInterval(at int) bool {
	end := strings.IndexByte(p.src[at:], '}')
	if end < 0 {
		return false
	}
	first, second, comma := strings.Cut(p.src[at+1:at+end], ",")
	return isDigits(first) && isDigits(second) && (first != "" || comma && second != "")
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// quantified reads the repeat counts after an atom.
func (p *parser) quantified(n *node, at int) *node {
	for p.more() {
		quantifierAt := p.pos
		low, high, interval := 0, -1, false
		switch c := p.src[p.pos]; {
		case c == '*':
		case c == '+':
			low = 1
		case c == '?':
			high = 1
		case c == '{' && p.isInterval(p.pos):
			low, high = p.interval()
			interval = true
			p.pos--
		default:
			return n
		}
		p.pos++
		if n.op == opAssert || n.op == opLook {
			p.fail(quantifierAt, "the condition before it cannot be repeated")
		}
		n = p.repeated(n, low, high, interval)
	}
	return n
}

// repeated reads what comes after a repeat count: ? for as few as possible, + for
// never giving back.
func (p *parser) repeated(n *node, low, high int, interval bool) *node {
	switch ruby := p.dialect == oniguruma; {
	case high >= 0 && low > high && ruby:
		return &node{op: opAtomic, subs: []*node{repeat(n, high, low, false)}}
	case high >= 0 && low > high:
		p.fail(p.pos, "the repeat count is at least %d and at most %d", low, high)
	case interval && ruby && low == high && p.skip("?"):
		return repeat(repeat(n, low, high, false), 0, 1, false)
	case p.skip("?"):
		return repeat(n, low, high, !p.swapGreed)
	case !(interval && ruby) && p.skip("+"):
		return &node{op: opAtomic, subs: []*node{repeat(n, low, high, false)}}
	}
	return repeat(n, low, high, p.swapGreed)
}

// interval reads {n}, {n,}, {,m} or {n,m}; high is -1 for no bound.
func (p *parser) interval() (low, high int) {
	at := p.pos
	end := at + strings.IndexByte(p.src[at:], '}')
	first, second, comma := strings.Cut(p.src[at+1:end], ",")
	p.pos = end + 1
	low, high = p.count(at, first), -1
	switch {
	case !comma:
		high = low
	case second != "":
		high = p.count(at, second)
	}
	return low, high
}

func (p *parser) count(at int, digits string) int {
	n := 0
	for _, d := range digits {
		if n = 10*n + int(d-'0'); n > maxRepeat {
			p.fail(at, "the repeat count is greater than %d", maxRepeat)
		}
	}
	return n
}
