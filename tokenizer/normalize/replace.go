package normalize

import "bytes"

// Finder finds the first match in text that begins at from or after it. It may
// look at what stands before from. tokenizer/regex compiles expressions to one.
type Finder interface {
	Find(text []byte, from int) (start, end int, ok bool)
}

// Literal is the Finder of a string.
type Literal string

// Find implements Finder.
func (l Literal) Find(text []byte, from int) (start, end int, ok bool) {
	i := bytes.Index(text[from:], []byte(l))
	if i < 0 {
		return 0, 0, false
	}
	return from + i, from + i + len(l), true
}

// Replace puts Content in the place of every match. Of an empty text nothing is
// replaced.
type Replace struct {
	Pattern Finder
	Content string
}

// matches calls f for every match, one after another. An empty match directly
// after another match is none.
func (r Replace) matches(text []byte, f func(start, end int)) {
	if len(text) == 0 {
		return
	}
	last := -1
	for from := 0; from <= len(text); {
		start, end, ok := r.Pattern.Find(text, from)
		switch {
		case !ok:
			return
		case start == end && end == last && from == len(text):
			return
		case start == end && end == last:
			from += charLen(text[from:])
		default:
			f(start, end)
			from, last = end, end
		}
	}
}

// Append implements Normalizer.
func (r Replace) Append(dst, src []byte) []byte {
	done := 0
	r.matches(src, func(start, end int) {
		dst = append(dst, src[done:start]...)
		dst = append(dst, r.Content...)
		done = end
	})
	return append(dst, src[done:]...)
}

// Align implements Normalizer. All that is written in the place of a match has the
// span of the match's last character; of an empty match, of the one before it.
func (r Replace) Align(a *Aligned) {
	a.begin()
	r.matches(a.oldText, func(start, end int) {
		a.keep(start - a.at)
		a.at = end
		for _, c := range r.Content {
			a.putRune(c, 1)
		}
	})
	a.keep(len(a.oldText) - a.at)
}
