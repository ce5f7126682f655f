package bpe

import "math"

// Merge is one rule of BPE: Left and Right, side by side, become ID. Its rank, the
// place in the list, says how early it is applied.
type Merge struct{ Left, Right, ID int32 }

// noRank is the rank of a pair without a merge.
const noRank = math.MaxInt32

// mergeTable finds the merge of a pair: an open hash table, two thirds full.
type mergeTable []mergeSlot

// mergeSlot holds one merge; a key of 0 is a free slot.
type mergeSlot struct {
	key      uint64
	rank, id int32
}

// newMergeTable indexes a list. Of a pair that is in it twice the later one
// counts, as in the original.
func newMergeTable(list []Merge) mergeTable {
	t := make(mergeTable, len(list)+len(list)/2+1)
	for rank, m := range list {
		key := PairKey(m.Left, m.Right)
		t[t.find(key)] = mergeSlot{key, int32(rank), m.ID}
	}
	return t
}

// PairKey packs a pair into a key, which is never 0.
func PairKey(left, right int32) uint64 {
	return 1<<63 | uint64(uint32(left))<<32 | uint64(uint32(right))
}

// find returns the slot where key is or would be.
func (t mergeTable) find(key uint64) int {
	hash := key * 0x9E3779B97F4A7C15 >> 32
	slot := int(hash * uint64(len(t)) >> 32)
	for t[slot].key != key && t[slot].key != 0 {
		if slot++; slot == len(t) {
			slot = 0
		}
	}
	return slot
}

// rank returns the rank of a pair's merge and what it makes; noRank if there is
// none.
func (t mergeTable) rank(left, right int32) (rank, id int32) {
	slot := &t[t.find(PairKey(left, right))]
	if slot.key == 0 {
		return noRank, 0
	}
	return slot.rank, slot.id
}
