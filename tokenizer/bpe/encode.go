package bpe

import (
	"encoding/binary"
	"slices"
)

// AppendChunk appends the ids of text, cut into pieces that end where ends say. It is
// what a scanner that cuts many pieces at a time is followed by. It allocates nothing
// but dst's growth.
func (m *Model) AppendChunk(dst []int32, text []byte, ends []int32) []int32 {
	slots := m.cache.use()
	start, n := 0, len(dst)
	dst = dst[:cap(dst)]
	for i, e := range ends {
		end := int(e)
		size := end - start
		if uint(size-1) >= maxSmall {
			if size > 0 {
				dst = m.appendLarge(dst[:n], slots, text[start:end])
				n, dst = len(dst), dst[:cap(dst)]
			}
			start = end
			continue
		}
		if n+smallIDs > len(dst) {
			dst = slices.Grow(dst[:n], max(smallIDs, 2*(len(ends)-i)))
			dst = dst[:cap(dst)]
		}
		var key smallKey
		if start+16 > len(text) {
			key = smallKeyOf(text[start:end])
		} else {
			mask, window := &keyMask[size&maxSmall], (*[16]byte)(text[start:])
			key.lo = binary.LittleEndian.Uint64(window[:8]) & mask.lo
			key.hi = binary.LittleEndian.Uint64(window[8:])&mask.hi | uint64(size)<<56
		}
		first := key.slot()
		for way := uint64(0); ; way++ {
			if way == ways {
				dst = m.appendSmall(dst[:n], slots, text[start:end], key)
				n, dst = len(dst), dst[:cap(dst)]
				break
			}
			slot := &slots.small[(first^way)&(1<<smallBits-1)]
			if slot[1].Load() != key.hi || slot[0].Load() != key.lo {
				continue
			}
			two, header := slot[2].Load(), slot[3].Load()
			if header>>32&smallIDs == 0 {
				dst = m.appendLarge(dst[:n], slots, text[start:end])
				n, dst = len(dst), dst[:cap(dst)]
				break
			}
			out := dst[n : n+smallIDs]
			out[0], out[1], out[2] = int32(two), int32(two>>32), int32(header)
			n += int(header >> 32 & smallIDs)
			break
		}
		start = end
	}
	return dst[:n]
}

// appendSmall appends the ids of a piece that no small slot has, and remembers them. A
// small slot without ids stands for a piece that has more of them, in a large one.
func (m *Model) appendSmall(dst []int32, slots *pieceSlots, piece []byte, key smallKey) []int32 {
	before := len(dst)
	dst = m.appendPiece(dst, piece)
	ids := dst[before:]
	kept := true
	switch {
	case len(ids) > largeIDs || len(ids) == 0:
	case len(ids) <= smallIDs:
		kept = slots.putSmall(key, ids)
	default:
		large := largeKeyOf(piece)
		kept = slots.putLarge(&large, ids) && slots.putSmall(key, nil)
	}
	if !kept {
		m.cache.refuse(slots)
	}
	return dst
}

// appendLarge appends the ids of a piece that is too long for a small slot.
func (m *Model) appendLarge(dst []int32, slots *pieceSlots, piece []byte) []int32 {
	if len(piece) > maxLarge {
		return m.appendLong(dst, slots, piece)
	}
	key := largeKeyOf(piece)
	dst, ok := slots.findLarge(dst, &key)
	if ok {
		return dst
	}
	before := len(dst)
	dst = m.appendPiece(dst, piece)
	if ids := dst[before:]; len(ids) <= largeIDs && !slots.putLarge(&key, ids) {
		m.cache.refuse(slots)
	}
	return dst
}

// appendLong appends the ids of a piece that is too long for the cache. Where no
// merge reaches across, it is parted: the parts are merged as they would be in the
// whole, and are short enough, mostly, to be remembered.
func (m *Model) appendLong(dst []int32, slots *pieceSlots, piece []byte) []int32 {
	if !m.joints.on {
		return m.appendPiece(dst, piece)
	}
	for len(piece) > 0 {
		end := m.joints.next(m, piece)
		switch {
		case end <= maxSmall:
			dst = m.AppendChunk(dst, piece, []int32{int32(end)})
		case end <= maxLarge:
			dst = m.appendLarge(dst, slots, piece[:end])
		default:
			dst = m.appendPiece(dst, piece[:end])
		}
		piece = piece[end:]
	}
	return dst
}
