package regex

import "unicode/utf8"

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

func isASCIILetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
