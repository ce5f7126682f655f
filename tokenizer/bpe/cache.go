package bpe

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
)

// pieceCache remembers the ids of short pieces, which text repeats a great deal. All
// callers share it without locks: a slot is written once, by whoever claims it, and
// never again, so that a reader who finds his piece's key in it can trust the rest.
// When the slots have become too few for the text, all are given up for new ones,
// which bounds the memory and follows the text. Ids are a function of the piece, so
// the cache cannot change a result.
type pieceCache struct {
	slots atomic.Pointer[pieceSlots]
}

const (
	// smallBits and largeBits give the numbers of slots: 8 MiB and 4 MiB. 24 MB of Go
	// source have 87,000 different pieces for small slots and 20,000 for large ones
	// with Qwen3's vocabulary: a third of the slots, at which few find none.
	smallBits, largeBits = 18, 16
	// A small slot takes a piece of maxSmall bytes and three ids in half a cache
	// line, a large one maxLarge bytes and seven ids in a whole one.
	maxSmall, smallIDs = 15, 3
	maxLarge, largeIDs = 31, 7
	// ways is how many slots a piece may lie in.
	ways = 4
	// maxRefused is how many pieces may find no slot before all slots are given up.
	maxRefused = 1 << smallBits
)

// A small slot is two words of key, two ids, and the third id with the header; without
// ids it says that a large slot has them. The
// header's claim is the first that is written, the key's last word, which is never 0,
// the last.
type smallSlot [4]atomic.Uint64

// A large slot is four words of key, six ids, and the seventh with the header.
type largeSlot [8]atomic.Uint64

// claimed marks a header; the number of ids is in the byte above the id.
const claimed = 1 << 63

type pieceSlots struct {
	small   [1 << smallBits]smallSlot
	large   [1 << largeBits]largeSlot
	refused atomic.Int64
}

// use returns the slots, made when first asked for.
func (c *pieceCache) use() *pieceSlots {
	if s := c.slots.Load(); s != nil {
		return s
	}
	c.slots.CompareAndSwap(nil, new(pieceSlots))
	return c.slots.Load()
}

// refuse counts a piece without a slot, and gives up the slots when it was one too
// many.
func (c *pieceCache) refuse(s *pieceSlots) {
	if s.refused.Add(1) == maxRefused {
		c.slots.CompareAndSwap(s, new(pieceSlots))
	}
}

// smallKey is a piece of up to maxSmall bytes: its bytes, zeros, and its length in
// the last byte.
type smallKey struct{ lo, hi uint64 }

// keyMask has ones where a piece of so many bytes has bytes.
var keyMask = func() (table [maxSmall + 1]smallKey) {
	for n := range table {
		for i := range n {
			if i < 8 {
				table[n].lo |= 0xFF << (8 * i)
			} else {
				table[n].hi |= 0xFF << (8 * (i - 8))
			}
		}
	}
	return table
}()

// smallKeyOf makes the key of a piece.
func smallKeyOf(piece []byte) smallKey {
	var room [maxSmall + 1]byte
	copy(room[:maxSmall], piece)
	room[maxSmall] = byte(len(piece))
	return smallKey{binary.LittleEndian.Uint64(room[:]), binary.LittleEndian.Uint64(room[8:])}
}

// slot returns the first of the slots where k may lie.
func (k smallKey) slot() uint64 {
	hi, lo := bits.Mul64(k.lo^0x9E3779B97F4A7C15, k.hi^0xD6E8FEB86659FD93)
	return (hi ^ lo) >> (64 - smallBits)
}

// putSmall stores the ids of a piece, at most smallIDs, if there is a slot.
func (s *pieceSlots) putSmall(k smallKey, ids []int32) bool {
	first := k.slot()
	for way := range uint64(ways) {
		slot := &s.small[first^way]
		if slot[3].Load() != 0 {
			continue
		}
		var words [4]uint32
		for i, id := range ids {
			words[i] = uint32(id)
		}
		header := claimed | uint64(len(ids))<<32 | uint64(words[2])
		if !slot[3].CompareAndSwap(0, header) {
			continue
		}
		slot[0].Store(k.lo)
		slot[2].Store(uint64(words[0]) | uint64(words[1])<<32)
		slot[1].Store(k.hi)
		return true
	}
	return false
}

// largeKey is a piece of up to maxLarge bytes, written like a smallKey.
type largeKey [4]uint64

// largeKeyOf makes the key of a piece.
func largeKeyOf(piece []byte) (k largeKey) {
	var room [maxLarge + 1]byte
	copy(room[:maxLarge], piece)
	room[maxLarge] = byte(len(piece))
	for i := range k {
		k[i] = binary.LittleEndian.Uint64(room[8*i:])
	}
	return k
}

// slot returns the first of the slots where k may lie.
func (k *largeKey) slot() uint64 {
	a := smallKey{k[0], k[1]}
	hi, lo := bits.Mul64(k[2]^0x9E3779B97F4A7C15, k[3]^0xD6E8FEB86659FD93)
	hi2, lo2 := bits.Mul64(a.lo^hi^lo, a.hi^0xA0761D6478BD642F)
	return (hi2 ^ lo2) >> (64 - largeBits)
}

// findLarge appends the ids of a piece, if they are there.
func (s *pieceSlots) findLarge(dst []int32, k *largeKey) (ids []int32, ok bool) {
	first := k.slot()
	for way := range uint64(ways) {
		slot := &s.large[first^way]
		if slot[3].Load() != k[3] || slot[0].Load() != k[0] || slot[1].Load() != k[1] || slot[2].Load() != k[2] {
			continue
		}
		header := slot[7].Load()
		a, b, c := slot[4].Load(), slot[5].Load(), slot[6].Load()
		all := [largeIDs]int32{int32(a), int32(a >> 32), int32(b), int32(b >> 32), int32(c), int32(c >> 32), int32(header)}
		return append(dst, all[:header>>32&7]...), true
	}
	return dst, false
}

// putLarge stores the ids of a piece, at most largeIDs, if there is a slot.
func (s *pieceSlots) putLarge(k *largeKey, ids []int32) bool {
	first := k.slot()
	for way := range uint64(ways) {
		slot := &s.large[first^way]
		if slot[7].Load() != 0 {
			continue
		}
		var words [largeIDs]uint64
		for i, id := range ids {
			words[i] = uint64(uint32(id))
		}
		if !slot[7].CompareAndSwap(0, claimed|uint64(len(ids))<<32|words[6]) {
			continue
		}
		for i := range 3 {
			slot[i].Store(k[i])
			slot[4+i].Store(words[2*i] | words[2*i+1]<<32)
		}
		slot[3].Store(k[3])
		return true
	}
	return false
}
