package tokenizer

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/aries-serpent/codexml/tokenizer/pretokenize"
)

// postProcessor adds tokens to the encodings of a text and its pair.
type postProcessor interface {
	// added is how many tokens process adds.
	added(pair bool) int
	// process may change its arguments.
	process(all []*Encoding, addSpecial bool) []*Encoding
}

// trimOffsets is the ByteLevel post-processor: spaces at the ends of tokens do not
// count.
type trimOffsets struct{ trim, prefixSpace bool }

func (trimOffsets) added(bool) int { return 0 }

func (t trimOffsets) process(all []*Encoding, _ bool) []*Encoding {
	for i, e := range all {
		t.apply(e)
		e.setSequence(int32(i))
	}
	return all
}

func (t trimOffsets) apply(e *Encoding) {
	if !t.trim {
		return
	}
	for i, token := range e.Tokens {
		leading, trailing := spacesAround(token)
		e.Offsets[i] = t.trimmed(e.Offsets[i], i, leading, trailing)
		e.CharOffsets[i] = t.trimmed(e.CharOffsets[i], i, leading, trailing)
	}
	for _, w := range e.Overflowing {
		t.apply(w)
	}
}

func (t trimOffsets) trimmed(s Span, i, leading, trailing int) Span {
	if leading > 0 {
		if leading == 1 && t.prefixSpace && (i == 0 || s.Start == 0) {
			leading = 0
		}
		s.Start = min(s.Start+leading, s.End)
	}
	if trailing > 0 && s.End >= trailing {
		s.End = max(s.End-trailing, s.Start)
	}
	return s
}

// spacesAround counts the characters at the ends of a token that stand for spaces.
func spacesAround(token string) (leading, trailing int) {
	const writtenSpace = '\u0120'
	is := func(r rune) bool { return r == writtenSpace || pretokenize.IsSpace(r) }
	for _, r := range token {
		if !is(r) {
			break
		}
		leading++
	}
	for len(token) > 0 {
		r, n := utf8.DecodeLastRuneInString(token)
		if !is(r) {
			break
		}
		trailing++
		token = token[:len(token)-n]
	}
	return leading, trailing
}

// specialToken is a token that a post-processor writes.
type specialToken struct {
	text string
	id   int32
}

// wrapping is BertProcessing and RobertaProcessing: a token before the text and one
// behind each text.
type wrapping struct {
	sep, cls specialToken
	roberta  bool
	offsets  trimOffsets // roberta's
}

func (w wrapping) added(pair bool) int {
	switch {
	case pair && w.roberta:
		return 4
	case pair:
		return 3
	}
	return 2
}

func (w wrapping) process(all []*Encoding, addSpecial bool) []*Encoding {
	for _, e := range all {
		if w.roberta {
			w.offsets.apply(e)
			clear(e.TypeIDs)
		}
	}
	if !addSpecial {
		return all
	}
	for i, e := range all {
		windows := e.Overflowing
		all[i] = w.wrap(e, i)
		for _, window := range windows {
			all[i].Overflowing = append(all[i].Overflowing, w.wrap(window, i))
		}
	}
	return all
}

// wrap adds the tokens of the text that is the i-th.
func (w wrapping) wrap(e *Encoding, i int) *Encoding {
	out := &Encoding{}
	typeID := int32(min(i, 1))
	if w.roberta {
		typeID = 0
		clear(e.TypeIDs)
	}
	switch {
	case i == 0:
		out.appendOne(w.cls.id, 0, w.cls.text)
	case w.roberta:
		out.appendOne(w.sep.id, 0, w.sep.text)
	}
	clear(e.SpecialMask)
	for j := range e.AttentionMask {
		e.AttentionMask[j] = 1
	}
	out.appendAll(e)
	out.appendOne(w.sep.id, typeID, w.sep.text)
	return out
}

// template is TemplateProcessing.
type template struct {
	single, pair []templatePiece
}

// templatePiece is a text of the template, or tokens.
type templatePiece struct {
	sequence int // 0 or 1; -1 for tokens
	typeID   int32
	tokens   []specialToken
	name     string // of tokens
}

func (t *template) added(pair bool) int {
	pieces, n := t.single, 0
	if pair {
		pieces = t.pair
	}
	for _, p := range pieces {
		n += len(p.tokens)
	}
	return n
}

func (t *template) process(all []*Encoding, addSpecial bool) []*Encoding {
	pieces := t.single
	if len(all) == 2 {
		pieces = t.pair
	}
	var out []*Encoding
	for _, p := range pieces {
		switch {
		case p.sequence >= 0:
			e := all[p.sequence]
			for i := range e.TypeIDs {
				e.TypeIDs[i] = p.typeID
			}
			e.setSequence(int32(p.sequence))
			again := e.slice(0, e.Len()) // a text may come twice
			again.Overflowing = e.Overflowing
			out = append(out, again)
		case addSpecial:
			e := &Encoding{}
			for _, token := range p.tokens {
				e.appendOne(token.id, p.typeID, token.text)
			}
			out = append(out, e)
		}
	}
	return out
}

// processors is a Sequence of post-processors.
type processors []postProcessor

func (s processors) added(pair bool) int {
	n := 0
	for _, p := range s {
		n += p.added(pair)
	}
	return n
}

func (s processors) process(all []*Encoding, addSpecial bool) []*Encoding {
	for _, p := range s {
		all = p.process(all, addSpecial)
	}
	return all
}

// postProcessorTypes are the post-processors of files.
func postProcessorTypes() []partType[postProcessor] {
	return []partType[postProcessor]{
		{"ByteLevel", func(r *fileReader) postProcessor {
			t := trimOffsets{trim: true}
			cut := true
			r.part(flag(r, "add_prefix_space", &t.prefixSpace, true), flag(r, "trim_offsets", &t.trim, false), flag(r, "use_regex", &cut, false))
			return t
		}},
		{"BertProcessing", func(r *fileReader) postProcessor { return r.wrapping(false) }},
		{"RobertaProcessing", func(r *fileReader) postProcessor { return r.wrapping(true) }},
		{"TemplateProcessing", readTemplate},
		{"Sequence", func(r *fileReader) postProcessor {
			var all processors
			r.part(field{name: "processors", required: true, read: func() {
				r.array(func() { all = append(all, readPart(r, "post-processor", postProcessorTypes())) })
			}})
			templates := 0
			for _, p := range all {
				if _, ok := p.(*template); ok {
					templates++
				}
			}
			switch {
			case r.err != nil:
			case slices.Contains(all, nil):
				r.fail("a post-processor of a Sequence is null")
			case templates > 1:
				r.fail("%d TemplateProcessing in one Sequence, want at most one: what the second is given is no text and pair", templates)
			}
			return all
		}},
	}
}

func (r *fileReader) wrapping(roberta bool) wrapping {
	w := wrapping{roberta: roberta, offsets: trimOffsets{true, true}}
	token := func(t *specialToken) func() {
		return func() {
			n := 0
			r.array(func() {
				if n++; n == 1 {
					t.text = r.string()
				} else {
					t.id = r.id()
				}
			})
			if n != 2 {
				r.fail("want a token and its id, got %d values", n)
			}
		}
	}
	known := []field{{name: "sep", read: token(&w.sep), required: true}, {name: "cls", read: token(&w.cls), required: true}}
	if roberta {
		known = append(known, flag(r, "trim_offsets", &w.offsets.trim, false), flag(r, "add_prefix_space", &w.offsets.prefixSpace, false))
	}
	r.part(known...)
	return w
}

func readTemplate(r *fileReader) postProcessor {
	t := &template{}
	tokens := map[string][]specialToken{}
	r.part(field{name: "single", read: func() { t.single = r.templatePieces() }, required: true},
		field{name: "pair", read: func() { t.pair = r.templatePieces() }, required: true},
		field{name: "special_tokens", read: func() { r.templateTokens(tokens) }, required: true})
	for _, pieces := range [][]templatePiece{t.single, t.pair} {
		for i := range pieces {
			p := &pieces[i]
			if p.sequence >= 0 {
				continue
			}
			found, ok := tokens[p.name]
			if !ok && r.err == nil {
				r.fail("the template has the token %q, which special_tokens lacks", p.name)
			}
			p.tokens = found
		}
	}
	for _, p := range t.single {
		if p.sequence > 0 && r.err == nil {
			r.fail("the template for one text has a second one")
		}
	}
	return t
}

// templatePieces reads [{"SpecialToken": {"id", "type_id"}} or {"Sequence": ...}].
func (r *fileReader) templatePieces() (pieces []templatePiece) {
	r.array(func() {
		p := templatePiece{sequence: -2}
		typeID := field{name: "type_id", read: func() { p.typeID = r.id() }, required: true}
		r.fields(
			field{name: "Sequence", read: func() {
				r.fields(field{name: "id", read: func() { p.sequence = r.oneOf("A", "B") }, required: true}, typeID)
			}},
			field{name: "SpecialToken", read: func() {
				p.sequence = -1
				r.fields(field{name: "id", read: func() { p.name = r.string() }, required: true}, typeID)
			}},
		)
		if p.sequence == -2 && r.err == nil {
			r.fail("a piece of the template is empty: want \"Sequence\" or \"SpecialToken\"")
		}
		pieces = append(pieces, p)
	})
	return pieces
}

func (r *fileReader) templateTokens(tokens map[string][]specialToken) {
	r.object(func(key []byte) {
		name := string(key)
		var ids []int32
		var texts []string
		r.fields(
			field{name: "id", read: func() { r.str() }, required: true},
			field{name: "ids", read: func() { r.array(func() { ids = append(ids, r.id()) }) }, required: true},
			field{name: "tokens", read: func() { r.array(func() { texts = append(texts, r.string()) }) }, required: true},
		)
		if len(ids) != len(texts) && r.err == nil {
			r.fail("the token %q has %d ids and %d texts", name, len(ids), len(texts))
			return
		}
		all := make([]specialToken, min(len(ids), len(texts)))
		for i := range all {
			all[i] = specialToken{texts[i], ids[i]}
		}
		tokens[name] = all
	})
}

// checkIDs wants the ids of post-processors to be those of the vocabulary.
func checkIDs(p postProcessor, vocabSize int) error {
	check := func(t specialToken) error {
		if int(t.id) >= vocabSize {
			return fmt.Errorf("post_processor: the token %q has the id %d, beyond the %d of the vocabulary", t.text, t.id, vocabSize)
		}
		return nil
	}
	var all []specialToken
	switch p := p.(type) {
	case wrapping:
		all = []specialToken{p.sep, p.cls}
	case *template:
		for _, piece := range slices.Concat(p.single, p.pair) {
			all = append(all, piece.tokens...)
		}
	case processors:
		for _, inner := range p {
			if err := checkIDs(inner, vocabSize); err != nil {
				return err
			}
		}
	}
	for _, t := range all {
		if err := check(t); err != nil {
			return err
		}
	}
	return nil
}
