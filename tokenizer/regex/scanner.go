package regex

import "unicode/utf8"

// Scanner finds pieces: it returns the end of the match that begins at text[i], i <
// len(text), or i if none does or it is of nothing.
type Scanner func(text []byte, i int) (end int)

// Scanner returns the fastest way there is to match at a given place: a hand-tuned
// one for patterns of the forms that known.go lists, the general engine for others.
func (re *Regexp) Scanner() Scanner {
	if re.known != nil {
		return re.known.piece
	}
	return func(text []byte, i int) int {
		if end, ok := re.matchAt(text, i); ok {
			return end
		}
		return i
	}
}

// Cover is Ends for a text in which every match begins where the one before ended, from
// its beginning to its end: ok is false for others, and dst then of no use.
func (re *Regexp) Cover(dst []int32, text []byte) (ends []int32, ok bool) {
	if re.known != nil {
		return re.known.cover(dst, text)
	}
	m := re.scratch.Get().(*machine)
	m.begin(re.prog, text)
	i := 0
	for i < len(text) {
		end, ok := m.run(0, i)
		if !ok || end == i {
			break
		}
		m.earn(end - i)
		dst = append(dst, int32(end))
		i = end
	}
	m.release()
	re.scratch.Put(m)
	return dst, i == len(text)
}

// Ends appends the ends of the pieces that text is cut into by Hugging Face's behaviour
// "isolated": each match is one, and so is what lies between two.
func (re *Regexp) Ends(dst []int32, text []byte) []int32 {
	if re.known != nil {
		return re.known.ends(dst, text)
	}
	matches := re.AppendMatches(dst, text)
	places := matches[len(dst):]
	dst = matches[:len(dst)] // in place: there are no more ends than places
	last := int32(0)
	for _, place := range places {
		if place > last {
			dst = append(dst, place)
			last = place
		}
	}
	if int(last) < len(text) {
		dst = append(dst, int32(len(text)))
	}
	return dst
}

// scanner matches a pattern of known forms.
type scanner struct {
	classes
	pairs
	first [256]uint16 // which forms may match something that begins with a byte
	forms []form
}

// cover is Regexp.Cover.
func (s *scanner) cover(dst []int32, text []byte) (ends []int32, ok bool) {
	for i := 0; i < len(text); {
		end := s.piece(text, i)
		if end == i {
			return dst, false
		}
		dst = append(dst, int32(end))
		i = end
	}
	return dst, true
}

// ends is Regexp.Ends.
func (s *scanner) ends(dst []int32, text []byte) []int32 {
	gap := false
	for i := 0; i < len(text); {
		end := s.piece(text, i)
		if end == i {
			gap = true
			i += charSize(text, i)
			continue
		}
		if gap {
			dst = append(dst, int32(i))
			gap = false
		}
		dst = append(dst, int32(end))
		i = end
	}
	if gap {
		dst = append(dst, int32(len(text)))
	}
	return dst
}

// piece is a Scanner.
func (s *scanner) piece(text []byte, i int) int {
	if i+1 < len(text) && text[i]|text[i+1] < utf8.RuneSelf {
		if n := s.index[int(text[i])*utf8.RuneSelf+int(text[i+1])]; n != 0 {
			return s.planned(&s.plans[n], text, i)
		}
	}
	return s.slowPiece(text, i)
}

// slowPiece tries the forms in turn.
func (s *scanner) slowPiece(text []byte, i int) int {
	for mask := s.first[text[i]]; mask != 0; mask &= mask - 1 {
		f := &s.forms[lowestForm(mask)]
		end := i
		switch f.kind {
		case formRun:
			end = s.prefixedRun(f, text, i)
		case formEnding:
			end = i + endingLen(text[i:], f.fold)
		case formLines:
			end = s.lines(f, text, i)
		case formSpaces:
			end = s.spaces(f, text, i)
		case formSpacesEnd:
			if e := s.runEnd(text, i, f.run); e == len(text) {
				end = e
			}
		case formLower, formUpper:
			end = s.cased(f, text, i)
		}
		if end > i {
			return end
		}
	}
	return i
}

// runEnd returns where the characters of a set end that go on at text[i].
func (s *scanner) runEnd(text []byte, i int, set uint16) int {
	for {
		for i < len(text) && s.ascii[text[i]]&set != 0 {
			i++
		}
		if i == len(text) || text[i] < utf8.RuneSelf {
			return i
		}
		bits, size := s.at(text, i)
		if bits&set == 0 {
			return i
		}
		i += size
	}
}

// prefixedRun matches formRun.
func (s *scanner) prefixedRun(f *form, text []byte, i int) int {
	bits, size := s.at(text, i)
	if bits&f.before != 0 && i+size < len(text) {
		if next, n := s.at(text, i+size); next&f.run != 0 {
			return s.restOfRun(f, text, i+size+n)
		}
	}
	if bits&f.run != 0 {
		return s.restOfRun(f, text, i+size)
	}
	return i
}

// restOfRun goes on after the first character of a run.
func (s *scanner) restOfRun(f *form, text []byte, i int) int {
	if f.most < 0 {
		i = s.runEnd(text, i, f.run)
		if f.after != 0 {
			i = s.runEnd(text, i, f.after)
		}
		return i
	}
	for left := f.most - 1; left > 0 && i < len(text); left-- {
		bits, size := s.at(text, i)
		if bits&f.run == 0 {
			break
		}
		i += size
	}
	return i
}

// lines matches formLines: up to the last line's end in the run.
func (s *scanner) lines(f *form, text []byte, i int) int {
	last := i
	for i < len(text) {
		bits, size := s.ascii[text[i]], 1
		if text[i] >= utf8.RuneSelf {
			bits, size = s.at(text, i)
		}
		if bits&f.run == 0 {
			break
		}
		i += size
		if bits&f.after != 0 {
			last = i
		}
	}
	return last
}

// spaces matches formSpaces. The last character is left out unless the text ends
// with it; if it was the only one, nothing matches.
func (s *scanner) spaces(f *form, text []byte, i int) int {
	end := s.runEnd(text, i, f.run)
	if end == len(text) || end == i {
		return end
	}
	_, size := utf8.DecodeLastRune(text[i:end])
	return end - size
}

// cased matches formLower or formUpper, with what may stand before, then without.
func (s *scanner) cased(f *form, text []byte, i int) int {
	bits, size := s.at(text, i)
	if bits&f.before != 0 && i+size < len(text) {
		if end := s.word(f, text, i+size); end > i+size {
			return s.withEnding(f, text, end)
		}
	}
	if bits&(f.run|f.after) != 0 {
		if end := s.word(f, text, i); end > i {
			return s.withEnding(f, text, end)
		}
	}
	return i
}

// word matches U*L+ or U+L*. Some characters are in both sets: if none of the second
// comes after the first, U*L+ gives back up to the last that is in both.
func (s *scanner) word(f *form, text []byte, start int) int {
	i, both := start, start
	for i < len(text) {
		bits, size := s.at(text, i)
		if bits&f.run == 0 {
			break
		}
		i += size
		if bits&f.after != 0 {
			both = i
		}
	}
	if f.kind == formUpper {
		if i == start {
			return start
		}
		return s.runEnd(text, i, f.after)
	}
	if end := s.runEnd(text, i, f.after); end > i {
		return end
	}
	return both
}

func (s *scanner) withEnding(f *form, text []byte, i int) int {
	if i < len(text) && text[i] == '\'' && f.ending {
		return i + endingLen(text[i:], f.fold)
	}
	return i
}

// endingLen returns the length of the English ending that text begins with after an
// apostrophe; 0 if it is none. Without regard to case U+017F is an s.
func endingLen(text []byte, fold bool) int {
	if len(text) < 2 {
		return 0
	}
	lower := byte(0)
	if fold {
		lower = 0x20
		if hasText(text, 1, "\u017f") {
			return 3
		}
	}
	switch text[1] | lower {
	case 's', 't', 'm', 'd':
		return 2
	}
	if len(text) < 3 {
		return 0
	}
	switch [2]byte{text[1] | lower, text[2] | lower} {
	case [2]byte{'r', 'e'}, [2]byte{'v', 'e'}, [2]byte{'l', 'l'}:
		return 3
	}
	return 0
}
