package sentencepiece

import (
	"bytes"

	"github.com/aries-serpent/codexml/tokenizer/internal/parts"
)

// charEncoder makes a piece of every character.
type charEncoder struct{ pieces *pieces }

func (c *charEncoder) AppendIDs(dst []int32, text []byte) []int32 {
	o := parts.Output{Spelling: &c.pieces.spelling, Text: text, IDs: dst}
	c.put(&o)
	return o.IDs
}

func (c *charEncoder) AppendTokens(ids []int32, ends []int, text []byte) ([]int32, []int) {
	o := parts.Output{Spelling: &c.pieces.spelling, Text: text, IDs: ids, Ends: ends, WantEnds: true}
	c.put(&o)
	return o.IDs, o.Ends
}

func (c *charEncoder) put(o *parts.Output) {
	for o.Pos < len(o.Text) {
		n, _ := c.pieces.prefix(o.Text[o.Pos:])
		o.Put(c.pieces.output(o.Text[o.Pos:o.Pos+n]), n)
	}
	o.Flush()
}

// wordEncoder makes a piece of every word with the space before it.
type wordEncoder struct{ pieces *pieces }

func (w *wordEncoder) AppendIDs(dst []int32, text []byte) []int32 {
	o := parts.Output{Spelling: &w.pieces.spelling, Text: text, IDs: dst}
	w.put(&o)
	return o.IDs
}

func (w *wordEncoder) AppendTokens(ids []int32, ends []int, text []byte) ([]int32, []int) {
	o := parts.Output{Spelling: &w.pieces.spelling, Text: text, IDs: ids, Ends: ends, WantEnds: true}
	w.put(&o)
	return o.IDs, o.Ends
}

func (w *wordEncoder) put(o *parts.Output) {
	for o.Pos < len(o.Text) {
		text := o.Text[o.Pos:]
		n := len(text)
		first := min(len(space), len(text))
		if !bytes.HasPrefix(text, []byte(space)) {
			first = 1
		}
		if i := bytes.Index(text[first:], []byte(space)); i >= 0 {
			n = first + i
		}
		o.Put(w.pieces.output(text[:n]), n)
	}
	o.Flush()
}
