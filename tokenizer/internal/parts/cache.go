package parts

import (
	"encoding/binary"
	"math/bits"
)

// The cache starts small, for those who encode a line, and grows with what it sees,
// to about 8 MB. A quarter of the slots cost 15 to 30% on source code; look again when
// a processor's caches are much smaller or larger than 32 MB.
const (
	minSlots = 1 << 10
	maxSlots = 1 << 17
)

// Slot is what is remembered of a part of a text; it is unset if Steps is 0.
type Slot struct {
	hash  uint32
	key   uint32 // where its text begins in keys
	ids   uint32 // where its ids and sizes begin
	count uint8

	Length uint8 // of the text, in bytes
	Steps  uint8 // no way to cut the text has more pieces
	Plain  bool  // no unknown character
	// Margin and Bound are unigram's: how sure the path is, and how large sums are.
	Margin, Bound float32
}

// Cache remembers parts of texts of at most MaxSegment bytes. A slot goes to the
// last part that asks for it; the storage is emptied when it is full. The zero Cache
// is ready.
type Cache struct {
	slots []Slot
	used  int
	keys  []byte
	ids   []int32
	sizes []uint8
}

func (c *Cache) reset(slots int) {
	if len(c.slots) != slots {
		*c = Cache{slots: make([]Slot, slots), keys: make([]byte, 0, 12*slots), ids: make([]int32, 0, 4*slots), sizes: make([]uint8, 0, 4*slots)}
		return
	}
	clear(c.slots)
	c.used, c.keys, c.ids, c.sizes = 0, c.keys[:0], c.ids[:0], c.sizes[:0]
}

// Find returns what is remembered of text, nil if nothing is.
func (c *Cache) Find(hash uint32, text []byte) *Slot {
	if len(c.slots) == 0 {
		return nil
	}
	s := &c.slots[hash&uint32(len(c.slots)-1)]
	if s.hash == hash && s.Steps > 0 && string(c.keys[s.key:s.key+uint32(s.Length)]) == string(text) {
		return s
	}
	return nil
}

// Put remembers the pieces of text, which were found in at most steps steps: their
// ids, unknown or -1 for an unknown character, and their sizes in bytes.
func (c *Cache) Put(hash uint32, text []byte, steps int, ids []int32, sizes []uint8, unknown int32) *Slot {
	full := len(c.keys)+len(text) > cap(c.keys) || len(c.ids)+len(ids) > cap(c.ids)
	if full || c.used > len(c.slots)*3/4 {
		if len(c.slots) < maxSlots {
			c.reset(max(minSlots, 8*len(c.slots)))
		} else if full {
			c.reset(maxSlots)
		}
	}
	s := &c.slots[hash&uint32(len(c.slots)-1)]
	if s.Steps == 0 {
		c.used++
	}
	*s = Slot{hash: hash, key: uint32(len(c.keys)), ids: uint32(len(c.ids)), Length: uint8(len(text)), count: uint8(len(ids)), Steps: uint8(steps), Plain: true}
	for _, id := range ids {
		s.Plain = s.Plain && id >= 0 && id != unknown
	}
	c.keys = append(c.keys, text...)
	c.ids = append(c.ids, ids...)
	c.sizes = append(c.sizes, sizes...)
	return s
}

// Pieces are the ids and sizes of a slot.
func (c *Cache) Pieces(s *Slot) (ids []int32, sizes []uint8) {
	end := s.ids + uint32(s.count)
	return c.ids[s.ids:end], c.sizes[s.ids:end]
}

// Hash is a hash of text.
func Hash(text []byte) uint32 {
	const k = 0x9E3779B97F4A7C15
	h := uint64(len(text)) * k
	for len(text) >= 8 {
		h = mix(h^binary.LittleEndian.Uint64(text), k)
		text = text[8:]
	}
	n := len(text)
	switch {
	case n >= 4:
		v := uint64(binary.LittleEndian.Uint32(text)) | uint64(binary.LittleEndian.Uint32(text[n-4:]))<<32
		h = mix(h^v, k)
	case n > 0:
		h = mix(h^(uint64(text[0])|uint64(text[n/2])<<8|uint64(text[n-1])<<16), k)
	}
	return uint32(h ^ h>>32)
}

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
