package normalize

import "unicode/utf8"

// Bert is the normaliser of BERT's tokenizers.
type Bert struct {
	CleanText    bool // removes control characters, makes all white space a space
	ChineseChars bool // puts spaces around Chinese characters
	StripAccents bool // where a file leaves it open it is Lowercase
	Lowercase    bool
}

func clean(class uint16, r rune) (rune, bool) {
	white := r == '\t' || r == '\n' || r == '\r'
	switch {
	case r == 0, r == utf8.RuneError, class&classOther != 0 && !white:
		return r, false
	case white, class&classSpace != 0:
		return ' ', true
	}
	return r, true
}

func stripAccent(class uint16, r rune) (rune, bool) { return r, class&classAccent == 0 }

// Append implements Normalizer.
func (b Bert) Append(dst, src []byte) []byte {
	base := len(dst)
	dst = append(dst, src...)
	// Each step makes its text behind the last one, which then moves to its place.
	step := func(appended []byte, end int) {
		dst = appended[:base+copy(appended[base:], appended[end:])]
	}
	if b.CleanText {
		step(appendEdited(dst, dst[base:], clean), len(dst))
	}
	ascii := isASCII(dst[base:])
	if b.ChineseChars && !ascii {
		step(spaceChinese(dst, dst[base:]), len(dst))
	}
	if b.StripAccents && !ascii {
		step(NFD.Append(dst, dst[base:]), len(dst))
		step(appendEdited(dst, dst[base:], stripAccent), len(dst))
	}
	if b.Lowercase {
		step(Lowercase{}.Append(dst, dst[base:]), len(dst))
	}
	return dst
}

func isASCII(text []byte) bool {
	for _, b := range text {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func spaceChinese(dst, src []byte) []byte {
	class := characterTables().class
	for i := 0; i < len(src); {
		r, n := decode(src[i:])
		if class.get(r)&classChinese != 0 {
			dst = append(dst, ' ')
			dst = append(dst, src[i:i+n]...)
			dst = append(dst, ' ')
		} else {
			dst = append(dst, src[i:i+n]...)
		}
		i += n
	}
	return dst
}

// Align implements Normalizer.
func (b Bert) Align(a *Aligned) {
	if b.CleanText {
		alignEdited(a, clean)
	}
	if b.ChineseChars {
		alignChinese(a)
	}
	if b.StripAccents {
		NFD.Align(a)
		alignEdited(a, stripAccent)
	}
	if b.Lowercase {
		Lowercase{}.Align(a)
	}
}

func alignChinese(a *Aligned) {
	class := characterTables().class
	a.begin()
	for a.at < len(a.oldText) {
		r, n := decode(a.oldText[a.at:])
		if class.get(r)&classChinese == 0 {
			a.keep(n)
			continue
		}
		a.putRune(' ', 0)
		a.putRune(r, 1)
		a.putRune(' ', 1)
	}
}
