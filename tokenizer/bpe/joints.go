package bpe

import "unicode/utf8"

// joints tells where no merge can reach across: between two characters (bytes, if
// byte-level) such that no merge has a left side that ends with the one and a right
// side that begins with the other. What stands left and right of such a place is
// merged as if the other were not there.
type joints struct {
	on bool // the model has no option that looks at a whole piece
	// crossed has a bit for each last byte of a left side, and first byte of a right
	// side, that a merge joins. For characters of several bytes that is only a hint.
	crossed [1 << 16 / 64]uint64
	chars   []uint64 // pairs of characters, not both ASCII: an open hash table
}

// newJoints looks through the merges of a model.
func newJoints(m *Model) (j joints) {
	c := &m.config
	if c.Prefix != "" || c.Suffix != "" || c.IgnoreMerges || c.ByteLevel && !m.allBytes {
		return j
	}
	pairs := make(map[[2]rune]bool)
	for _, merge := range c.Merges {
		left, right := c.Vocabulary.Piece(merge.Left), c.Vocabulary.Piece(merge.Right)
		made := c.Vocabulary.Piece(merge.ID)
		if len(made) != len(left)+len(right) || string(made[:len(left)]) != string(left) || string(made[len(left):]) != string(right) {
			return joints{}
		}
		if c.ByteLevel {
			a, b, ok := byteJoint(left, right)
			if !ok {
				return joints{}
			}
			j.cross(a, b)
			continue
		}
		if len(made) == len(left) || len(left) == 0 {
			return joints{}
		}
		j.cross(left[len(left)-1], right[0])
		a, _ := utf8.DecodeLastRune(left)
		b, _ := utf8.DecodeRune(right)
		if a >= utf8.RuneSelf || b >= utf8.RuneSelf {
			pairs[[2]rune{a, b}] = true
		}
	}
	j.chars = make([]uint64, tableSize(2*len(pairs)))
	for p := range pairs { // their order changes where they lie, but not what is found
		j.chars[j.find(p[0], p[1])] = charPair(p[0], p[1])
	}
	j.on = true
	return j
}

// byteJoint returns the bytes that two byte-level pieces touch with.
func byteJoint(left, right []byte) (a, b byte, ok bool) {
	last, _ := utf8.DecodeLastRune(left)
	first, _ := utf8.DecodeRune(right)
	a, ok = ByteOf(last)
	if !ok {
		return 0, 0, false
	}
	b, ok = ByteOf(first)
	return a, b, ok
}

// cross notes that a merge joins two bytes.
func (j *joints) cross(a, b byte) { j.crossed[uint(a)<<2|uint(b)>>6] |= 1 << (b & 63) }

// joined says whether a merge joins two bytes.
func (j *joints) joined(a, b byte) bool { return j.crossed[uint(a)<<2|uint(b)>>6]>>(b&63)&1 != 0 }

// joinedChars says whether a merge joins two characters, which touch with the bytes a
// and b.
func (j *joints) joinedChars(left, right rune, a, b byte) bool {
	if !j.joined(a, b) {
		return false
	}
	return a < utf8.RuneSelf && b < utf8.RuneSelf || j.chars[j.find(left, right)] != 0
}

// charPair packs two characters; it is never 0.
func charPair(a, b rune) uint64 { return 1<<63 | uint64(uint32(a))<<32 | uint64(uint32(b)) }

// find returns the slot where a pair is or would be.
func (j *joints) find(a, b rune) int {
	mask := len(j.chars) - 1
	for at := int(hashPair(a, b)>>32) & mask; ; at = (at + 1) & mask {
		if p := j.chars[at]; p == 0 || p == charPair(a, b) {
			return at
		}
	}
}

// next returns the first place in piece, behind its beginning, that no merge reaches
// across; its length if there is none.
func (j *joints) next(m *Model, piece []byte) int {
	if m.config.ByteLevel {
		for i := 1; i < len(piece); i++ {
			if !j.joined(piece[i-1], piece[i]) {
				return i
			}
		}
		return len(piece)
	}
	left, size := utf8.DecodeRune(piece)
	known := m.knows(piece[:size])
	for i := size; i < len(piece); i += size {
		var right rune
		right, size = rune(piece[i]), 1
		if right >= utf8.RuneSelf {
			right, size = utf8.DecodeRune(piece[i:])
		}
		before := known
		known = m.knows(piece[i : i+size])
		if before && known && !j.joinedChars(left, right, piece[i-1], piece[i]) {
			return i
		}
		left = right
	}
	return len(piece)
}

// knows says whether a character is in the vocabulary.
func (m *Model) knows(char []byte) bool {
	if char[0] < utf8.RuneSelf {
		return m.ascii[char[0]] >= 0
	}
	return m.config.Vocabulary.find1(char) >= 0
}
