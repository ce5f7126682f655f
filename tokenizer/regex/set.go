package regex

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// set is a set of characters: ranges lo, hi, lo, hi, ... in order, with gaps between
// them. The character invalid stands for a byte that is not UTF-8.
type set []rune

const (
	// invalid is what a byte that is not UTF-8 counts as: a character that is in no
	// class, and so in the complement of each.
	invalid = unicode.MaxRune + 1
	maxChar = invalid
)

// newSet makes a set of ranges in any order.
func newSet(ranges ...rune) set {
	pairs := make([][2]rune, 0, len(ranges)/2)
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i] <= ranges[i+1] {
			pairs = append(pairs, [2]rune{ranges[i], ranges[i+1]})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]rune) int { return int(a[0] - b[0]) })
	s := make(set, 0, 2*len(pairs))
	for _, p := range pairs {
		if n := len(s); n > 0 && p[0] <= s[n-1]+1 {
			s[n-1] = max(s[n-1], p[1])
			continue
		}
		s = append(s, p[0], p[1])
	}
	return s
}

func oneChar(r rune) set { return set{r, r} }

// with returns the union.
func (s set) with(other set) set { return newSet(slices.Concat(s, other)...) }

// complement returns all other characters.
func (s set) complement() set {
	out := make(set, 0, len(s)+2)
	next := rune(0)
	for i := 0; i < len(s); i += 2 {
		if s[i] > next {
			out = append(out, next, s[i]-1)
		}
		next = s[i+1] + 1
	}
	if next <= maxChar {
		out = append(out, next, maxChar)
	}
	return out
}

// and returns the intersection.
func (s set) and(other set) set {
	return s.complement().with(other.complement()).complement()
}

func (s set) equal(other set) bool { return slices.Equal(s, other) }

// single tells whether s is one character, and which.
func (s set) single() (rune, bool) {
	if len(s) == 2 && s[0] == s[1] {
		return s[0], true
	}
	return 0, false
}

// has looks r up.
func (s set) has(r rune) bool {
	lo, hi := 0, len(s)/2
	for lo < hi {
		mid := (lo + hi) / 2
		if s[2*mid+1] < r {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo < len(s)/2 && s[2*lo] <= r
}

// lastFoldable is where characters with cases end.
const lastFoldable = 0x1FFFF

// folded adds the other cases of each character: those of Unicode's simple folding,
// so s goes with U+017F and k with U+212A.
func (s set) folded() set {
	more := slices.Clone(s)
	for i := 0; i < len(s); i += 2 {
		for r := s[i]; r <= min(s[i+1], lastFoldable); r++ {
			for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
				more = append(more, other, other)
			}
		}
	}
	return newSet(more...)
}

// firstBytes returns the bytes that UTF-8 of a character of s begins with.
func (s set) firstBytes() (first byteSet) {
	for i := 0; i < len(s); i += 2 {
		lo, hi := s[i], s[i+1]
		if hi == invalid {
			for b := utf8.RuneSelf; b < 256; b++ {
				first.add(byte(b))
			}
			hi--
		}
		if lo <= hi {
			for b := int(firstByte(lo)); b <= int(firstByte(hi)); b++ {
				first.add(byte(b))
			}
		}
	}
	return first
}

// firstByte returns the first byte of the UTF-8 of r; surrogates, which have none,
// count as if they had.
func firstByte(r rune) byte {
	switch {
	case r < 0x80:
		return byte(r)
	case r < 0x800:
		return 0xC0 | byte(r>>6)
	case r < 0x10000:
		return 0xE0 | byte(r>>12)
	}
	return 0xF0 | byte(r>>18)
}

// byteSet is a set of bytes.
type byteSet [4]uint64

func (b *byteSet) add(c byte)      { b[c>>6] |= 1 << (c & 63) }
func (b *byteSet) has(c byte) bool { return b[c>>6]>>(c&63)&1 != 0 }
func (b *byteSet) addAll(other *byteSet) {
	for i := range b {
		b[i] |= other[i]
	}
}

// allBytes is the set of all bytes.
var allBytes = byteSet{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}

// table answers whether a character is in a set: a bit per byte for ASCII, and for
// longer characters blocks of 64, equal ones shared.
type table struct {
	ascii   [256]bool // false for the bytes of longer characters
	invalid bool
	blocks  []uint16 // by r / 64
	bits    []uint64
}

// newTable makes the table of a set.
func newTable(s set) *table {
	t := &table{invalid: s.has(invalid)}
	for b := range utf8.RuneSelf {
		t.ascii[b] = s.has(rune(b))
	}
	const numBlocks = (unicode.MaxRune + 1) / 64
	t.blocks = make([]uint16, numBlocks)
	seen := map[uint64]uint16{}
	at := 0
	for block := range t.blocks {
		first, last := rune(block)*64, rune(block)*64+63
		var bits uint64
		for at < len(s) && s[at+1] < first {
			at += 2
		}
		for i := at; i < len(s) && s[i] <= last; i += 2 {
			lo, hi := max(s[i], first)-first, min(s[i+1], last)-first
			bits |= ^uint64(0) >> (63 - (hi - lo)) << lo
		}
		if block > 0 && bits == t.bits[t.blocks[block-1]] {
			t.blocks[block] = t.blocks[block-1]
			continue
		}
		n, ok := seen[bits]
		if !ok {
			n = uint16(len(t.bits))
			seen[bits] = n
			t.bits = append(t.bits, bits)
		}
		t.blocks[block] = n
	}
	return t
}

// at returns whether the character at text[i] is in the set, and its length.
func (t *table) at(text []byte, i int) (in bool, size int) {
	if b := text[i]; b < utf8.RuneSelf {
		return t.ascii[b], 1
	}
	r, size := utf8.DecodeRune(text[i:])
	if size == 1 {
		return t.invalid, 1
	}
	return t.bits[t.blocks[r>>6]]>>(r&63)&1 != 0, size
}
