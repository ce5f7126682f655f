package regex

import (
	"math/bits"
	"sync"
	"unicode/utf8"
)

// memo is a set of keys: an open hash table, at most half full. Keys are below 2^64-1.
type memo struct {
	slots []uint64 // the key plus 1; 0 is free
	count int
}

// keptMemo is the largest table that is kept for the next search.
const keptMemo = 1 << 12

func (s *memo) slot(key uint64) int {
	i := int(key * 0x9E3779B97F4A7C15 >> 32 * uint64(len(s.slots)) >> 32)
	for s.slots[i] != 0 && s.slots[i] != key+1 {
		if i++; i == len(s.slots) {
			i = 0
		}
	}
	return i
}

func (s *memo) has(key uint64) bool {
	return s.count > 0 && s.slots[s.slot(key)] != 0
}

func (s *memo) add(key uint64) {
	if 2*s.count >= len(s.slots) {
		old := s.slots
		s.slots = make([]uint64, max(2*len(old), 1024))
		for _, k := range old {
			if k != 0 {
				s.slots[s.slot(k-1)] = k
			}
		}
	}
	if i := s.slot(key); s.slots[i] == 0 {
		s.slots[i] = key + 1
		s.count++
	}
}

func (s *memo) clear() {
	if s.count == 0 {
		return
	}
	if s.count = 0; len(s.slots) > keptMemo {
		s.slots = nil
	}
	clear(s.slots)
}

func lowestBit(mask uint64) int { return bits.TrailingZeros64(mask) }

// words and rustWords are what \b asks.
var (
	words     = sync.OnceValue(func() *table { return newTable(property("word")) })
	rustWords = sync.OnceValue(func() *table {
		s, _ := looseProperty("word", rust)
		return newTable(s)
	})
)

// isBoundary tells whether a word of t's characters begins or ends at text[pos].
func isBoundary(t *table, text []byte, pos int) bool {
	before, after := false, false
	if pos > 0 {
		_, size := utf8.DecodeLastRune(text[:pos])
		before, _ = t.at(text, pos-size)
	}
	if pos < len(text) {
		after, _ = t.at(text, pos)
	}
	return before != after
}
