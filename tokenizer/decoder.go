package tokenizer

import "unicode/utf8"

// Decoder decodes ids one after another, as a model makes them, and never gives
// out a part of a character: bytes that may still become one are held back. All
// that it gives out, one after another, is what Decode gives for all the ids. A
// Decoder belongs to one goroutine.
type Decoder struct {
	t    Tokenizer
	id   [1]int32
	held []byte

	// text, of a Pipeline, knows what came before, on which the text of an id may
	// depend.
	text  decoding
	begun bool
}

// NewDecoder begins to decode ids of t.
func NewDecoder(t Tokenizer) *Decoder { return &Decoder{t: t} }

// Append appends to dst the text that is complete with id.
func (d *Decoder) Append(dst []byte, id int32) []byte {
	if p, ok := d.t.(*Pipeline); ok {
		if !d.begun {
			d.text, d.begun = p.decoding(false, false), true
		}
		d.held = d.text.push(d.held, id)
	} else {
		d.id[0] = id
		d.held = d.t.Decode(d.held, d.id[:])
	}
	whole := len(d.held) - unfinished(d.held)
	dst = append(dst, d.held[:whole]...)
	d.held = d.held[:copy(d.held, d.held[whole:])]
	return dst
}

// Flush appends what is held back, bytes that did not become a character, and
// makes the decoder ready for another text.
func (d *Decoder) Flush(dst []byte) []byte {
	if d.begun {
		d.held = d.text.flush(d.held)
		d.begun = false
	}
	dst = append(dst, d.held...)
	d.held = d.held[:0]
	return dst
}

// unfinished returns how many bytes at the end of text begin a character that more
// bytes could end.
func unfinished(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		tail := text[len(text)-n:]
		if utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}
