package regex

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Two bytes of ASCII tell most pieces' form: what is left is to find the end of a run.
// pairs holds, for each two, which of the plans that is; 0 stands for none.
type pairs struct {
	plans []plan
	index [utf8.RuneSelf * utf8.RuneSelf]uint8
}

// plan ends a piece: skip bytes, then characters of run, then of after, then an
// English ending.
type plan struct {
	skip       int
	run, after uint16
	ending     bool
	fold       bool
	// words says that of ASCII run has the letters and no others: bit 5, which tells
	// small letters from capitals, if it has both, 0 if it has the small ones.
	words bool
	bit   uint64
}

// planPairs fills s.pairs.
func (s *scanner) planPairs() {
	s.plans = []plan{{}}
	numbers := map[plan]uint8{}
	for first := range utf8.RuneSelf {
		for second := range utf8.RuneSelf {
			p, ok := s.planOf(byte(first), byte(second))
			if !ok {
				continue
			}
			p.words, p.bit = s.lettersOf(p.run)
			n, known := numbers[p]
			if !known {
				if len(s.plans) > 255 {
					continue
				}
				n = uint8(len(s.plans))
				numbers[p] = n
				s.plans = append(s.plans, p)
			}
			s.index[first*utf8.RuneSelf+second] = n
		}
	}
}

// lettersOf tells whether the ASCII of a set is its letters, and the bit that both
// cases differ in if they are.
func (s *scanner) lettersOf(run uint16) (ok bool, bit uint64) {
	both, lower := true, true
	for b := range utf8.RuneSelf {
		in := s.ascii[b]&run != 0
		both = both && in == isASCIILetter(byte(b))
		lower = lower && in == (b >= 'a' && b <= 'z')
	}
	if both {
		return true, 0x20 * everyByte
	}
	return lower, 0
}

// everyByte times a byte has it in each byte of a word.
const everyByte = 0x0101010101010101

// letters returns how many of the eight bytes of w, from the low end, are letters
// before another comes. With bit the capitals are too.
func letters(w, bit uint64) int {
	small := w | bit
	low7 := small & (0x7F * everyByte)
	in := (low7 + (0x80-'a')*everyByte) &^ (low7 + (0x80-'z'-1)*everyByte) &^ w & (0x80 * everyByte)
	return bits.TrailingZeros64(^in&(0x80*everyByte)) / 8
}

// planOf returns the plan for pieces that begin with two bytes, if these tell it.
func (s *scanner) planOf(first, second byte) (p plan, ok bool) {
	for i := range s.forms {
		p, matches, known := s.forms[i].planOf(first, second, s.ascii[first], s.ascii[second])
		if matches || !known {
			return p, known
		}
	}
	return p, false
}

// planOf tells whether the form matches, if the two bytes, which are in the sets a
// and b, tell it.
func (f *form) planOf(first, second byte, a, b uint16) (p plan, matches, known bool) {
	switch f.kind {
	case formEnding:
		return p, false, first != '\'' || !isASCIILetter(second)
	case formRun:
		return f.planOfRun(a, b)
	case formLower, formUpper:
		return f.planOfWord(a, b)
	}
	// White space: alone, it is a match only as a line.
	switch {
	case a&f.run == 0:
		return p, false, true
	case b&f.run != 0:
		return p, false, false
	}
	return plan{skip: 1}, f.kind == formLines && a&f.after != 0, true
}

func (f *form) planOfRun(a, b uint16) (p plan, matches, known bool) {
	switch {
	case a&f.before != 0 && b&f.run != 0:
		p.skip = 2
	case a&f.run != 0:
		p.skip = 1
	default:
		return p, false, true
	}
	switch f.most {
	case -1:
		p.run, p.after = f.run, f.after
	case 1:
	default:
		return p, false, false
	}
	return p, true, true
}

// planOfWord knows words that go on in small letters.
func (f *form) planOfWord(a, b uint16) (p plan, matches, known bool) {
	if (a|b)&(f.run|f.after) == 0 {
		return p, false, true
	}
	if f.kind == formUpper || a&f.before != 0 && a&(f.run|f.after) != 0 {
		return p, false, false
	}
	p = plan{skip: 2, run: f.after, ending: f.ending, fold: f.fold}
	isLower := b&f.after != 0 && b&f.run == 0
	switch {
	case a&f.before != 0:
		return p, isLower, isLower
	case a&f.run == 0 && a&f.after == 0:
		return plan{}, false, true
	case a&f.run == 0:
		p.skip = 1
		return p, true, true
	}
	return p, isLower, isLower
}

// planned is the end of a piece that two bytes told the plan of.
func (s *scanner) planned(p *plan, text []byte, i int) int {
	end := i + p.skip
	if p.words {
		for end+8 <= len(text) {
			n := letters(binary.LittleEndian.Uint64(text[end:]), p.bit)
			if end += n; n < 8 {
				break
			}
		}
		if end == len(text) || end+8 <= len(text) && text[end] < utf8.RuneSelf {
			return s.afterRun(p, text, end)
		}
	}
	return s.afterRun(p, text, s.runEnd(text, end, p.run))
}

// afterRun is the end of a piece whose run ends at end.
func (s *scanner) afterRun(p *plan, text []byte, end int) int {
	if p.after != 0 {
		return s.runEnd(text, end, p.after)
	}
	if p.ending && end < len(text) && text[end] == '\'' {
		end += endingLen(text[end:], p.fold)
	}
	return end
}

func isASCIILetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
