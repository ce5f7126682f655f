package tokenizer

// candidate is a pair that may be merged next, with its count when it was queued
// and the words in which it arose.
type candidate struct {
	count int64
	pair  uint64
	words []uint32
}

// before says whether a comes before b: the higher count, then the lower ids.
func (a *candidate) before(b *candidate) bool {
	if a.count != b.count {
		return a.count > b.count
	}
	return a.pair < b.pair
}

// candidates is a heap with the next candidate first.
type candidates []candidate

func (c *candidates) push(x candidate) {
	h := append(*c, x)
	*c = h
	i := len(h) - 1
	for i > 0 && x.before(&h[(i-1)/2]) {
		h[i] = h[(i-1)/2]
		i = (i - 1) / 2
	}
	h[i] = x
}

func (c *candidates) pop() candidate {
	h := *c
	top, x := h[0], h[len(h)-1]
	h[len(h)-1] = candidate{} // lets go of its words
	h = h[:len(h)-1]
	*c = h
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
