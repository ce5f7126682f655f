package normalize

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
)

// trie is a double array of keys over bytes, in the format of SentencePiece's
// charsmaps (Darts-clone). A unit is: bits 0-7 label, 8 has a leaf, 9 the offset is
// to be shifted by 8, 10-30 offset; a leaf: bit 31 set, bits 0-30 the value. A unit
// that points outside, in a hostile file, is a dead end.
type trie []uint32

const (
	trieLeaf   = 1 << 8
	trieWide   = 1 << 9
	trieIsLeaf = 1 << 31
)

func readTrie(data []byte) trie {
	t := make(trie, len(data)/4)
	for i := range t {
		t[i] = binary.LittleEndian.Uint32(data[4*i:])
	}
	return t
}

func trieOffset(unit uint32) uint32 { return unit >> 10 << (unit & trieWide >> 6) }

// root is the node of the empty key.
func (t trie) root() uint32 {
	if len(t) == 0 {
		return 0
	}
	return trieOffset(t[0])
}

// step goes from a node by byte b. value is -1 where no key ends.
func (t trie) step(node uint32, b byte) (next uint32, value int, ok bool) {
	node ^= uint32(b)
	if uint64(node) >= uint64(len(t)) {
		return 0, 0, false
	}
	unit := t[node]
	if unit&(trieIsLeaf|0xFF) != uint32(b) {
		return 0, 0, false
	}
	node ^= trieOffset(unit)
	if unit&trieLeaf != 0 {
		if uint64(node) >= uint64(len(t)) {
			return 0, 0, false
		}
		return node, int(t[node] &^ trieIsLeaf), true
	}
	return node, -1, true
}

// entry is a key of a trie with its value.
type entry struct {
	key   string
	value int
}

// trieNode is a node with its children in order of label: label 0 is the end of a
// key, with its value; other labels lead to a node.
type trieNode struct {
	labels []byte
	values []int // the value, or the index of the node
}

// trieBuilder makes nodes, equal ones once, and gives them places: the children
// of a node are at base ^ label.
type trieBuilder struct {
	nodes []trieNode
	known map[string]int

	units []uint32
	used  []bool // by unit
	based []bool // by base: two nodes may not share one
	bases []uint32
}

// buildTrie makes a trie of entries with different keys that are not empty and
// contain no zero byte; it sorts them.
func buildTrie(entries []entry) (trie, error) {
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	b := &trieBuilder{known: map[string]int{}}
	root := b.node(entries, 0)
	b.bases = make([]uint32, len(b.nodes))
	b.grow(256)
	b.used[0], b.based[0] = true, true
	// A parent comes after its children, the root last: from the root on, the
	// nodes that are walked through most are near each other.
	for i := root; i >= 0; i-- {
		b.place(i)
	}
	return b.units, b.link(root)
}

// node makes the node of entries that share their first depth bytes.
func (b *trieBuilder) node(entries []entry, depth int) int {
	var n trieNode
	for len(entries) > 0 {
		if len(entries[0].key) == depth {
			n.labels, n.values = append(n.labels, 0), append(n.values, entries[0].value)
			entries = entries[1:]
			continue
		}
		label, end := entries[0].key[depth], 1
		for end < len(entries) && entries[end].key[depth] == label {
			end++
		}
		n.labels, n.values = append(n.labels, label), append(n.values, b.node(entries[:end], depth+1))
		entries = entries[end:]
	}
	key := fmt.Sprint(n.labels, n.values)
	i, ok := b.known[key]
	if !ok {
		i = len(b.nodes)
		b.nodes = append(b.nodes, n)
		b.known[key] = i
	}
	return i
}

func (b *trieBuilder) grow(n int) {
	for len(b.units) < n {
		b.units = append(b.units, make([]uint32, 256)...)
		b.used = append(b.used, make([]bool, 256)...)
		b.based = append(b.based, make([]bool, 256)...)
	}
}

// searched is how many units, at the end, are searched for free places: more finds
// little more and takes longer.
const searched = 32 * 256

// place finds a base for a node: a unit's label alone says whose child it is, so
// that no two nodes may have the same.
func (b *trieBuilder) place(node int) {
	labels := b.nodes[node].labels
	for at := max(1, len(b.units)-searched); ; at++ {
		base := uint32(at) ^ uint32(labels[0])
		if at >= len(b.units) {
			b.grow(at + 1)
		}
		if b.used[at] || b.based[base] || slices.ContainsFunc(labels, func(l byte) bool { return b.used[base^uint32(l)] }) {
			continue
		}
		b.based[base] = true
		b.bases[node] = base
		for _, l := range labels {
			b.used[base^uint32(l)] = true
		}
		return
	}
}

// link writes the units.
func (b *trieBuilder) link(root int) error {
	if err := b.point(0, root); err != nil {
		return err
	}
	b.units[0] &^= trieLeaf
	for i, n := range b.nodes {
		for j, label := range n.labels {
			at := b.bases[i] ^ uint32(label)
			if label == 0 {
				b.units[at] = trieIsLeaf | uint32(n.values[j])
				continue
			}
			b.units[at] = uint32(label)
			if err := b.point(at, n.values[j]); err != nil {
				return err
			}
		}
	}
	return nil
}

// point makes the unit at lead to a node.
func (b *trieBuilder) point(at uint32, node int) error {
	offset := at ^ b.bases[node]
	switch {
	case offset < 1<<21:
		b.units[at] |= offset << 10
	case offset < 1<<29 && offset&0xFF == 0:
		b.units[at] |= offset>>8<<10 | trieWide
	default:
		return fmt.Errorf("build a charsmap: its trie of %d units is larger than the format holds", len(b.units))
	}
	if b.nodes[node].labels[0] == 0 {
		b.units[at] |= trieLeaf
	}
	return nil
}
