package tokenizer

import (
	"bytes"
	"unicode/utf8"

	"github.com/aries-serpent/codexml/tokenizer/internal/trie"
	"github.com/aries-serpent/codexml/tokenizer/normalize"
	"github.com/aries-serpent/codexml/tokenizer/pretokenize"
)

// AddedToken is a token that is found in text before anything else is done to it.
type AddedToken struct {
	ID      int32
	Content string
	// SingleWord wants no word character beside it. LStrip and RStrip let it take the
	// white space before and behind it.
	SingleWord, LStrip, RStrip bool
	// Normalized finds the normalised content in the normalised text.
	Normalized bool
	// Special tokens have no text; which are found in text is up to the caller.
	Special bool
}

// AllowedSpecials says which special tokens are found in text. The zero value is
// all, as in the original.
type AllowedSpecials struct {
	none bool
	only map[string]bool
}

// AllSpecials, NoSpecials and OnlySpecials make AllowedSpecials. Where a special
// token is not allowed its text is text like any other.
func AllSpecials() AllowedSpecials { return AllowedSpecials{} }

// NoSpecials finds no special token in text.
func NoSpecials() AllowedSpecials { return AllowedSpecials{none: true} }

// OnlySpecials finds those of the given contents.
func OnlySpecials(contents ...string) AllowedSpecials {
	a := AllowedSpecials{none: true, only: map[string]bool{}}
	for _, c := range contents {
		a.only[c] = true
	}
	return a
}

func (a AllowedSpecials) has(t *AddedToken) bool {
	return !t.Special || !a.none || a.only[t.Content]
}

// matcher finds added tokens: the leftmost, of those the longest.
type matcher struct {
	tokens []AddedToken
	trie   *trie.Trie // value: index into tokens
	first  [256]bool  // bytes that begin one
	single int        // the only such byte, -1 if there are more
	plain  bool       // one of them is not special
}

// newMatcher makes a matcher of the tokens whose Normalized is normalized, whose
// content norm, if not nil, rewrites.
func newMatcher(all []AddedToken, normalized bool, norm normalize.Normalizer) *matcher {
	m := &matcher{single: -1}
	var keys []trie.Key
	for _, special := range []bool{true, false} { // the order that decides between equal ones
		for _, t := range all {
			if t.Normalized != normalized || t.Special != special {
				continue
			}
			text := []byte(t.Content)
			if normalized && norm != nil {
				text = norm.Append(nil, text)
			}
			if len(text) == 0 {
				continue
			}
			keys = append(keys, trie.Key{Text: string(text), Value: int32(len(m.tokens))})
			m.tokens = append(m.tokens, t)
			m.plain = m.plain || !special
			m.first[text[0]] = true
		}
	}
	if len(keys) == 0 {
		return nil
	}
	for b, is := range m.first {
		if is && m.single >= 0 {
			m.single = -1
			break
		} else if is {
			m.single = b
		}
	}
	m.trie = trie.New(keys)
	return m
}

// next finds the first match at i or later; -1 if there is none.
func (m *matcher) next(text []byte, i int) (start, end int, token *AddedToken) {
	for ; i < len(text); i++ {
		if m.single >= 0 {
			n := bytes.IndexByte(text[i:], byte(m.single))
			if n < 0 {
				break
			}
			i += n
		} else if !m.first[text[i]] {
			continue
		}
		if n, at := m.trie.Longest(text[i:]); n > 0 {
			return i, i + n, &m.tokens[at]
		}
	}
	return -1, -1, nil
}

// section is a stretch of text between added tokens, or one.
type section struct {
	start, end int
	added      *AddedToken // nil for text
}

// sections appends the sections of text, none of them empty. A nil matcher finds
// nothing.
func (m *matcher) sections(dst []section, text []byte, allowed AllowedSpecials) []section {
	done := 0
	if m != nil && (m.plain || !allowed.none || allowed.only != nil) {
		for i := 0; i < len(text); {
			start, end, token := m.next(text, i)
			if start < 0 {
				break
			}
			i = end
			if !allowed.has(token) || token.SingleWord && besideWord(text, start, end) {
				continue
			}
			if token.LStrip {
				start = max(spaceBefore(text, start), done)
			}
			if token.RStrip {
				end = spaceBehind(text, end)
			}
			if done < start {
				dst = append(dst, section{start: done, end: start})
			}
			dst = append(dst, section{start, end, token})
			done = end
		}
	}
	if done < len(text) {
		dst = append(dst, section{start: done, end: len(text)})
	}
	return dst
}

// besideWord says whether a word character stands before or behind text[start:end].
func besideWord(text []byte, start, end int) bool {
	if start > 0 {
		if r, _ := utf8.DecodeLastRune(text[:start]); pretokenize.IsWord(r) {
			return true
		}
	}
	if end < len(text) {
		r, _ := utf8.DecodeRune(text[end:])
		return pretokenize.IsWord(r)
	}
	return false
}

func spaceBefore(text []byte, i int) int {
	for i > 0 {
		r, n := utf8.DecodeLastRune(text[:i])
		if !pretokenize.IsSpace(r) {
			break
		}
		i -= n
	}
	return i
}

func spaceBehind(text []byte, i int) int {
	for i < len(text) {
		r, n := utf8.DecodeRune(text[i:])
		if !pretokenize.IsSpace(r) {
			break
		}
		i += n
	}
	return i
}
