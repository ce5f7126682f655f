package regex

// Scanner finds pieces: it returns the end of the match that begins at text[i], i <
// len(text), or i if none does or it is of nothing.
type Scanner func(text []byte, i int) (end int)

// Scanner returns the fastest way there is to match at a given place: a hand-tuned
// one for the patterns that known.go lists, the general engine for others.
func (re *Regexp) Scanner() Scanner {
	if re.scan != nil {
		return re.scan
	}
	return func(text []byte, i int) int {
		if end, ok := re.matchAt(text, i); ok {
			return end
		}
		return i
	}
}

func (re *Regexp) recognise() {}
