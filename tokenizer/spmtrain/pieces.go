package spmtrain

import (
	"slices"
	"sync"
	"unicode"
	"unicode/utf8"

	format "github.com/aries-serpent/codexml/format/sentencepiece"
)

// scripts gives every character a number for its script, 0 for common ones and those
// without.
var scripts = sync.OnceValue(func() []uint8 {
	table := make([]uint8, unicode.MaxRune+1)
	var names []string
	for name := range unicode.Scripts {
		if name != "Common" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for i, name := range names {
		number := uint8(i + 1)
		switch name {
		case "Hiragana", "Katakana": // are written together
			number = uint8(slices.Index(names, "Han") + 1)
		case "Inherited":
			number = inherited
		}
		for _, r := range unicode.Scripts[name].R16 {
			for c := uint32(r.Lo); c <= uint32(r.Hi); c += uint32(r.Stride) {
				table[c] = number
			}
		}
		for _, r := range unicode.Scripts[name].R32 {
			for c := r.Lo; c <= r.Hi; c += r.Stride {
				table[c] = number
			}
		}
	}
	table['\u30FC'] = table['\u4E00'] // the long vowel's mark
	return table
})

const (
	inherited = 255 // the script of the character before
	anyScript = 254
)

// rules say which pieces may be.
type rules struct {
	spec    *format.TrainerSpec
	scripts []uint8
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' || r >= '\uFF10' && r <= '\uFF19' }

// valid says whether a text of UTF-8 may be a piece.
func (v *rules) valid(piece []byte) bool {
	length := utf8.RuneCount(piece)
	if length == 0 || length > int(v.spec.MaxSentencepieceLength) {
		return false
	}
	script := uint8(anyScript)
	onlySpaces := v.spec.AllowWhitespaceOnlyPieces
	for i := 0; onlySpaces && i < len(piece); i += len(space) {
		onlySpaces = i+len(space) <= len(piece) && string(piece[i:i+len(space)]) == space
	}
	pos := 0
	for i := 0; i < len(piece); pos++ {
		r, n := utf8.DecodeRune(piece[i:])
		i += n
		switch r {
		case unknownMark, boundary, 0, ' ':
			return false
		case spaceMark:
			if !onlySpaces && !v.spaceAt(pos, length) {
				return false
			}
			continue
		}
		s := v.scripts[r]
		if s == inherited {
			s = script
		}
		if isDigit(r) {
			if v.spec.SplitDigits && length > 1 {
				return false
			}
			if !v.spec.SplitByNumber {
				s = anyScript
			}
		}
		if v.spec.SplitByUnicodeScript && s != anyScript && script != anyScript && s != script {
			return false
		}
		script = s
	}
	return true
}

// spaceAt says whether a space may be character pos of length.
func (v *rules) spaceAt(pos, length int) bool {
	last := length - 1
	if v.spec.TreatWhitespaceAsSuffix {
		return pos == last || !v.spec.SplitByWhitespace && pos > 0
	}
	return pos == 0 || !v.spec.SplitByWhitespace && pos < last
}
