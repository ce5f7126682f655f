package pretokenize

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/aries-serpent/codexml/tokenizer/normalize"
)

// Behavior says what becomes of a delimiter, of what matched.
type Behavior uint8

// The behaviours, by the original's names.
const (
	Removed            Behavior = iota // it goes
	Isolated                           // it is a piece
	MergedWithPrevious                 // it ends the piece before it
	MergedWithNext                     // it begins the piece after it
	Contiguous                         // neighbouring delimiters are one piece
)

// behaviorNames are how tokenizer.json names them.
var behaviorNames = [...]string{"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"}

// BehaviorNames lists how tokenizer.json names the behaviours.
func BehaviorNames() []string { return slices.Clone(behaviorNames[:]) }

// String returns the name of b.
func (b Behavior) String() string {
	if int(b) < len(behaviorNames) {
		return behaviorNames[b]
	}
	return fmt.Sprintf("Behavior(%d)", uint8(b))
}

// cutter makes pieces of the parts of a piece, which alternate between what matched
// and what did not, or repeat.
type cutter struct {
	t        *Text
	behavior Behavior

	open        bool // there is a part whose piece may still grow
	start, stop int
	matched     bool // the part before matched
}

// part takes the next part. A match may be empty.
func (c *cutter) part(start, end int, match bool) {
	switch c.behavior {
	case Removed:
		if !match {
			c.t.add(start, end)
		}
	case Isolated:
		c.t.add(start, end)
	case MergedWithPrevious:
		c.join(start, end, match && !c.matched && c.open)
	case Contiguous:
		c.join(start, end, match == c.matched && c.open)
	case MergedWithNext:
		c.t.ends = append(c.t.ends, int32(start), int32(end), matchWord(match))
	}
	c.matched = match
}

func matchWord(match bool) int32 {
	if match {
		return 1
	}
	return 0
}

// join lets a part join the open piece, or begin one.
func (c *cutter) join(start, end int, joins bool) {
	if !joins {
		c.close()
		c.start = start
	}
	c.stop, c.open = end, true
}

func (c *cutter) close() {
	if c.open {
		c.t.add(c.start, c.stop)
	}
	c.open = false
}

// end is called after the last part.
func (c *cutter) end() {
	if c.behavior != MergedWithNext {
		c.close()
		return
	}
	// The original goes through the parts from the last to the first.
	all, first := c.t.ends, len(c.t.Pieces)
	c.matched = false
	for i := len(all) - 3; i >= 0; i -= 3 {
		start, stop, match := int(all[i]), int(all[i+1]), all[i+2] == 1
		if match && !c.matched && c.open {
			c.start = start
		} else {
			c.close()
			c.start, c.stop, c.open = start, stop, true
		}
		c.matched = match
	}
	c.close()
	c.t.ends = all[:0]
	slices.Reverse(c.t.Pieces[first:])
}

// Split cuts around the matches of a pattern.
type Split struct {
	Pattern  normalize.Finder
	Behavior Behavior
	// Invert makes delimiters of what does not match.
	Invert bool
	// Ends, if not nil, appends where the matches end that follow one another from the
	// beginning of text to its end, and says whether they do: what Pattern finds, faster.
	Ends func(dst []int32, text []byte) ([]int32, bool)
}

// Follows says that where matches follow one another the pieces are the matches.
func (s Split) Follows() bool {
	return s.Ends != nil && (s.Behavior == Isolated || s.Behavior == Removed && s.Invert)
}

// Split implements PreTokenizer.
func (s Split) Split(t *Text) {
	t.eachPiece(func(start, end int) {
		if s.Follows() {
			ends, ok := s.Ends(t.ends[:0], t.Bytes[start:end:end])
			t.ends = ends[:0]
			if ok {
				from := start
				for _, e := range ends {
					t.add(from, start+int(e))
					from = start + int(e)
				}
				return
			}
		}
		s.cut(t, start, end)
	})
}

// cut cuts a piece, whatever its matches are.
func (s Split) cut(t *Text, start, end int) {
	c := cutter{t: t, behavior: s.Behavior}
	text := t.Bytes[start:end:end]
	done := 0
	s.matches(text, func(from, to int) {
		if done != from {
			c.part(start+done, start+from, s.Invert)
		}
		c.part(start+from, start+to, !s.Invert)
		done = to
	})
	if done != len(text) {
		c.part(start+done, end, s.Invert)
	}
	c.end()
}

// matches calls f for every match, one after another. An empty match directly after
// another match is none.
func (s Split) matches(text []byte, f func(start, end int)) {
	last := -1
	for from := 0; from <= len(text); {
		start, end, ok := s.Pattern.Find(text, from)
		switch {
		case !ok:
			return
		case start == end && end == last:
			if from == len(text) {
				return
			}
			_, n := utf8.DecodeRune(text[from:])
			from += n
		default:
			f(start, end)
			from, last = end, end
		}
	}
}
