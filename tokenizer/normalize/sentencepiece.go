package normalize

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"
)

// SentencePieceConfig says what a SentencePiece model's normalizer_spec, and of its
// trainer_spec what concerns it, say.
type SentencePieceConfig struct {
	Charsmap               []byte   // the precompiled map; empty: characters stay as they are
	AddDummyPrefix         bool     // puts a space before the text
	RemoveExtraWhitespaces bool     // removes spaces at the ends and makes several one
	EscapeWhitespaces      bool     // writes U+2581 for a space
	WhitespaceAsSuffix     bool     // the dummy space goes behind the text
	UserDefined            []string // pieces that stay as they are, the longest first
}

// SentencePiece is SentencePiece's own normaliser: from left to right the longest
// key of the charsmap is replaced.
type SentencePiece struct {
	config  SentencePieceConfig
	chars   charsmap
	symbols trie
	ascii   [utf8.RuneSelf]asciiClass
	space   []byte
}

// asciiClass is what becomes of an ASCII character where another one or the end
// follows.
type asciiClass uint8

const (
	lookedUp asciiClass = iota // the maps decide
	kept                       // it stays as it is
	spaced                     // it becomes a space
)

// NewSentencePiece checks the charsmap.
func NewSentencePiece(config SentencePieceConfig) (*SentencePiece, error) {
	s := &SentencePiece{config: config, space: []byte(" ")}
	if config.EscapeWhitespaces {
		s.space = []byte("\u2581")
	}
	if len(config.Charsmap) > 0 {
		chars, err := parseCharsmap(config.Charsmap)
		if err != nil {
			return nil, err
		}
		s.chars = chars
	}
	seen := map[string]bool{}
	var entries []entry
	for i, symbol := range config.UserDefined {
		if symbol == "" || bytes.IndexByte([]byte(symbol), 0) >= 0 {
			return nil, fmt.Errorf("user-defined symbol %d: want a text without zero bytes, got %q", i, symbol)
		}
		if !seen[symbol] {
			seen[symbol] = true
			entries = append(entries, entry{key: symbol})
		}
	}
	if len(entries) > 0 {
		symbols, err := buildTrie(entries)
		if err != nil {
			return nil, err
		}
		s.symbols = symbols
	}
	for b := range s.ascii {
		s.ascii[b] = s.classOf(byte(b))
	}
	return s, nil
}

func (s *SentencePiece) classOf(b byte) asciiClass {
	value, alone := aloneInASCII(s.symbols, b)
	if !alone || value >= 0 {
		return lookedUp
	}
	if value, alone = aloneInASCII(s.chars.trie, b); !alone {
		return lookedUp
	}
	to := []byte{b}
	if value >= 0 {
		if text, ok := s.chars.text(value); ok {
			to = text
		}
	}
	switch {
	case len(to) == 1 && to[0] == ' ':
		return spaced
	case len(to) == 1 && to[0] == b:
		return kept
	}
	return lookedUp
}

// aloneInASCII says whether no key begins with b and then another ASCII character;
// value is that of the key b, -1 if there is none.
func aloneInASCII(t trie, b byte) (value int, alone bool) {
	node, value, ok := t.step(t.root(), b)
	if !ok {
		return -1, true
	}
	for next := range byte(utf8.RuneSelf) {
		if _, _, found := t.step(node, next); found {
			return value, false
		}
	}
	return value, true
}

// run is the length of the start of text that stays as it is.
func (s *SentencePiece) run(text []byte) int {
	n := 0
	for n < len(text) && text[n] < utf8.RuneSelf && s.ascii[text[n]] == kept {
		n++
	}
	if n > 0 && n < len(text) && text[n] >= utf8.RuneSelf {
		n-- // it may combine with what follows
	}
	return n
}

// prefix returns what becomes of the beginning of text, and how much of it.
func (s *SentencePiece) prefix(text []byte) (to []byte, n int) {
	if s.symbols != nil {
		if n := s.symbol(text); n > 0 {
			return text[:n], n
		}
	}
	if s.chars.trie != nil {
		if to, n, ok := s.chars.longest(text); ok {
			return to, n
		}
	}
	r, n := utf8.DecodeRune(text)
	if r == utf8.RuneError && n == 1 {
		return replacementChar, 1
	}
	return text[:n], n
}

var replacementChar = []byte("\uFFFD")

// symbol is the length of the longest user-defined symbol at the start of text.
func (s *SentencePiece) symbol(text []byte) int {
	node, longest := s.symbols.root(), 0
	for i, b := range text {
		next, value, ok := s.symbols.step(node, b)
		if !ok {
			break
		}
		if value >= 0 {
			longest = i + 1
		}
		node = next
	}
	return longest
}

// Append implements Normalizer.
func (s *SentencePiece) Append(dst, src []byte) []byte {
	dst, _ = s.normalize(dst, nil, src, false)
	return dst
}

// AppendOffsets is Append that also appends to offsets, for each byte it appends to
// dst and for the end, where in src it begins: the original's norm_to_orig. A piece
// dst[i:j] stands for src[offsets[i]:offsets[j]]. Of a text of spaces alone, where
// those are removed, it appends no offsets.
func (s *SentencePiece) AppendOffsets(dst []byte, offsets []int32, src []byte) ([]byte, []int32) {
	return s.normalize(dst, offsets, src, true)
}

func (s *SentencePiece) normalize(dst []byte, offsets []int32, src []byte, want bool) ([]byte, []int32) {
	base, first := len(dst), len(offsets)
	squeeze := s.config.RemoveExtraWhitespaces
	used := 0
	for squeeze && used < len(src) {
		to, n := s.prefix(src[used:])
		if len(to) != 1 || to[0] != ' ' {
			break
		}
		used += n
	}
	if used == len(src) {
		return dst, offsets
	}
	write := func(text []byte) {
		dst = append(dst, text...)
		for i := 0; want && i < len(text); i++ {
			offsets = append(offsets, int32(used))
		}
	}
	if s.config.AddDummyPrefix && !s.config.WhitespaceAsSuffix {
		write(s.space)
	}
	afterSpace := squeeze
	for used < len(src) {
		if !want {
			n := 0
			dst, n, afterSpace = s.appendASCII(dst, src[used:], afterSpace)
			if used += n; used == len(src) {
				break
			}
		}
		if n := s.run(src[used:]); n > 0 {
			dst = append(dst, src[used:used+n]...)
			for i := 0; want && i < n; i++ {
				offsets = append(offsets, int32(used+i))
			}
			afterSpace = false
			used += n
			continue
		}
		if b := src[used]; b < utf8.RuneSelf && s.ascii[b] == spaced && (used+1 == len(src) || src[used+1] < utf8.RuneSelf) {
			if !afterSpace {
				write(s.space)
				afterSpace = squeeze
			}
			used++
			continue
		}
		to, n := s.prefix(src[used:])
		for afterSpace && len(to) > 0 && to[0] == ' ' {
			to = to[1:]
		}
		if len(to) > 0 {
			s.writeText(to, write)
			afterSpace = squeeze && to[len(to)-1] == ' '
		}
		used += n
	}
	for squeeze && bytes.HasSuffix(dst[base:], s.space) {
		dst = dst[:len(dst)-len(s.space)]
		if want {
			n := first + len(dst) - base
			used, offsets = int(offsets[n]), offsets[:n]
		}
	}
	if s.config.AddDummyPrefix && s.config.WhitespaceAsSuffix {
		write(s.space)
	}
	if want {
		offsets = append(offsets, int32(used))
	}
	return dst, offsets
}

// asciiAtATime bounds how much room is made at a time.
const asciiAtATime = 4096

// appendASCII writes the start of text as far as single ASCII characters decide what
// is written, at most asciiAtATime bytes of it, and returns how much that was.
func (s *SentencePiece) appendASCII(dst, text []byte, afterSpace bool) (out []byte, n int, after bool) {
	end := 0
	for end < min(len(text), asciiAtATime) && text[end] < utf8.RuneSelf {
		end++
	}
	if end > 0 && end < len(text) && text[end] >= utf8.RuneSelf {
		end-- // it may combine with what follows
	}
	dst = slices.Grow(dst, end*len(s.space))
	out = dst[:cap(dst)]
	at := len(dst)
	for _, b := range text[:end] {
		switch s.ascii[b] {
		case kept:
			out[at] = b
			at++
			afterSpace = false
		case spaced:
			if !afterSpace {
				at += copy(out[at:], s.space)
				afterSpace = s.config.RemoveExtraWhitespaces
			}
		default:
			return out[:at], n, afterSpace
		}
		n++
	}
	return out[:at], n, afterSpace
}

// writeText writes text with its spaces as the config wants them.
func (s *SentencePiece) writeText(text []byte, write func([]byte)) {
	for len(text) > 0 {
		i := bytes.IndexByte(text, ' ')
		if i < 0 {
			write(text)
			return
		}
		write(text[:i])
		write(s.space)
		text = text[i+1:]
	}
}

// Align implements Normalizer. A byte's span goes from where its source begins to
// where the next one's does; SentencePiece knows no more.
func (s *SentencePiece) Align(a *Aligned) {
	a.begin()
	text, offsets := s.normalize(a.Text, nil, a.oldText, true)
	a.Text = text
	next := 0
	for i := range text {
		from := int(offsets[i])
		for next < len(text) && (next <= i || int(offsets[next]) == from) {
			next++
		}
		to := int(offsets[next])
		span := Span{a.base, a.base}
		switch {
		case from < len(a.oldSpans) && to > from:
			span = Span{a.oldSpans[from].Start, a.oldSpans[to-1].End}
		case from < len(a.oldSpans):
			span = Span{a.oldSpans[from].Start, a.oldSpans[from].Start}
		case len(a.oldSpans) > 0:
			last := a.oldSpans[len(a.oldSpans)-1].End
			span = Span{last, last}
		}
		a.Spans = append(a.Spans, span)
	}
}
