package tokenizer

// candidate is a pair that may be merged next, with its count when it was queued
// and the words in which it arose.
type candidate struct {
	count int64
	pair  uint64
	order int // of queueing, between two candidates of the same pair
	words []uint32
}

// before says whether a comes before b: the higher count, then the lower ids.
func (a *candidate) before(b *candidate) bool {
	if a.count != b.count {
		return a.count > b.count
	}
	if a.pair != b.pair {
		return a.pair < b.pair
	}
	return a.order < b.order
}

// candidates is a heap with the next candidate first.
type candidates struct {
	heap   []candidate
	queued int
}

func (c *candidates) push(x candidate) {
	c.queued++
	x.order = c.queued
	c.heap = append(c.heap, x)
	i := len(c.heap) - 1
	for i > 0 && x.before(&c.heap[(i-1)/2]) {
		c.heap[i] = c.heap[(i-1)/2]
		i = (i - 1) / 2
	}
	c.heap[i] = x
}

func (c *candidates) pop() candidate {
	h := c.heap
	top, x := h[0], h[len(h)-1]
	h[len(h)-1] = candidate{} // lets go of its words
	h = h[:len(h)-1]
	c.heap = h
	if len(h) == 0 {
		return top
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1].before(&h[child]) {
			child++
		}
		if !h[child].before(&x) {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = x
	return top
}
