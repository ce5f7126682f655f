package tokenizer

import "unicode/utf8"

// GPT-2's pre-tokenisation, as a scanner. The pattern it equals is
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// Its alternatives cover every character, so pieces follow one another without
// gaps. A byte that is not UTF-8 counts as one character of the third class, which
// the original, who knows only text, leaves open.

// The classes of characters that the pattern tells apart.
const (
	other  uint8 = iota // neither of those below
	letter              // \p{L}
	number              // \p{N}
	space               // \s
)

// asciiClass holds the classes of ASCII, and wide for the bytes of longer
// characters.
var asciiClass = func() (table [256]uint8) {
	for b := range table {
		table[b] = wide
		if b < utf8.RuneSelf {
			table[b] = runeClass(rune(b))
		}
	}
	return table
}()

const wide = 0xFF

// runeClass looks a character up in the generated table.
func runeClass(r rune) uint8 {
	block := int(classBlocks[r>>8])
	return classBits[block<<6|int(r>>2)&63] >> (2 * (r & 3)) & 3
}

// classAt returns the class and the length of the character at text[i].
func classAt(text []byte, i int) (class uint8, size int) {
	if class = asciiClass[text[i]]; class != wide {
		return class, 1
	}
	r, size := utf8.DecodeRune(text[i:])
	return runeClass(r), size // U+FFFD, for a byte that is not UTF-8, is other
}

// pieceEnd returns where the piece ends that begins at text[i], i < len(text).
func pieceEnd(text []byte, i int) int {
	first := i
	switch text[i] {
	case '\'':
		if n := contraction(text[i:]); n > 0 {
			return i + n
		}
	case ' ':
		if first++; first == len(text) {
			return first
		}
	}
	class, size := asciiClass[text[first]], 1
	if class == wide {
		class, size = classAt(text, first)
	}
	if class == space {
		return spaceEnd(text, i)
	}
	return runEnd(text, first+size, class)
}

// runEnd returns where the characters of a class end that go on at text[i].
func runEnd(text []byte, i int, class uint8) int {
	for {
		for i < len(text) && asciiClass[text[i]] == class {
			i++
		}
		if i == len(text) || asciiClass[text[i]] != wide {
			return i
		}
		c, size := classAt(text, i)
		if c != class {
			return i
		}
		i += size
	}
}

// spaceEnd ends a run of white space that begins at text[i]: all of it at the end
// of the text, else all but its last character, which begins the next piece, but at
// least one.
func spaceEnd(text []byte, i int) int {
	start, last := i, i
	for i < len(text) {
		class, size := classAt(text, i)
		if class != space {
			if last == start {
				return i
			}
			return last
		}
		last = i
		i += size
	}
	return i
}

// contraction returns the length of the English ending that text, which begins
// with an apostrophe, begins with; 0 if it is none.
func contraction(text []byte) int {
	if len(text) < 2 {
		return 0
	}
	switch text[1] {
	case 's', 't', 'm', 'd':
		return 2
	}
	if len(text) < 3 {
		return 0
	}
	switch [2]byte{text[1], text[2]} {
	case [2]byte{'r', 'e'}, [2]byte{'v', 'e'}, [2]byte{'l', 'l'}:
		return 3
	}
	return 0
}

// cut returns a place in text, from size on, where a piece ends whatever stands
// around it: between a character that is not white space, and a blank. It returns
// the length of the text if there is none.
func cut(text []byte, size int) int {
	for i := max(size, 1); i < len(text); i++ {
		before := asciiClass[text[i-1]]
		if asciiClass[text[i]] == space && before != space && before != wide {
			return i
		}
	}
	return len(text)
}

// eachPiece calls each with the pieces of text.
func eachPiece(text []byte, each func(piece []byte)) {
	for i := 0; i < len(text); {
		end := pieceEnd(text, i)
		each(text[i:end])
		i = end
	}
}
