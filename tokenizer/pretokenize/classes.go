package pretokenize

// WhitespaceSplit cuts at white space, which goes.
type WhitespaceSplit struct{}

// Split implements PreTokenizer.
func (WhitespaceSplit) Split(t *Text) { t.cutChars(white, Removed) }

// Whitespace cuts into words and what stands between them; white space goes. It is
// the pattern \w+|[^\w\s]+ of the original.
type Whitespace struct{}

// Split implements PreTokenizer.
func (Whitespace) Split(t *Text) {
	classes := tables().classes
	t.eachPiece(func(start, end int) {
		text := t.Bytes[:end]
		last := uint8(white)
		from := start
		for i := start; i < end; {
			r, n := char(text, i)
			class := classes.get(r) & (white | word)
			if class != last {
				if last != white {
					t.add(from, i)
				}
				from, last = i, class
			}
			i += n
		}
		if last != white {
			t.add(from, end)
		}
	})
}

// Bert cuts at white space, which goes, and makes every punctuation mark a piece.
type Bert struct{}

// Split implements PreTokenizer.
func (Bert) Split(t *Text) {
	classes := tables().classes
	t.eachPiece(func(start, end int) {
		text := t.Bytes[:end]
		from := start
		for i := start; i < end; {
			r, n := char(text, i)
			switch class := classes.get(r); {
			case class&white != 0:
				t.add(from, i)
				from = i + n
			case class&punctuation != 0:
				t.add(from, i)
				t.add(i, i+n)
				from = i + n
			}
			i += n
		}
		t.add(from, end)
	})
}

// Punctuation cuts around punctuation marks.
type Punctuation struct{ Behavior Behavior }

// Split implements PreTokenizer.
func (p Punctuation) Split(t *Text) { t.cutChars(punctuation, p.Behavior) }

// Digits cuts around numbers, or around every digit.
type Digits struct{ Individual bool }

// Split implements PreTokenizer.
func (d Digits) Split(t *Text) {
	if d.Individual {
		t.cutChars(numeric, Isolated)
	} else {
		t.cutChars(numeric, Contiguous)
	}
}

// cutChars cuts around every character of a class.
func (t *Text) cutChars(class uint8, behavior Behavior) {
	classes := tables().classes
	t.cutAt(behavior, func(r rune) bool { return classes.get(r)&class != 0 })
}

// cutAt cuts around every character that is.
func (t *Text) cutAt(behavior Behavior, is func(rune) bool) {
	t.eachPiece(func(start, end int) {
		c := cutter{t: t, behavior: behavior}
		text, from := t.Bytes[:end], start
		for i := start; i < end; {
			r, n := char(text, i)
			if is(r) {
				if from < i {
					c.part(from, i, false)
				}
				c.part(i, i+n, true)
				from = i + n
			}
			i += n
		}
		if from < end {
			c.part(from, end, false)
		}
		c.end()
	})
}

// CharDelimiterSplit cuts at a character, which goes.
type CharDelimiterSplit rune

// Split implements PreTokenizer.
func (d CharDelimiterSplit) Split(t *Text) {
	t.cutAt(Removed, func(r rune) bool { return r == rune(d) })
}

// FixedLength cuts into pieces of that many characters; it must be positive.
type FixedLength int

// Split implements PreTokenizer.
func (f FixedLength) Split(t *Text) {
	if f <= 0 {
		panic("pretokenize: FixedLength: Split: the length is not positive")
	}
	t.eachPiece(func(start, end int) {
		from, chars := start, 0
		for i := start; i < end; {
			_, n := char(t.Bytes[:end], i)
			i += n
			if chars++; chars == int(f) {
				t.add(from, i)
				from, chars = i, 0
			}
		}
		t.add(from, end)
	})
}

// UnicodeScripts cuts where another script begins; Hiragana, Katakana and Han are
// one. A space and what Unicode had not assigned belong to any. As in the original,
// these are lost at the very beginning of a piece, with a piece that has nothing else.
type UnicodeScripts struct{}

// Split implements PreTokenizer.
func (UnicodeScripts) Split(t *Text) {
	scripts := tables().scripts
	t.eachPiece(func(start, end int) {
		last, from := uint8(0), -1
		for i := start; i < end; {
			r, n := char(t.Bytes[:end], i)
			if script := scripts.get(r); script != 0 && script != last {
				if from >= 0 {
					t.add(from, i)
				}
				from, last = i, script
			}
			i += n
		}
		if from >= 0 {
			t.add(from, end)
		}
	})
}
