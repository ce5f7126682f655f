package normalize

import (
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// Precompiled applies a SentencePiece charsmap as Hugging Face's library does, which
// is not as SentencePiece does: a grapheme shorter than 6 bytes becomes the text of
// the shortest key that it begins with, whatever else it holds; of other graphemes
// each character is looked up by itself.
type Precompiled struct {
	chars charsmap
	plain [utf8.RuneSelf]bool // by character: no key begins with it and ends there
}

// NewPrecompiled reads a charsmap.
func NewPrecompiled(data []byte) (*Precompiled, error) {
	chars, err := parseCharsmap(data)
	if err != nil {
		return nil, err
	}
	p := &Precompiled{chars: chars}
	for b := range p.plain {
		_, ok := chars.shortest([]byte{byte(b)})
		p.plain[b] = !ok
	}
	return p, nil
}

// maxGrapheme is the length below which a grapheme is looked up as a whole.
const maxGrapheme = 6

// replacement is what becomes of a part of the text: to, if it changes.
type replacement struct {
	part, to []byte
	changed  bool
}

// walk yields the parts of text in order.
func (p *Precompiled) walk(text []byte, yield func(replacement)) {
	for i := 0; i < len(text); {
		// An ASCII character before another is a grapheme, except \r before \n.
		if b := text[i]; b < utf8.RuneSelf && p.plain[b] && b != '\r' && (i+1 == len(text) || text[i+1] < utf8.RuneSelf) {
			yield(replacement{part: text[i : i+1]})
			i++
			continue
		}
		n := graphemeLen(text[i:])
		p.grapheme(text[i:i+n], yield)
		i += n
	}
}

func graphemeLen(text []byte) int {
	g := graphemes.FromBytes(text)
	g.Next()
	return len(g.Value())
}

func (p *Precompiled) grapheme(text []byte, yield func(replacement)) {
	if len(text) < maxGrapheme {
		if to, ok := p.chars.shortest(text); ok {
			yield(replacement{text, to, true})
			return
		}
	}
	for len(text) > 0 {
		n := charLen(text)
		to, ok := p.chars.shortest(text[:n])
		yield(replacement{text[:n], to, ok})
		text = text[n:]
	}
}

// Append implements Normalizer.
func (p *Precompiled) Append(dst, src []byte) []byte {
	p.walk(src, func(r replacement) {
		if r.changed {
			dst = append(dst, r.to...)
		} else {
			dst = append(dst, r.part...)
		}
	})
	return dst
}

// Align implements Normalizer. As in the original, what is removed at the very
// beginning of the text is not accounted for: the spans of what follows are those
// of the characters before them.
func (p *Precompiled) Align(a *Aligned) {
	var out []edited
	changed := false
	p.walk(a.Text, func(r replacement) {
		changed = changed || r.changed
		out = appendEdits(out, r)
	})
	if !changed {
		return
	}
	a.begin()
	for _, e := range out {
		a.put(e.char, e.change)
	}
}

// edited is a character of the new text, with what Aligned.put takes.
type edited struct {
	char   []byte
	change int
}

// appendEdits accounts for a part as the original does: more characters than there
// were are added at the end, fewer are removed after the last one.
func appendEdits(out []edited, r replacement) []edited {
	if !r.changed {
		return append(out, edited{char: r.part})
	}
	first := len(out)
	for to := r.to; len(to) > 0; {
		n := charLen(to)
		out = append(out, edited{char: to[:n]})
		to = to[n:]
	}
	diff := len(out) - first - utf8.RuneCount(r.part)
	switch {
	case diff > 0:
		for i := range diff {
			out[len(out)-1-i].change = 1
		}
	case len(out) > 0:
		out[len(out)-1].change += diff
	}
	return out
}
