package regex

import (
	"math/bits"
	"sync"
	"unicode/utf8"
)

// The patterns that hand-tuned scanners match are told by their meaning: an alternation
// whose every alternative has one of the forms below, whatever the sets in it are. GPT-2's,
// cl100k's, o200k's, Llama 3's, Qwen's and CLIP's patterns and most of their kin are such.

// form is one alternative: its kind and the bits of its sets in classes.
type form struct {
	kind   formKind
	before uint16 // the set before the run, which may be missing; 0 for none
	run    uint16
	after  uint16 // the set after the run
	most   int    // characters of the run; -1 for no bound
	fold   bool   // of endings: without regard to case
	ending bool   // of cased words: an English ending may follow
}

type formKind uint8

const (
	formEnding    formKind = iota // 's|'t|'re|'ve|'m|'ll|'d
	formRun                       // B?R+ or B?R{1,n}, and A* after R+
	formLines                     // S*N or S*N+: white space up to its last line's end
	formSpaces                    // S+(?!\S): all but the last before something else
	formSpacesEnd                 // S+ at the end of the text
	formLower                     // B?U*L+ and an ending
	formUpper                     // B?U+L* and an ending
)

// classes says which of up to sixteen sets a character is in: a bit each. ASCII has a
// table; longer characters blocks of 64, equal ones shared.
type classes struct {
	ascii   [256]uint16 // 0 for the bytes of longer characters
	invalid uint16
	blocks  []uint16 // by r / 64, into lists of 64
	lists   []uint16
	sets    []set
}

// bit returns the bit of a set, 0 if there are more than sixteen.
func (c *classes) bit(s set) uint16 {
	for i, known := range c.sets {
		if known.equal(s) {
			return 1 << i
		}
	}
	if len(c.sets) == 16 {
		return 0
	}
	c.sets = append(c.sets, s)
	return 1 << (len(c.sets) - 1)
}

// fill makes the tables once all sets are known.
func (c *classes) fill() {
	const numBlocks = (utf8.MaxRune + 1) / 64
	list := make([]uint16, utf8.MaxRune+2)
	for i, s := range c.sets {
		for j := 0; j < len(s); j += 2 {
			for r := s[j]; r <= s[j+1]; r++ {
				list[r] |= 1 << i
			}
		}
	}
	copy(c.ascii[:utf8.RuneSelf], list)
	c.invalid = list[invalid]
	c.blocks = make([]uint16, numBlocks)
	seen := map[[64]uint16]uint16{}
	for b := range c.blocks {
		key := [64]uint16(list[b*64:])
		if b > 0 && key == *(*[64]uint16)(c.lists[int(c.blocks[b-1])*64:]) {
			c.blocks[b] = c.blocks[b-1]
			continue
		}
		n, ok := seen[key]
		if !ok {
			n = uint16(len(seen))
			seen[key] = n
			c.lists = append(c.lists, key[:]...)
		}
		c.blocks[b] = n
	}
}

// at returns the bits and the length of the character at text[i].
func (c *classes) at(text []byte, i int) (bits uint16, size int) {
	if b := text[i]; b < utf8.RuneSelf {
		return c.ascii[b], 1
	}
	r, size := utf8.DecodeRune(text[i:])
	if size == 1 {
		return c.invalid, 1
	}
	return c.lists[int(c.blocks[r>>6])<<6|int(r&63)], size
}

// scannerOf returns a scanner for a pattern of known forms, nil for others.
func scannerOf(tree *node) *scanner {
	subs := []*node{tree}
	if tree.op == opAlternate {
		subs = tree.subs
	}
	s := &scanner{}
	// The endings of GPT-2 are seven alternatives of the pattern itself.
	for _, n := range []int{7, 4} {
		if len(subs) > n {
			if f, ok := endingForm(alternate(subs[:n]...)); ok {
				s.forms = append(s.forms, f)
				subs = subs[n:]
			}
		}
	}
	for _, sub := range subs {
		f, ok := s.classes.formOf(sub)
		if !ok {
			return nil
		}
		s.forms = append(s.forms, f)
	}
	if len(s.forms) > 16 {
		return nil
	}
	s.classes.fill()
	s.planPairs()
	for b := range s.first {
		for i, f := range s.forms {
			if f.canBegin(&s.classes, byte(b)) {
				s.first[b] |= 1 << i
			}
		}
	}
	return s
}

// canBegin tells whether the form may match something that begins with b.
func (f *form) canBegin(c *classes, b byte) bool {
	switch {
	case f.kind == formEnding:
		return b == '\''
	case b >= utf8.RuneSelf:
		return true
	}
	sets := f.before | f.run
	if f.kind == formLower {
		sets |= f.after
	}
	return c.ascii[b]&sets != 0
}

// formOf tells the form of an alternative.
func (c *classes) formOf(n *node) (f form, ok bool) {
	if f, ok := endingForm(n); ok {
		return f, true
	}
	parts := []*node{n}
	if n.op == opConcat {
		parts = n.subs
	}
	var counted []run
	for i, p := range parts {
		r, ok := runOf(p)
		if !ok {
			return c.conditioned(counted, parts[i:])
		}
		counted = append(counted, r)
	}
	f, ok = c.runForm(counted)
	return f, ok && f.bitsKnown()
}

// bitsKnown tells whether all sets have bits.
func (f *form) bitsKnown() bool { return f.run != 0 }

// run is a repeat of one set.
type run struct {
	set        set
	min, max   int
	possessive bool
}

func runOf(n *node) (r run, ok bool) {
	if n.op == opAtomic {
		r, ok = runOf(n.subs[0])
		r.possessive = true
		return r, ok
	}
	if n.op == opSet {
		return run{set: n.set, min: 1, max: 1}, true
	}
	if n.op == opRepeat && !n.lazy && n.subs[0].op == opSet {
		return run{set: n.subs[0].set, min: n.min, max: n.max}, true
	}
	return run{}, false
}

func (r *run) is(min, max int) bool { return r.min == min && r.max == max }

// runForm tells the forms that are runs only.
func (c *classes) runForm(parts []run) (f form, ok bool) {
	whole := parts
	if len(parts) > 1 && parts[0].is(0, 1) {
		// Possessive, it changes nothing if what it takes cannot be the run's.
		if parts[0].possessive && len(parts[0].set.and(parts[1].set)) > 0 {
			return f, false
		}
		if f.before = c.bit(parts[0].set); f.before == 0 {
			return f, false
		}
		parts = parts[1:]
	}
	if parts[0].min == 1 && len(parts) == 1 {
		f.kind, f.run, f.most = formRun, c.bit(parts[0].set), parts[0].max
		return f, true
	}
	if len(parts) != 2 {
		return f, false
	}
	first, second := parts[0], parts[1]
	switch {
	case first.is(1, -1) && second.is(0, -1):
		f.kind, f.run, f.after, f.most = formRun, c.bit(first.set), c.bit(second.set), -1
	case len(whole) == 2 && first.is(0, -1) && !first.possessive && (second.is(1, 1) || second.is(1, -1)):
		if len(second.set.and(first.set.complement())) > 0 {
			return f, false // a line's end must be white space
		}
		f.kind, f.run, f.after = formLines, c.bit(first.set), c.bit(second.set)
	case first.is(0, -1) && second.is(1, -1) && !first.possessive:
		f.kind, f.run, f.after = formLower, c.bit(first.set), c.bit(second.set)
	default:
		return f, false
	}
	return f, f.after != 0
}

// conditioned tells the forms in which runs are followed by a condition or an ending.
func (c *classes) conditioned(runs []run, rest []*node) (f form, ok bool) {
	if len(rest) != 1 || len(runs) == 0 {
		return f, false
	}
	n := rest[0]
	if n.op == opRepeat && n.min == 0 && n.max == 1 && !n.lazy {
		return c.casedForm(runs, n.subs[0])
	}
	if len(runs) != 1 || !runs[0].is(1, -1) {
		return f, false
	}
	switch {
	case n.op == opAssert && n.assert == atEnd:
		f.kind = formSpacesEnd
	case n.op == opLook && !n.behind && n.negative && n.subs[0].op == opSet && !runs[0].possessive &&
		n.subs[0].set.equal(runs[0].set.complement()):
		f.kind = formSpaces
	default:
		return f, false
	}
	f.run = c.bit(runs[0].set)
	return f, f.bitsKnown()
}

// casedForm tells the two forms of o200k's words.
func (c *classes) casedForm(runs []run, after *node) (f form, ok bool) {
	ending, ok := endingForm(after)
	if !ok || len(runs) < 2 {
		return f, false
	}
	if f, ok = c.runForm(runs); !ok || !f.bitsKnown() {
		return f, false
	}
	first := runs[len(runs)-2]
	switch {
	case f.kind == formLines && runs[len(runs)-1].is(1, -1):
		f.kind = formLower
	case f.kind == formLower:
	case f.kind == formRun && f.after != 0 && first.is(1, -1):
		f.kind = formUpper
	default:
		return f, false
	}
	f.ending, f.fold = true, ending.fold
	return f, true
}

// endings are the spellings of the English endings, by whether case counts.
var endings = sync.OnceValue(func() map[string]bool {
	spellings := map[string]bool{}
	for pattern, fold := range map[string]bool{
		`'s|'t|'re|'ve|'m|'ll|'d`:                                    false,
		`'(?:[sdmt]|ll|ve|re)`:                                       false,
		`(?i:'s|'t|'re|'ve|'m|'ll|'d)`:                               true,
		`'(?i:[sdmt]|ll|ve|re)`:                                      true,
		`'(?i:s|t|re|ve|m|ll|d)`:                                     true,
		`(?i:'s)|(?i:'t)|(?i:'re)|(?i:'ve)|(?i:'m)|(?i:'ll)|(?i:'d)`: true,
	} {
		tree, err := parse(pattern, oniguruma)
		if err != nil {
			panic("regex: endings: " + err.Error())
		}
		spellings[tree.spelling()] = fold
	}
	return spellings
})

func endingForm(n *node) (f form, ok bool) {
	fold, ok := endings()[n.spelling()]
	return form{kind: formEnding, fold: fold}, ok
}

func lowestForm(mask uint16) int { return bits.TrailingZeros16(mask) }
