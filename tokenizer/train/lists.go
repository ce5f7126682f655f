package train

// pairKey packs a pair of ids; never 0, so that 0 is a free slot.
func pairKey(left, right int32) uint64 {
	return 1<<63 | uint64(uint32(left))<<32 | uint64(uint32(right))
}

// pairCounts holds a number for each pair, 0 at first: an open hash table.
type pairCounts struct {
	slots []pairCount
	used  int
}

type pairCount struct {
	pair  uint64
	count int64
}

func newPairCounts(pairs int) pairCounts {
	size := 1 << 8
	for size < 2*pairs {
		size *= 2
	}
	return pairCounts{slots: make([]pairCount, size)}
}

// at returns the number of a pair, which is good until the next call.
func (t *pairCounts) at(pair uint64) *int64 {
	slot := t.find(pair)
	if slot.pair == 0 {
		if 4*t.used > 3*len(t.slots) {
			t.grow()
			slot = t.find(pair)
		}
		slot.pair = pair
		t.used++
	}
	return &slot.count
}

// find returns the slot where a pair is or would be.
func (t *pairCounts) find(pair uint64) *pairCount {
	mask := uint64(len(t.slots) - 1)
	h := pair * 0x9E3779B97F4A7C15
	for at := (h ^ h>>32) & mask; ; at = (at + 1) & mask {
		if slot := &t.slots[at]; slot.pair == pair || slot.pair == 0 {
			return slot
		}
	}
}

// grow doubles the table. Pairs that are used up stay behind.
func (t *pairCounts) grow() {
	old := t.slots
	t.slots, t.used = make([]pairCount, 2*len(old)), 0
	for _, s := range old {
		if s.count != 0 {
			*t.find(s.pair) = s
			t.used++
		}
	}
}

// listArena gives room for lists of words from large blocks.
type listArena struct{ block []uint32 }

// listBlock is the size of a block, in words.
const listBlock = 1 << 18

// room returns an empty list with room for n words.
func (a *listArena) room(n int) []uint32 {
	if n > len(a.block) {
		if n >= listBlock/4 {
			return make([]uint32, 0, n)
		}
		a.block = make([]uint32, listBlock)
	}
	list := a.block[:0:n]
	a.block = a.block[n:]
	return list
}

// neighbours gathers what one merge does to the pairs on one side of it. By the
// neighbour's id: one pair loses as much as another gains.
type neighbours struct {
	gains   []int64
	words   [][]uint32 // where the new pair arises
	touched []int32
}

func newNeighbours(ids int) neighbours {
	return neighbours{gains: make([]int64, ids), words: make([][]uint32, ids)}
}

// add notes that the neighbour was found beside a merge in word w.
func (n *neighbours) add(id int32, count int64, w uint32) {
	list := n.words[id]
	if len(list) == 0 {
		n.touched = append(n.touched, id)
	}
	n.gains[id] += count
	if len(list) == 0 || list[len(list)-1] != w {
		n.words[id] = append(list, w)
	}
}

// forget makes ready for the next merge.
func (n *neighbours) forget() {
	for _, id := range n.touched {
		n.gains[id], n.words[id] = 0, n.words[id][:0]
	}
	n.touched = n.touched[:0]
}
