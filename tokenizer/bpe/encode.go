package bpe

import (
	"slices"

	"github.com/aries-serpent/codexml/tokenizer/internal/heap"
)

// AppendIDs appends the ids of one piece to dst. It allocates nothing but dst's
// growth and is safe for concurrent use.
func (t *Model) AppendIDs(dst []int32, piece []byte) []int32 {
	return t.appendPiece(dst, t.cache.use(), piece, 0, len(piece))
}

// AppendChunk appends the ids of text, whose pieces end where ends say.
func (t *Model) AppendChunk(dst []int32, text []byte, ends []int32) []int32 {
	slots := t.cache.use()
	start := 0
	for _, end := range ends {
		dst = t.appendPiece(dst, slots, text, start, int(end))
		start = int(end)
	}
	return dst
}

// appendPiece appends the ids of text[start:end].
func (t *Model) appendPiece(dst []int32, slots *pieceSlots, text []byte, start, end int) []int32 {
	switch size := end - start; {
	case size == 0:
		return dst
	case size == 1:
		return append(dst, t.bytes[text[start]])
	case size > maxCachedPiece:
		return t.appendMerged(dst, text[start:end])
	}
	var key pieceKey
	key.set(text, start, end)
	before, found := len(dst), false
	if dst, found = slots.find(dst, &key); !found {
		dst = t.appendMerged(dst, text[start:end])
		slots.put(&key, dst[before:])
	}
	return dst
}

// shortPiece is the length up to which looking at all pairs beats a heap.
const shortPiece = 48

// appendMerged appends the ids of one piece: its bytes, in which the pair with the
// lowest rank, the leftmost of equals, is merged until no pair has a merge.
func (t *Model) appendMerged(dst []int32, piece []byte) []int32 {
	if len(piece) > shortPiece {
		long := t.scratch.Get().(*longPiece)
		dst = long.appendMerged(dst, t, piece)
		t.scratch.Put(long)
		return dst
	}
	var parts [shortPiece]part
	n := len(piece)
	for i, b := range piece {
		parts[i] = part{id: t.bytes[b], rank: noRank}
		if i > 0 {
			parts[i-1].rank, parts[i-1].made = t.merges.rank(parts[i-1].id, parts[i].id)
		}
	}
	for {
		at, best := 0, int32(noRank)
		for i := range parts[:n] {
			if parts[i].rank < best {
				at, best = i, parts[i].rank
			}
		}
		if best == noRank {
			break
		}
		parts[at].id = parts[at].made
		copy(parts[at+1:n], parts[at+2:n])
		n--
		t.rerank(parts[:n], at)
		if at > 0 {
			t.rerank(parts[:n], at-1)
		}
	}
	for i := range parts[:n] {
		dst = append(dst, parts[i].id)
	}
	return dst
}

// part is a stretch of a piece that is one id so far, with the merge of it and the
// next part.
type part struct{ id, rank, made int32 }

// rerank looks up the merge of parts[i] and the next.
func (t *Model) rerank(parts []part, i int) {
	parts[i].rank = noRank
	if i+1 < len(parts) {
		parts[i].rank, parts[i].made = t.merges.rank(parts[i].id, parts[i+1].id)
	}
}

// longPiece merges long pieces in O(n log n): parts in a linked list, and a heap
// of the merges that can be done.
type longPiece struct {
	parts []linkedPart
	heap  []ranked
}

// ranked is a merge that can be done: rank<<32 | index of the left part.
type ranked uint64

// Before orders merges by rank, then from left to right.
func (a ranked) Before(b ranked) bool { return a < b }

// linkedPart is a part among its neighbours; -1 stands for none.
type linkedPart struct {
	part
	prev, next int32
}

func (l *longPiece) appendMerged(dst []int32, t *Model, piece []byte) []int32 {
	l.parts = slices.Grow(l.parts[:0], len(piece))
	l.heap = l.heap[:0]
	for i, b := range piece {
		l.parts = append(l.parts, linkedPart{part{id: t.bytes[b], rank: noRank}, int32(i - 1), int32(i + 1)})
	}
	l.parts[len(piece)-1].next = -1
	for i := range l.parts {
		l.rerank(t, int32(i))
	}
	for len(l.heap) > 0 {
		top := heap.Pop(&l.heap)
		at := int32(uint32(top))
		left := &l.parts[at]
		if left.rank != int32(top>>32) {
			continue // a neighbour was merged since
		}
		right := &l.parts[left.next]
		left.id, left.next = left.made, right.next
		right.rank = noRank
		if left.next >= 0 {
			l.parts[left.next].prev = at
		}
		l.rerank(t, at)
		if left.prev >= 0 {
			l.rerank(t, left.prev)
		}
	}
	for i := int32(0); i >= 0; i = l.parts[i].next {
		dst = append(dst, l.parts[i].id)
	}
	return dst
}

// rerank looks up the merge of the part at i and the next, and queues it.
func (l *longPiece) rerank(t *Model, i int32) {
	p := &l.parts[i]
	p.rank = noRank
	if p.next < 0 {
		return
	}
	p.rank, p.made = t.merges.rank(p.id, l.parts[p.next].id)
	if p.rank != noRank {
		heap.Push(&l.heap, ranked(p.rank)<<32|ranked(uint32(i)))
	}
}
