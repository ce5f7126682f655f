package generate

import "bytes"

// Stopper cuts a text that comes in pieces before the stop string that is complete
// first, however the pieces are cut. What may be the beginning of one is held back
// until it is known. The zero value stops nowhere. Stop strings are not empty.
type Stopper struct {
	Stops [][]byte
	held  []byte
}

// Add takes a piece and returns what can be shown, and whether a stop string was
// reached: then nothing further may be added.
func (s *Stopper) Add(piece []byte) (show []byte, stop bool) {
	for _, c := range piece {
		s.held = append(s.held, c)
		longest := 0
		for _, x := range s.Stops {
			if bytes.HasSuffix(s.held, x) {
				longest = max(longest, len(x))
			}
		}
		if longest > 0 {
			show, s.held = s.held[:len(s.held)-longest], nil
			return show, true
		}
	}
	keep := 0
	for _, x := range s.Stops {
		for n := min(len(x)-1, len(s.held)); n > keep; n-- {
			if bytes.HasSuffix(s.held, x[:n]) {
				keep = n
			}
		}
	}
	show = bytes.Clone(s.held[:len(s.held)-keep])
	s.held = append(s.held[:0], s.held[len(s.held)-keep:]...)
	return show, false
}

// Flush returns what was held back, at the end of the text.
func (s *Stopper) Flush() []byte {
	held := s.held
	s.held = nil
	return held
}
