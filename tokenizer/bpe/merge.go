package bpe

import (
	"slices"
	"unicode/utf8"

	"github.com/aries-serpent/codexml/tokenizer/internal/heap"
)

// shortPiece is the length up to which looking at all pairs beats a heap.
const shortPiece = 48

// appendShort appends the ids of a piece of at most shortPiece bytes, in a model
// where each byte has an id: the pair with the lowest rank, the leftmost of equals, is
// merged until no pair has a merge.
func (m *Model) appendShort(dst []int32, piece []byte) []int32 {
	var ids, ranks, made [shortPiece + 1]int32
	n := len(piece)
	if n == 0 {
		return dst
	}
	at, best := 0, int32(noRank)
	ids[0] = m.bytes[piece[0]]
	for i := 1; i < n; i++ {
		ids[i] = m.bytes[piece[i]]
		if m.first != nil {
			rule := &m.first[int(piece[i-1])*NumBytes+int(piece[i])]
			ranks[i-1], made[i-1] = rule.rank, rule.made
		} else {
			ranks[i-1], made[i-1] = m.pairs.rank(ids[i-1], ids[i])
		}
		if ranks[i-1] < best {
			at, best = i-1, ranks[i-1]
		}
	}
	for best != noRank {
		ids[at] = made[at]
		n--
		for i := at + 1; i < n; i++ {
			ids[i], ranks[i], made[i] = ids[i+1], ranks[i+1], made[i+1]
		}
		if at+1 < n {
			ranks[at], made[at] = m.pairs.rank(ids[at], ids[at+1])
		}
		if at > 0 {
			ranks[at-1], made[at-1] = m.pairs.rank(ids[at-1], ids[at])
		}
		at, best = 0, int32(noRank)
		for i, rank := range ranks[:n-1] {
			if rank < best {
				at, best = i, rank
			}
		}
	}
	return append(dst, ids[:n]...)
}

// scratch merges any piece in O(n log n): parts in a linked list, and a heap of the
// merges that can be done.
type scratch struct {
	parts   []part
	heap    []ranked
	written []byte
}

// part is a stretch of a piece that is one id so far, with the merge of it and the
// next part. prev and next are its neighbours, -1 for none.
type part struct {
	id, size   int32 // bytes of text
	rank, made int32
	prev, next int32
}

// ranked is a merge that can be done: rank<<32 | index of the left part.
type ranked uint64

// Before orders merges by rank, then from left to right.
func (a ranked) Before(b ranked) bool { return a < b }

// add appends a part.
func (s *scratch) add(id, size int32) {
	n := int32(len(s.parts))
	s.parts = append(s.parts, part{id: id, size: size, rank: noRank, prev: n - 1, next: n + 1})
}

// first is where the list begins, -1 if it is empty.
func (s *scratch) first() int32 {
	if len(s.parts) == 0 {
		return -1
	}
	return 0
}

// spell makes a part of each byte or character of piece.
func (s *scratch) spell(m *Model, piece []byte) {
	s.parts = slices.Grow(s.parts[:0], len(piece))
	unknown := int32(0) // bytes of unknown characters that have no part yet
	for i := 0; i < len(piece); {
		size := 1
		if !m.config.ByteLevel && piece[i] >= utf8.RuneSelf {
			_, size = utf8.DecodeRune(piece[i:])
		}
		end := i + size
		id := s.symbol(m, piece, i, end)
		switch {
		case id >= 0:
			if unknown > 0 {
				s.add(m.config.Unknown, unknown)
				unknown = 0
			}
			s.add(id, int32(size))
		case s.fallBack(m):
		case m.config.Unknown >= 0:
			if unknown > 0 && !m.config.FuseUnknown {
				s.add(m.config.Unknown, unknown)
				unknown = 0
			}
			unknown += int32(size)
		}
		i = end
	}
	if unknown > 0 {
		s.add(m.config.Unknown, unknown)
	}
	if n := len(s.parts); n > 0 {
		s.parts[n-1].next = -1
	}
}

// symbol returns the id of piece[i:end], a byte or a character, -1 if it has none,
// with its writing in s.written if that was needed.
func (s *scratch) symbol(m *Model, piece []byte, i, end int) int32 {
	c := &m.config
	plain := (c.Prefix == "" || i == 0) && (c.Suffix == "" || end < len(piece))
	if plain && c.ByteLevel && m.bytes[piece[i]] >= 0 {
		return m.bytes[piece[i]]
	}
	if plain && !c.ByteLevel && piece[i] < utf8.RuneSelf && m.ascii[piece[i]] >= 0 {
		return m.ascii[piece[i]]
	}
	s.written = s.written[:0]
	if i > 0 {
		s.written = append(s.written, c.Prefix...)
	}
	if c.ByteLevel {
		s.written = AppendWritten(s.written, piece[i:end])
	} else {
		s.written = append(s.written, piece[i:end]...)
	}
	if end == len(piece) {
		s.written = append(s.written, c.Suffix...)
	}
	return c.Vocabulary.find1(s.written)
}

// fallBack spells what is written with the pieces of single bytes, if it can.
func (s *scratch) fallBack(m *Model) bool {
	if !m.config.ByteFallback {
		return false
	}
	for _, b := range s.written {
		if m.fallback[b] < 0 {
			return false
		}
	}
	for _, b := range s.written {
		s.add(m.fallback[b], 1)
	}
	return true
}

// merge merges the parts.
func (s *scratch) merge(m *Model) {
	s.heap = s.heap[:0]
	for i := range s.parts {
		s.rerank(m, int32(i))
	}
	for len(s.heap) > 0 {
		top := heap.Pop(&s.heap)
		at := int32(uint32(top))
		left := &s.parts[at]
		if left.rank != int32(top>>32) {
			continue // a neighbour was merged since
		}
		right := &s.parts[left.next]
		left.id, left.next = left.made, right.next
		left.size += right.size
		right.rank = noRank
		if left.next >= 0 {
			s.parts[left.next].prev = at
		}
		s.rerank(m, at)
		if left.prev >= 0 {
			s.rerank(m, left.prev)
		}
	}
}

// rerank looks up the merge of the part at i and the next, and queues it.
func (s *scratch) rerank(m *Model, i int32) {
	p := &s.parts[i]
	p.rank = noRank
	if p.next < 0 {
		return
	}
	p.rank, p.made = m.pairs.rank(p.id, s.parts[p.next].id)
	if p.rank != noRank {
		heap.Push(&s.heap, ranked(p.rank)<<32|ranked(uint32(i)))
	}
}
