// Package heap is a binary heap in a slice, for merging long pieces and for training.
// Its functions are pure; a heap belongs to one goroutine.
package heap

// Ordered is a type whose values come one before the other.
type Ordered[T any] interface{ Before(T) bool }

// Push adds x to a heap, in which nothing comes before its first element.
func Push[T Ordered[T]](heap *[]T, x T) {
	h := append(*heap, x)
	*heap = h
	i := len(h) - 1
	for i > 0 && x.Before(h[(i-1)/2]) {
		h[i] = h[(i-1)/2]
		i = (i - 1) / 2
	}
	h[i] = x
}

// Pop takes the first element of a heap that is not empty.
func Pop[T Ordered[T]](heap *[]T) T {
	var none T
	h := *heap
	top, x := h[0], h[len(h)-1]
	h[len(h)-1] = none // lets go of what it holds
	h = h[:len(h)-1]
	*heap = h
	if len(h) == 0 {
		return top
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1].Before(h[child]) {
			child++
		}
		if !h[child].Before(x) {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = x
	return top
}
