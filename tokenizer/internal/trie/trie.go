// Package trie finds the strings of a set that a text begins with, in a double
// array: a child is found by one addition and one comparison.
//
// unigram and sentencepiece use it. A Trie does not change after it was built and
// is safe for concurrent use. It depends on the keys alone.
package trie

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Root is the node of the empty string.
const Root int32 = 0

// None is no node, or the value of a node where no key ends.
const None int32 = -1

// node is a state. The child for byte c is at base^c if that node's parent says
// so.
type node struct {
	base   int32
	parent int32
	value  int32
}

// Trie maps strings of bytes to values.
type Trie struct {
	nodes []node
}

// Next is the child of node for c, or None.
func (t *Trie) Next(at int32, c byte) int32 {
	next := t.nodes[at].base ^ int32(c)
	if t.nodes[next].parent != at {
		return None
	}
	return next
}

// Value is what the key that ends at node was given, None if none ends there.
func (t *Trie) Value(at int32) int32 { return t.nodes[at].value }

// Find is the value of key, None if it has none.
func (t *Trie) Find(key []byte) int32 {
	at := Root
	for _, c := range key {
		if at = t.Next(at, c); at == None {
			return None
		}
	}
	return t.nodes[at].value
}

// Longest is the longest key that text begins with and its value; 0 and None if
// there is none.
func (t *Trie) Longest(text []byte) (length int, value int32) {
	at := Root
	value = None
	for i, c := range text {
		if at = t.Next(at, c); at == None {
			break
		}
		if v := t.nodes[at].value; v != None {
			length, value = i+1, v
		}
	}
	return length, value
}

// Key is a string and its value, which is not negative.
type Key struct {
	Text  string
	Value int32
}

// New makes a trie of keys, which it sorts. Of equal ones the lowest value counts.
func New(keys []Key) *Trie {
	slices.SortFunc(keys, func(a, b Key) int {
		if c := strings.Compare(a.Text, b.Text); c != 0 {
			return c
		}
		return cmp.Compare(a.Value, b.Value)
	})
	keys = slices.CompactFunc(keys, func(a, b Key) bool { return a.Text == b.Text })
	b := builder{keys: keys, free: None}
	b.grow()
	b.take(Root)
	b.fill(Root, 0, len(keys), 0)
	b.finish()
	return &Trie{nodes: b.nodes}
}

// block is how many nodes are added at a time: base^c stays in the block of base.
const block = 256

// openBlocks is how many of the last blocks are searched for free places: more
// packs tighter and builds slower; 16 leaves about 1% of the places free.
const openBlocks = 16

// maxTries is how many free places are tried before a block is added.
const maxTries = 48

// builder places nodes. The free places of the open blocks form a ring through
// base (next) and value (last), marked by parent None.
type builder struct {
	keys   []Key
	nodes  []node
	closed int32     // nodes before it are in no ring
	free   int32     // some place of the ring, None if it is empty
	labels [256]byte // scratch of fill
}

const freeMark = int32(-2)

// grow adds a block of free places and closes the oldest one beyond openBlocks.
func (b *builder) grow() {
	start := int32(len(b.nodes))
	if start > 1<<31-1-2*block {
		panic(fmt.Sprintf("trie: New: %d keys are too many", len(b.keys)))
	}
	for range block {
		b.nodes = append(b.nodes, node{parent: freeMark, value: None})
	}
	for i := start; i < start+block; i++ {
		b.link(i)
	}
	for b.closed+openBlocks*block < int32(len(b.nodes)) {
		for i := b.closed; i < b.closed+block; i++ {
			if b.nodes[i].parent == freeMark {
				b.unlink(i)
				b.nodes[i] = node{parent: None, value: None}
			}
		}
		b.closed += block
	}
}

func (b *builder) link(i int32) {
	if b.free == None {
		b.nodes[i].base, b.nodes[i].value = i, i
		b.free = i
		return
	}
	last := b.nodes[b.free].value // new places come last: old ones are filled first
	b.nodes[i].base, b.nodes[i].value = b.free, last
	b.nodes[last].base = i
	b.nodes[b.free].value = i
}

func (b *builder) unlink(i int32) {
	next, last := b.nodes[i].base, b.nodes[i].value
	if next == i {
		b.free = None
		return
	}
	b.nodes[last].base, b.nodes[next].value = next, last
	if b.free == i {
		b.free = next
	}
}

// take makes a free place a node without children.
func (b *builder) take(i int32) {
	b.unlink(i)
	b.nodes[i] = node{base: None, parent: None, value: None}
}

// fill gives node at the children that keys[from:to], equal up to depth, ask for.
func (b *builder) fill(at int32, from, to, depth int) {
	if from < to && len(b.keys[from].Text) == depth {
		b.nodes[at].value = b.keys[from].Value
		from++
	}
	if from == to {
		return
	}
	labels := b.labels[:0]
	for i := from; i < to; i++ {
		c := b.keys[i].Text[depth]
		if len(labels) == 0 || labels[len(labels)-1] != c {
			labels = append(labels, c)
		}
	}
	base := b.place(labels)
	b.nodes[at].base = base
	for _, c := range labels {
		child := base ^ int32(c)
		b.take(child)
		b.nodes[child].parent = at
	}
	for from < to {
		c := b.keys[from].Text[depth]
		end := from + 1
		for end < to && b.keys[end].Text[depth] == c {
			end++
		}
		b.fill(base^int32(c), from, end, depth+1)
		from = end
	}
}

// place finds a base whose children are free. Nodes may share a base: a child
// knows its parent.
func (b *builder) place(labels []byte) int32 {
	for {
		for tries := 0; b.free != None && tries < maxTries; tries++ {
			if base := b.free ^ int32(labels[0]); b.fits(base, labels) {
				return base
			}
			b.free = b.nodes[b.free].base
		}
		b.grow()
	}
}

func (b *builder) fits(base int32, labels []byte) bool {
	for _, c := range labels[1:] {
		if b.nodes[base^int32(c)].parent != freeMark {
			return false
		}
	}
	return true
}

// finish makes free places harmless and gives nodes without children a base whose
// places are no children of theirs.
func (b *builder) finish() {
	for i := range b.nodes {
		n := &b.nodes[i]
		if n.parent == freeMark {
			*n = node{parent: None, value: None}
		}
		if n.base == None {
			n.base = 0
		}
	}
}
