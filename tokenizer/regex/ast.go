package regex

import (
	"fmt"
	"strings"
)

// node is a part of a parsed pattern. Groups are gone: nothing here refers back to
// what one matched.
type node struct {
	op       op
	set      set     // opSet
	subs     []*node // opConcat, opAlternate; one for opRepeat, opAtomic, opLook
	min, max int     // opRepeat; max -1 is no bound
	lazy     bool    // opRepeat
	behind   bool    // opLook
	negative bool    // opLook
	assert   assertion
}

type op uint8

const (
	opEmpty op = iota
	opSet
	opConcat
	opAlternate
	opRepeat // possessive ones are greedy in an opAtomic
	opAtomic
	opLook
	opAssert
)

// assertion is a condition on a place in the text.
type assertion uint8

const (
	atStart          assertion = iota // \A
	atEnd                             // \z
	atLastLine                        // \Z: the end, or before a final newline
	atLineStart                       // ^ of Oniguruma: not at the end
	atAnyLineStart                    // (?m)^ of Rust
	atLineEnd                         // $
	atWordBoundary                    // \b
	atNoWordBoundary                  // \B
	atRustBoundary                    // \b of Rust, whose words differ
	atNoRustBoundary                  // \B of Rust
)

var empty = &node{op: opEmpty}

func setNode(s set) *node { return &node{op: opSet, set: s} }

// concat joins parts, and drops what is empty.
func concat(parts ...*node) *node {
	var subs []*node
	for _, p := range parts {
		switch p.op {
		case opEmpty:
		case opConcat:
			subs = append(subs, p.subs...)
		default:
			subs = append(subs, p)
		}
	}
	switch len(subs) {
	case 0:
		return empty
	case 1:
		return subs[0]
	}
	return &node{op: opConcat, subs: subs}
}

// alternate joins alternatives, of which the first that leads to a match counts.
// Neighbours of one character each are one set.
func alternate(parts ...*node) *node {
	var subs []*node
	for _, p := range parts {
		if p.op == opAlternate {
			subs = append(subs, p.subs...)
		} else {
			subs = append(subs, p)
		}
	}
	merged := subs[:1]
	for _, p := range subs[1:] {
		if last := merged[len(merged)-1]; last.op == opSet && p.op == opSet {
			merged[len(merged)-1] = setNode(last.set.with(p.set))
		} else {
			merged = append(merged, p)
		}
	}
	if len(merged) == 1 {
		return merged[0]
	}
	return &node{op: opAlternate, subs: merged}
}

// repeat makes a repeat of a part.
func repeat(sub *node, min, max int, lazy bool) *node {
	switch {
	case sub.op == opEmpty || max == 0:
		return empty
	case min == 1 && max == 1:
		return sub
	}
	return &node{op: opRepeat, subs: []*node{sub}, min: min, max: max, lazy: lazy && min != max}
}

// widths returns the least and greatest number of characters that n matches; the
// greatest is -1 if there is no bound.
func (n *node) widths() (least, most int) {
	switch n.op {
	case opSet:
		return 1, 1
	case opConcat:
		for _, s := range n.subs {
			l, m := s.widths()
			least = saturate(least + l)
			most = unbounded(most, m, saturate(most+m))
		}
		return least, most
	case opAlternate:
		least, most = n.subs[0].widths()
		for _, s := range n.subs[1:] {
			l, m := s.widths()
			least = min(least, l)
			most = unbounded(most, m, max(most, m))
		}
		return least, most
	case opRepeat:
		l, m := n.subs[0].widths()
		most = 0
		if m != 0 {
			most = unbounded(m, n.max, saturate(m*n.max))
		}
		return saturate(l * n.min), most
	case opAtomic:
		return n.subs[0].widths()
	}
	return 0, 0
}

// saturate keeps widths from overflowing.
func saturate(n int) int { return min(n, 1<<30) }

// unbounded returns n unless a or b is -1, which it then is.
func unbounded(a, b, n int) int {
	if a < 0 || b < 0 {
		return -1
	}
	return n
}

// firstBytes returns the bytes that what n matches can begin with; all if it can
// match nothing.
func (n *node) firstBytes() byteSet {
	if least, _ := n.widths(); least == 0 {
		return allBytes
	}
	switch n.op {
	case opSet:
		return n.set.firstBytes()
	case opConcat:
		var first byteSet
		for _, s := range n.subs {
			least, most := s.widths()
			if most == 0 {
				continue // a condition, which only narrows
			}
			if least > 0 {
				b := s.firstBytes()
				first.addAll(&b)
				return first
			}
			b := s.optionalFirst()
			first.addAll(&b)
		}
	case opAlternate:
		var first byteSet
		for _, s := range n.subs {
			b := s.firstBytes()
			first.addAll(&b)
		}
		return first
	case opRepeat, opAtomic:
		return n.subs[0].firstBytes()
	}
	return allBytes
}

// optionalFirst is firstBytes of a part that may match nothing, for when it matches
// something.
func (n *node) optionalFirst() byteSet {
	if n.op == opAtomic {
		return n.subs[0].optionalFirst()
	}
	if n.op == opRepeat {
		return n.subs[0].firstBytes()
	}
	return allBytes
}

// write spells n so that nodes are equal if and only if their spellings are.
func (n *node) write(b *strings.Builder) {
	switch n.op {
	case opSet:
		fmt.Fprintf(b, "%x", []rune(n.set))
	case opConcat, opAlternate:
		b.WriteString(map[op]string{opConcat: "(", opAlternate: "(|"}[n.op])
		for _, s := range n.subs {
			s.write(b)
		}
		b.WriteString(")")
	case opRepeat:
		n.subs[0].write(b)
		fmt.Fprintf(b, "{%d,%d,%v}", n.min, n.max, n.lazy)
	case opAtomic:
		b.WriteString("(>")
		n.subs[0].write(b)
		b.WriteString(")")
	case opLook:
		fmt.Fprintf(b, "(?%v,%v", n.behind, n.negative)
		n.subs[0].write(b)
		b.WriteString(")")
	case opAssert:
		fmt.Fprintf(b, "@%d", n.assert)
	}
}

// spelling is what write writes.
func (n *node) spelling() string {
	var b strings.Builder
	n.write(&b)
	return b.String()
}
