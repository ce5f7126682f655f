// Package parts holds what encoders of pieces share: where a text can be cut so
// that its parts are encoded by themselves, what is remembered of parts, and how
// characters without a piece are written.
//
// unigram and sentencepiece use it. Joins and Output settings are safe for concurrent
// use once they are made; a Cache belongs to one call at a time. Nothing here
// changes ids.
package parts

import "bytes"

// Joins has the pairs of neighbouring characters that some piece holds, by the
// last byte of the first and the first byte of the second. No piece crosses a place
// in a text where another pair meets, so that what is before it and what is behind
// it are encoded by themselves. U+2581, which stands for a space and of which most
// words have one, counts as a byte of its own.
type Joins struct {
	bits   [numClasses * numClasses / 8]byte
	spaces bool // some pair has a space as its second
}

const (
	spaceClass = 256
	numClasses = 264 // a whole number of bytes of bits
)

const space = "\u2581"

func (t *Joins) set(left, right int) {
	i := left*numClasses + right
	t.bits[i/8] |= 1 << (i % 8)
	t.spaces = t.spaces || right == spaceClass
}

func (t *Joins) has(left, right int) bool {
	i := uint(left*numClasses + right)
	return t.bits[i/8]>>(i%8)&1 != 0
}

// Add adds the pairs in a piece.
func (t *Joins) Add(piece string) {
	left := -1
	for i := 0; i < len(piece); {
		n := min(CharLen(piece[i]), len(piece)-i)
		first, last := classes(piece[i : i+n])
		if left >= 0 {
			t.set(left, first)
		}
		left = last
		i += n
	}
}

// classes are a character's class as the second and as the first of a pair.
func classes(char string) (first, last int) {
	if char == space {
		return spaceClass, spaceClass
	}
	return int(char[0]), int(char[len(char)-1])
}

const (
	// minSegment is the length from which a text is cut at other places than spaces.
	// On source code 3 was faster than 6: more parts are remembered.
	minSegment = 3
	// longWord is the length of the words that are not looked at for such places.
	longWord = 4
	// MaxSegment is the longest text, in bytes, that is remembered.
	MaxSegment = 64
)

// Segment is the length of the part of text that begins at its start and that no
// piece crosses the end of.
func (t *Joins) Segment(text []byte) int {
	if !t.spaces {
		word := nextSpace(text)
		if word <= longWord {
			return word
		}
		text = text[:word]
	}
	left := -1
	for i := 0; i < len(text); {
		b := text[i]
		n, first, last := 1, int(b), int(b)
		if b >= 0x80 {
			n = min(CharLen(b), len(text)-i)
			last = int(text[i+n-1])
			if n == 3 && string(text[i:i+3]) == space {
				first, last = spaceClass, spaceClass
			}
		}
		if left >= 0 && (first == spaceClass || i >= minSegment) && !t.has(left, first) {
			return i
		}
		left = last
		i += n
	}
	return len(text)
}

// nextSpace is where the next space behind the first character is, or the end.
func nextSpace(text []byte) int {
	for i := 1; i < len(text); i++ {
		n := bytes.IndexByte(text[i:], space[0])
		if n < 0 {
			break
		}
		i += n
		if i+2 < len(text) && text[i+1] == space[1] && text[i+2] == space[2] {
			return i
		}
	}
	return len(text)
}

// CharLen is how many bytes a character has that begins with b, as the originals
// count them.
func CharLen(b byte) int {
	return int("\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x02\x02\x03\x04"[b>>4])
}
