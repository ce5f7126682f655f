package tokenizer

import (
	"slices"
	"unicode/utf8"
)

// chain is the decoder of a file.
type chain []decodeStep

// newChain makes a chain of a file's steps; nil, no decoder, joins tokens by spaces.
func newChain(steps []decodeStep) chain {
	if steps == nil {
		return chain{spaceStep()}
	}
	out := slices.Clone(steps)
	for i, step := range out[:max(len(out)-1, 0)] {
		if _, fuses := out[i+1].(fuseStep); fuses {
			continue
		}
		switch step.(type) {
		case bytesStep:
			out[i] = bytesStep{joins: true}
		case fallbackStep:
			out[i] = fallbackStep{joins: true}
		}
	}
	// Fuse and Strip of the head alone need not hold back.
	for i := 0; i+1 < len(out); i++ {
		strip, ok := out[i+1].(stripStep)
		if _, fuses := out[i].(fuseStep); fuses && ok && strip.tail == 0 && i+2 == len(out) {
			return append(out[:i], headStep(strip))
		}
	}
	// At the end, or before another Fuse, joining changes nothing.
	for len(out) > 0 {
		if _, fuses := out[len(out)-1].(fuseStep); !fuses {
			break
		}
		out = out[:len(out)-1]
	}
	return out
}

// running is a chain at work on one text.
type running struct {
	states []stepState
}

func (c chain) start(exact bool) *running {
	r := &running{states: make([]stepState, len(c))}
	for i, step := range c {
		r.states[i] = step.start(exact)
	}
	return r
}

// push appends the text that a token makes.
func (r *running) push(dst, token []byte) []byte {
	r.pushTo(0, token, func(text []byte) { dst = append(dst, text...) })
	return dst
}

func (r *running) pushTo(i int, token []byte, out func([]byte)) {
	if i == len(r.states) {
		out(token)
		return
	}
	r.states[i].push(token, func(text []byte) { r.pushTo(i+1, text, out) })
}

// flush appends the text that was held back.
func (r *running) flush(dst []byte) []byte {
	out := func(text []byte) { dst = append(dst, text...) }
	for i := range r.states {
		r.states[i].flush(func(text []byte) { r.pushTo(i+1, text, out) })
	}
	return dst
}

// textTable holds the text of every id.
type textTable struct {
	text    []byte
	ends    []uint32
	lengths []int32
}

func (t *textTable) add(text []byte) {
	t.text = append(t.text, text...)
	t.ends = append(t.ends, uint32(len(t.text)))
	t.lengths = append(t.lengths, int32(len(text)))
}

func (t *textTable) get(id int32) []byte {
	end := t.ends[id]
	return t.text[end-uint32(t.lengths[id]) : end]
}

// texts are what ids decode to where a table can say it.
type texts struct {
	later textTable // ids that are not the first
	first *textTable
	head  *headStep // what is stripped from the head of all
	ok    bool
}

// newTexts fills the tables. pieces yields the token of each id, nil for ids without
// text.
func newTexts(c chain, pieces func(yield func(piece []byte) bool)) *texts {
	t := &texts{ok: true}
	mixes := false
	steps := c
	if n := len(c); n > 0 {
		if head, ok := c[n-1].(headStep); ok {
			t.head, steps = &head, c[:n-1]
		}
	}
	for i, step := range steps {
		switch step.scope() {
		case whole:
			t.ok = false
		case isFirst:
			mixes = true
			t.ok = t.ok && i == 0 // behind a step that joins tokens the first is another
		}
	}
	if !t.ok {
		steps = nil
	}
	if mixes && t.ok {
		t.first = &textTable{}
	}
	var text []byte
	running := steps.start(false)
	running.flush(running.push(nil, []byte("a"))) // so that what follows is not the first
	for piece := range pieces {
		switch {
		case piece == nil || !t.ok:
			t.later.add(piece)
		default:
			text = running.push(text[:0], piece)
			t.later.add(text)
		}
		if t.first != nil {
			text = text[:0]
			if piece != nil {
				text = steps.start(false).push(text, piece)
			}
			t.first.add(text)
		}
	}
	return t
}

// decoding is a text being decoded.
type decoding struct {
	t       *Pipeline
	begun   bool
	head    headState
	running *running // where there is no table
	special bool     // special tokens have text
}

func (p *Pipeline) decoding(special, exact bool) decoding {
	d := decoding{t: p, special: special}
	if exact || !p.texts.ok {
		d.running = p.chain.start(exact)
	} else if p.texts.head != nil {
		d.head = headState{content: p.texts.head.content, left: p.texts.head.head}
	}
	return d
}

// push appends the text of an id.
func (d *decoding) push(dst []byte, id int32) []byte {
	p := d.t
	if !p.known(id) || !d.special && p.isSpecial(id) {
		return dst
	}
	if d.running != nil {
		if piece := p.piece(id); piece != nil {
			dst = d.running.push(dst, piece)
		}
		return dst
	}
	table := &p.texts.later
	if !d.begun && p.texts.first != nil {
		table = p.texts.first
	}
	d.begun = d.begun || p.piece(id) != nil
	text := table.get(id)
	if d.head.left > 0 {
		d.head.push(text, func(rest []byte) { dst = append(dst, rest...) })
		return dst
	}
	return append(dst, text...)
}

func (d *decoding) flush(dst []byte) []byte {
	if d.running != nil {
		dst = d.running.flush(dst)
	}
	return dst
}

// Decode appends the text of ids to dst; see Tokenizer.
func (p *Pipeline) Decode(dst []byte, ids []int32) []byte {
	if p.texts.ok && p.texts.first == nil && p.texts.head == nil {
		for _, id := range ids {
			if p.known(id) && !p.isSpecial(id) {
				dst = append(dst, p.texts.later.get(id)...)
			}
		}
		return dst
	}
	d := p.decoding(false, false)
	for _, id := range ids {
		dst = d.push(dst, id)
	}
	return d.flush(dst)
}

// DecodeText returns the text of ids as the original gives it: U+FFFD stands for
// bytes that are no character. Special tokens are written out unless skipSpecial.
func (p *Pipeline) DecodeText(ids []int32, skipSpecial bool) string {
	d := p.decoding(!skipSpecial, true)
	var text []byte
	for _, id := range ids {
		text = d.push(text, id)
	}
	text = d.flush(text)
	if !utf8.Valid(text) {
		text = appendLossy(nil, text)
	}
	return string(text)
}
