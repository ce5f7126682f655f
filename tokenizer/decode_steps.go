package tokenizer

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aries-serpent/codexml/tokenizer/bpe"
	"github.com/aries-serpent/codexml/tokenizer/normalize"
	"github.com/aries-serpent/codexml/tokenizer/pretokenize"
)

// A decoder of a file is a chain of steps, each of which turns a list of tokens into
// another; the text is the last list, joined. Here tokens go through one by one, so
// that text can be shown while tokens are still being made: what depends on what
// follows is held back.

// decodeStep is a step of the chain as the file has it.
type decodeStep interface {
	// start begins a text. The result belongs to one goroutine.
	start(exact bool) stepState
	// scope says on what the text of a token depends.
	scope() scope
}

// scope is on what the text of a token depends besides the token.
type scope uint8

const (
	local   scope = iota // nothing
	isFirst              // whether it is the first
	whole                // other tokens
)

// stepState takes tokens and gives out others. What out is given is good until it
// returns.
type stepState interface {
	push(token []byte, out func([]byte))
	flush(out func([]byte))
}

// mapped is a step that rewrites each token by itself.
type mapped struct {
	rewrite func(dst, token []byte, first bool) []byte
	depends scope
}

type mappedState struct {
	mapped
	begun bool
	buf   []byte
}

func (m mapped) start(bool) stepState { return &mappedState{mapped: m} }
func (m mapped) scope() scope         { return m.depends }

func (s *mappedState) push(token []byte, out func([]byte)) {
	s.buf = s.rewrite(s.buf[:0], token, !s.begun)
	s.begun = true
	out(s.buf)
}

func (s *mappedState) flush(func([]byte)) {}

// bytesStep is the ByteLevel decoder: the tokens are joined. Exactly, what is not
// UTF-8 becomes U+FFFD, else it stays, and nothing is held back.
type bytesStep struct{ joins bool } // joins: steps follow that see the joined text

type bytesState struct {
	exact bool
	buf   []byte
}

func (s bytesStep) start(exact bool) stepState { return &bytesState{exact: exact || s.joins} }
func (s bytesStep) scope() scope               { return scopeOf(s.joins) }

func scopeOf(joins bool) scope {
	if joins {
		return whole
	}
	return local
}

func (s *bytesState) push(token []byte, out func([]byte)) {
	s.buf = bpe.AppendUnwritten(s.buf, token)
	if !s.exact {
		out(s.buf)
		s.buf = s.buf[:0]
	}
}

func (s *bytesState) flush(out func([]byte)) {
	if s.exact {
		out(appendLossy(nil, s.buf))
	}
	s.buf = s.buf[:0]
}

// appendLossy appends text with U+FFFD for every longest beginning of a character
// that does not become one, as Rust does.
func appendLossy(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r != utf8.RuneError || n > 1 {
			dst = append(dst, text[i:i+n]...)
			i += n
			continue
		}
		dst = utf8.AppendRune(dst, utf8.RuneError)
		n = 1
		for n < utf8.UTFMax && i+n < len(text) && begins(text[i:i+n+1]) {
			n++
		}
		i += n
	}
	return dst
}

// begins says whether text is the beginning of some character.
func begins(text []byte) bool {
	return !utf8.FullRune(text)
}

// fallbackStep is ByteFallback: tokens like <0xE2> are bytes.
type fallbackStep struct{ joins bool }

type fallbackState struct {
	exact bool
	held  []byte
}

func (s fallbackStep) start(exact bool) stepState { return &fallbackState{exact: exact || s.joins} }
func (s fallbackStep) scope() scope               { return scopeOf(s.joins) }

func (s *fallbackState) push(token []byte, out func([]byte)) {
	b, ok := fallbackByte(token)
	switch {
	case ok && s.exact:
		s.held = append(s.held, b)
		return
	case ok:
		out([]byte{b})
		return
	}
	s.flush(out)
	out(token)
}

func (s *fallbackState) flush(out func([]byte)) {
	if len(s.held) == 0 {
		return
	}
	if utf8.Valid(s.held) {
		out(s.held)
	} else {
		for range s.held {
			out([]byte(string(utf8.RuneError)))
		}
	}
	s.held = s.held[:0]
}

func fallbackByte(token []byte) (byte, bool) {
	if len(token) != 6 || string(token[:3]) != "<0x" || token[5] != '>' {
		return 0, false
	}
	digits := string(token[3:5])
	if digits[0] == '+' {
		digits = digits[1:]
	}
	if digits[0] == '-' || digits[0] == '_' {
		return 0, false
	}
	b, err := strconv.ParseUint(digits, 16, 8)
	return byte(b), err == nil
}

// fuseStep joins all tokens to one, which the steps behind it then see.
type fuseStep struct{}

type fuseState struct{ text []byte }

func (fuseStep) start(bool) stepState { return &fuseState{} }
func (fuseStep) scope() scope         { return whole }

func (s *fuseState) push(token []byte, _ func([]byte)) { s.text = append(s.text, token...) }
func (s *fuseState) flush(out func([]byte))            { out(s.text); s.text = s.text[:0] }

// suffixStep is BPEDecoder: the suffix of a word becomes a space, of the last one
// nothing.
type suffixStep struct{ suffix string }

type suffixState struct {
	suffixStep
	held  []byte
	holds bool
}

func (s suffixStep) start(bool) stepState { return &suffixState{suffixStep: s} }
func (suffixStep) scope() scope           { return whole }

func (s *suffixState) push(token []byte, out func([]byte)) {
	if s.holds {
		out([]byte(strings.ReplaceAll(string(s.held), s.suffix, " ")))
	}
	s.held, s.holds = append(s.held[:0], token...), true
}

func (s *suffixState) flush(out func([]byte)) {
	if s.holds {
		out([]byte(strings.ReplaceAll(string(s.held), s.suffix, "")))
	}
	s.holds = false
}

// ctcStep is CTC: tokens that repeat the one before them go, and so does padding.
type ctcStep struct {
	pad, delimiter string
	cleanup        bool
}

type ctcState struct {
	ctcStep
	last  []byte
	begun bool
}

func (c ctcStep) start(bool) stepState { return &ctcState{ctcStep: c} }
func (ctcStep) scope() scope           { return whole }

func (s *ctcState) push(token []byte, out func([]byte)) {
	if s.begun && bytes.Equal(token, s.last) {
		return
	}
	s.last, s.begun = append(s.last[:0], token...), true
	text := strings.ReplaceAll(string(token), s.pad, "")
	if s.cleanup {
		text = strings.ReplaceAll(string(cleanUp([]byte(text))), s.delimiter, " ")
	}
	if text != "" {
		out([]byte(text))
	}
}

func (s *ctcState) flush(func([]byte)) { s.begun = false }

// cleanUps are what the original makes of English spacing, in its order.
var cleanUps = [][2][]byte{
	{[]byte(" ."), []byte(".")}, {[]byte(" ?"), []byte("?")}, {[]byte(" !"), []byte("!")}, {[]byte(" ,"), []byte(",")},
	{[]byte(" ' "), []byte("'")}, {[]byte(" n't"), []byte("n't")}, {[]byte(" 'm"), []byte("'m")}, {[]byte(" do not"), []byte(" don't")},
	{[]byte(" 's"), []byte("'s")}, {[]byte(" 've"), []byte("'ve")}, {[]byte(" 're"), []byte("'re")},
}

func cleanUp(text []byte) []byte {
	for _, c := range cleanUps {
		if bytes.Contains(text, c[0]) {
			text = bytes.ReplaceAll(text, c[0], c[1])
		}
	}
	return text
}

// wordPieceStep is the WordPiece decoder.
func wordPieceStep(prefix string, cleanup bool) decodeStep {
	return mapped{depends: isFirst, rewrite: func(dst, token []byte, first bool) []byte {
		start := len(dst)
		switch rest, ok := bytes.CutPrefix(token, []byte(prefix)); {
		case first:
			dst = append(dst, token...)
		case ok:
			dst = append(dst, rest...)
		default:
			dst = append(append(dst, ' '), token...)
		}
		if cleanup {
			dst = append(dst[:start], cleanUp(dst[start:])...)
		}
		return dst
	}}
}

// spaceStep is what there is without a decoder: tokens with spaces between.
func spaceStep() decodeStep {
	return mapped{depends: isFirst, rewrite: func(dst, token []byte, first bool) []byte {
		if !first {
			dst = append(dst, ' ')
		}
		return append(dst, token...)
	}}
}

// metaspaceStep is the Metaspace decoder.
func metaspaceStep(m pretokenize.Metaspace) decodeStep {
	depends := isFirst
	if m.Prepend == pretokenize.Never {
		depends = local
	}
	return mapped{depends: depends, rewrite: func(dst, token []byte, first bool) []byte {
		for len(token) > 0 {
			if rest, ok := bytes.CutPrefix(token, []byte(m.Replacement)); ok {
				if !first || m.Prepend == pretokenize.Never {
					dst = append(dst, ' ')
				}
				token = rest
				continue
			}
			_, n := utf8.DecodeRune(token)
			dst, token = append(dst, token[:n]...), token[n:]
		}
		return dst
	}}
}

// replaceStep is the Replace decoder.
func replaceStep(p filePattern, content string) decodeStep {
	r := normalize.Replace{Pattern: p.finder, Content: content}
	return mapped{rewrite: func(dst, token []byte, _ bool) []byte { return r.Append(dst, token) }}
}

// stripStep is the Strip decoder: up to start and stop of a character go from the
// ends.
type stripStep struct {
	content    rune
	head, tail int
}

func (s stripStep) start(exact bool) stepState {
	return mapped{rewrite: func(dst, token []byte, _ bool) []byte { return append(dst, s.cut(token)...) }}.start(exact)
}

func (stripStep) scope() scope { return local }

func (s stripStep) cut(token []byte) []byte {
	for i := 0; i < s.head && len(token) > 0; i++ {
		r, n := utf8.DecodeRune(token)
		if r != s.content {
			break
		}
		token = token[n:]
	}
	for i := 0; i < s.tail && len(token) > 0; i++ {
		r, n := utf8.DecodeLastRune(token)
		if r != s.content {
			break
		}
		token = token[:len(token)-n]
	}
	return token
}

// headState strips the head of everything: what Fuse and Strip, which cuts no tail,
// make together, without holding anything back.
type headState struct {
	content rune
	left    int
}

type headStep stripStep

func (s headStep) start(bool) stepState { return &headState{content: s.content, left: s.head} }
func (headStep) scope() scope           { return whole }

func (s *headState) push(token []byte, out func([]byte)) {
	for s.left > 0 && len(token) > 0 {
		r, n := utf8.DecodeRune(token)
		if r != s.content {
			s.left = 0
			break
		}
		token = token[n:]
		s.left--
	}
	out(token)
}

func (s *headState) flush(func([]byte)) {}

// decoderTypes are the decoders of files.
func decoderTypes() []partType[[]decodeStep] {
	type steps = []decodeStep
	return []partType[steps]{
		{"ByteLevel", func(r *fileReader) steps {
			var ignored bool
			r.part(flag(r, "add_prefix_space", &ignored, false), flag(r, "trim_offsets", &ignored, false), flag(r, "use_regex", &ignored, false))
			return steps{bytesStep{}}
		}},
		constant("ByteFallback", steps{fallbackStep{}}),
		constant("Fuse", steps{fuseStep{}}),
		{"WordPiece", func(r *fileReader) steps {
			prefix, cleanup := "##", true
			r.part(field{name: "prefix", read: func() { prefix = r.string() }, required: true}, flag(r, "cleanup", &cleanup, true))
			return steps{wordPieceStep(prefix, cleanup)}
		}},
		{"Metaspace", func(r *fileReader) steps { return steps{metaspaceStep(readMetaspace(r))} }},
		{"BPEDecoder", func(r *fileReader) steps {
			var s suffixStep
			r.part(field{name: "suffix", read: func() { s.suffix = r.string() }, required: true})
			return steps{s}
		}},
		{"CTC", func(r *fileReader) steps {
			var c ctcStep
			r.part(field{name: "pad_token", read: func() { c.pad = r.string() }, required: true},
				field{name: "word_delimiter_token", read: func() { c.delimiter = r.string() }, required: true}, flag(r, "cleanup", &c.cleanup, true))
			return steps{c}
		}},
		{"Replace", func(r *fileReader) steps {
			var p filePattern
			var content string
			r.part(field{name: "pattern", read: r.pattern(&p), required: true},
				field{name: "content", read: func() { content = r.string() }, required: true})
			return steps{replaceStep(p, content)}
		}},
		{"Strip", func(r *fileReader) steps {
			var s stripStep
			r.part(field{name: "content", read: func() { s.content = r.char() }, required: true},
				field{name: "start", read: func() { s.head = r.count() }, required: true}, field{name: "stop", read: func() { s.tail = r.count() }, required: true})
			return steps{s}
		}},
		{"Sequence", func(r *fileReader) steps {
			all := steps{}
			r.part(field{name: "decoders", required: true, read: func() {
				r.array(func() {
					inner := readPart(r, "decoder", decoderTypes())
					if inner == nil && r.err == nil {
						r.fail("a decoder of a Sequence is null")
					}
					all = append(all, inner...)
				})
			}})
			return all
		}},
	}
}
