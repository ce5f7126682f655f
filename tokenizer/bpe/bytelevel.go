package bpe

import "unicode/utf8"

// The byte alphabet of GPT-2: every byte is written as one printable character, so
// that a vocabulary of byte strings is text. Printable bytes of Latin-1 stand for
// themselves, the other 68 are written as U+0100 and up.

// NumBytes is the size of the byte alphabet.
const NumBytes = 256

// byteRunes is how each byte is written.
var byteRunes = func() (runes [NumBytes]rune) {
	next := rune(NumBytes)
	for b := range runes {
		switch {
		case b >= '!' && b <= '~', b >= 0xA1 && b <= 0xAC, b >= 0xAE:
			runes[b] = rune(b)
		default:
			runes[b] = next
			next++
		}
	}
	return runes
}()

// runeBytes inverts byteRunes; -1 stands for no byte.
var runeBytes = func() (table [NumBytes + 68]int16) {
	for r := range table {
		table[r] = -1
	}
	for b, r := range byteRunes {
		table[r] = int16(b)
	}
	return table
}()

// ByteOrder lists the bytes by how they are written: the order in which a trained
// vocabulary has them.
var ByteOrder = func() (order [NumBytes]byte) {
	n := 0
	for _, b := range runeBytes {
		if b >= 0 {
			order[n] = byte(b)
			n++
		}
	}
	return order
}()

// AppendWritten appends the writing of text in the byte alphabet.
func AppendWritten(dst, text []byte) []byte {
	for _, b := range text {
		dst = utf8.AppendRune(dst, byteRunes[b])
	}
	return dst
}

// AppendUnwritten appends the bytes that piece is the writing of. A piece with a
// character outside the byte alphabet stands for itself, as in the original.
func AppendUnwritten(dst, piece []byte) []byte {
	start := len(dst)
	for i := 0; i < len(piece); {
		r, size := utf8.DecodeRune(piece[i:])
		if int(r) >= len(runeBytes) || runeBytes[r] < 0 {
			return append(dst[:start], piece...)
		}
		dst = append(dst, byte(runeBytes[r]))
		i += size
	}
	return dst
}

// ByteOf returns the byte that r is the writing of.
func ByteOf(r rune) (b byte, ok bool) {
	if r < 0 || int(r) >= len(runeBytes) || runeBytes[r] < 0 {
		return 0, false
	}
	return byte(runeBytes[r]), true
}

// RuneOf returns the character that b is written as.
func RuneOf(b byte) rune { return byteRunes[b] }

// Alphabet returns the 256 characters of the byte alphabet, in the order of their code
// points.
func Alphabet() []rune {
	alphabet := make([]rune, NumBytes)
	for i, b := range ByteOrder {
		alphabet[i] = byteRunes[b]
	}
	return alphabet
}
