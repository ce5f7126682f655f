package bpe

import (
	"fmt"
	"math"
)

// Merge is one rule of BPE: Left and Right, side by side, become ID. Its rank, the
// place in the list, says how early it is applied.
type Merge struct{ Left, Right, ID int32 }

// noRank is the rank of a pair without a merge.
const noRank = math.MaxInt32

// MergeOf resolves a merge that is given as text. Of right the first prefix bytes,
// the length of the continuing subword prefix, are not written in the piece that is
// made. A piece that is missing is an error that names it.
func MergeOf(v *Vocabulary, left, right []byte, prefix int) (Merge, error) {
	var m Merge
	var ok bool
	if m.Left, ok = v.ID(left); !ok {
		return m, fmt.Errorf("the merge of %q and %q needs the piece %q, which is not in the vocabulary", left, right, left)
	}
	if m.Right, ok = v.ID(right); !ok {
		return m, fmt.Errorf("the merge of %q and %q needs the piece %q, which is not in the vocabulary", left, right, right)
	}
	if prefix > len(right) {
		return m, fmt.Errorf("the right side of the merge of %q and %q is shorter than the continuing subword prefix", left, right)
	}
	var room [256]byte
	whole := append(append(room[:0], left...), right[prefix:]...)
	if m.ID, ok = v.ID(whole); !ok {
		return m, fmt.Errorf("the merge of %q and %q needs the piece %q, which is not in the vocabulary", left, right, whole)
	}
	return m, nil
}

// AllMerges returns a merge for every way to part every piece in two pieces, in the
// order of the pieces and then of where they part: what a rank file, which lists no
// merges, means. A byte-level vocabulary is parted between its characters, which are
// bytes of text.
func AllMerges(v *Vocabulary) []Merge {
	merges := make([]Merge, 0, 2*v.Size())
	for id := range int32(v.Size()) {
		piece := v.Piece(id)
		for at := 1; at < len(piece); at++ {
			if piece[at]&0xC0 == 0x80 {
				continue
			}
			left, ok := v.ID(piece[:at])
			if !ok {
				continue
			}
			if right, ok := v.ID(piece[at:]); ok {
				merges = append(merges, Merge{left, right, id})
			}
		}
	}
	return merges
}

// pairTable finds the merge of a pair: an open hash table of merges, half full, whose slots tell most pairs without a merge apart by themselves.
type pairTable struct {
	slots []uint64 // rank+1 in the low half, a part of the hash above; 0 is free
	rules []Merge
	ranks []int32 // of each rule, if not its place
}

// pairRule is a merge that can be done: its rank, noRank for none, and what it makes.
type pairRule struct{ rank, made int32 }

// manyMerges is from how many merges on a table of the pairs of bytes, which takes
// 512 kB, is worth its room: with fewer the other table stays in the processor's caches.
const manyMerges = 1 << 15

// bytePairs has the merges of all pairs of bytes, in which every piece begins.
type bytePairs [NumBytes * NumBytes]pairRule

// newBytePairs looks them up.
func newBytePairs(t *pairTable, ids *[NumBytes]int32) *bytePairs {
	byteOf := make(map[int32][]int, NumBytes)
	for b, id := range ids {
		byteOf[id] = append(byteOf[id], b)
	}
	table := new(bytePairs)
	for i := range table {
		table[i].rank = noRank
	}
	for i := range t.rules {
		m := &t.rules[i]
		for _, a := range byteOf[m.Left] {
			for _, b := range byteOf[m.Right] {
				at := &table[a*NumBytes+b]
				at.rank, at.made = t.rank(m.Left, m.Right)
			}
		}
	}
	return table
}

// newPairTable indexes merges.
func newPairTable(merges []Merge, byID bool) pairTable {
	t := pairTable{slots: make([]uint64, 2*len(merges)+1), rules: merges}
	if byID {
		t.ranks = make([]int32, len(merges))
		for i, m := range merges {
			t.ranks[i] = m.ID
		}
	}
	for i, m := range merges {
		t.put(uint32(i), m)
	}
	return t
}

// hashPair mixes a pair. The slot comes from the top bits and the mark from the low
// half.
func hashPair(left, right int32) uint64 {
	h := (uint64(uint32(left))<<32 | uint64(uint32(right))) * 0x9E3779B97F4A7C15
	return (h ^ h>>29) * 0xBF58476D1CE4E5B9
}

// start is the first slot for a hash.
func (t *pairTable) start(h uint64) int { return int(h >> 32 * uint64(len(t.slots)) >> 32) }

// put stores rule i, in the place of an earlier one for the same pair.
func (t *pairTable) put(i uint32, m Merge) {
	h := hashPair(m.Left, m.Right)
	for at := t.start(h); ; at++ {
		if at == len(t.slots) {
			at = 0
		}
		slot := t.slots[at]
		if slot != 0 {
			if old := t.rules[uint32(slot)-1]; old.Left != m.Left || old.Right != m.Right {
				continue
			}
		}
		t.slots[at] = h<<32 | uint64(i+1)
		return
	}
}

// find returns the rule for a pair, -1 if there is none.
func (t *pairTable) find(left, right int32) int32 {
	h := hashPair(left, right)
	for at := t.start(h); ; at++ {
		if at == len(t.slots) {
			at = 0
		}
		slot := t.slots[at]
		if slot == 0 {
			return -1
		}
		if uint32(slot>>32) == uint32(h) {
			i := uint32(slot) - 1
			if r := &t.rules[i]; r.Left == left && r.Right == right {
				return int32(i)
			}
		}
	}
}

// rank returns the rank of a pair's merge and what it makes; noRank if there is
// none.
func (t *pairTable) rank(left, right int32) (rank, id int32) {
	i := t.find(left, right)
	if i < 0 {
		return noRank, 0
	}
	id = t.rules[i].ID
	if t.ranks != nil {
		return t.ranks[i], id
	}
	return i, id
}
