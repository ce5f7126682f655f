package trainer

import (
	"fmt"
	"sync"

	"github.com/aries-serpent/codexml/tokenizer/normalize"
	"github.com/aries-serpent/codexml/tokenizer/pretokenize"
	"github.com/aries-serpent/codexml/tokenizer/regex"
	"github.com/aries-serpent/codexml/tokenizer/train"
)

// wordPattern is that of the original's Whitespace pre-tokenizer.
const wordPattern = `\w+|[^\w\s]+`

// pattern is the config's pattern; without one GPT-2's, or words.
func (c *Config) pattern() string {
	switch {
	case c.Pattern != "":
		return c.Pattern
	case c.ModelType == "bpe":
		return regex.GPT2Pattern
	}
	return wordPattern
}

// normalizer is what the rule stands for, nil for none.
func (c *Config) normalizer() normalize.Normalizer {
	switch c.NormalizationRule {
	case "nfc":
		return normalize.NFC
	case "nfkc":
		return normalize.NFKC
	case "bert":
		return normalize.Bert{CleanText: true, ChineseChars: true, StripAccents: true, Lowercase: true}
	}
	return nil
}

// splitter cuts texts as the tokenizer that is made will do.
func (c *Config) splitter() (train.Split, error) {
	normal := c.normalizer()
	each, err := c.pieces()
	if err != nil || normal == nil {
		return each, err
	}
	var rooms sync.Pool
	return func(text []byte, f func(piece []byte)) {
		room, _ := rooms.Get().(*[]byte)
		if room == nil {
			room = new([]byte)
		}
		*room = normal.Append((*room)[:0], text)
		each(*room, f)
		rooms.Put(room)
	}, nil
}

// pieces cuts normalised text.
func (c *Config) pieces() (train.Split, error) {
	if c.ModelType == "wordpiece" {
		return bertPieces, nil
	}
	re, err := regex.Compile(c.pattern())
	if err != nil {
		return nil, fmt.Errorf("pattern: %w", err)
	}
	if c.ModelType == "wordlevel" && c.Pattern == "" {
		return func(text []byte, f func(piece []byte)) { eachMatch(re, text, f, nil) }, nil
	}
	scan := re.Scanner()
	return func(text []byte, f func(piece []byte)) {
		for i := 0; i < len(text); {
			end := scan(text, i)
			if end <= i { // some text lies between matches, and is a piece too
				eachMatch(re, text[i:], f, f)
				return
			}
			f(text[i:end])
			i = end
		}
	}, nil
}

// eachMatch calls f with what re matches, and between, if not nil, with what lies
// between.
func eachMatch(re *regex.Regexp, text []byte, f, between func(piece []byte)) {
	last := 0
	for at := 0; at <= len(text); {
		start, end, ok := re.Find(text, at)
		if !ok {
			break
		}
		if between != nil && start > last && end > start {
			between(text[last:start])
		}
		if at = end; end > start {
			f(text[start:end])
			last = end
		} else {
			at++
		}
	}
	if between != nil && last < len(text) {
		between(text[last:])
	}
}

var bertTexts sync.Pool

// bertPieces cuts as BERT does.
func bertPieces(text []byte, f func(piece []byte)) {
	t, _ := bertTexts.Get().(*pretokenize.Text)
	if t == nil {
		t = new(pretokenize.Text)
	}
	t.Bytes = append(t.Bytes[:0], text...)
	t.Pieces = append(t.Pieces[:0], pretokenize.Piece{End: int32(len(text)), Added: pretokenize.None})
	if len(text) == 0 {
		t.Pieces = t.Pieces[:0]
	}
	pretokenize.Bert{}.Split(t)
	for _, p := range t.Pieces {
		f(t.Bytes[p.Start:p.End])
	}
	bertTexts.Put(t)
}

// cutter says where long texts may be parted. With GPT-2's pattern that is between a
// letter, digit or mark of ASCII and a space that no other space follows or precedes;
// with other patterns, whose meaning is unknown, only between lines: after a run of
// line ends and before a character of ASCII that is no space. Where a pattern looks
// beyond that, its text comes in parts.
func (c *Config) cutter() train.Cut {
	if c.Pattern == "" {
		return train.CutAtSpace
	}
	return cutAtLine
}

func cutAtLine(text []byte, size int) int {
	for i := max(size, 1); i < len(text); i++ {
		if text[i-1] == '\n' && text[i] > ' ' && text[i] < 0x7F {
			return i
		}
	}
	return len(text)
}
