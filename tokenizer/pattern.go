package tokenizer

import (
	"bytes"
	"unicode/utf8"

	"github.com/aries-serpent/codexml/tokenizer/normalize"
	"github.com/aries-serpent/codexml/tokenizer/pretokenize"
	"github.com/aries-serpent/codexml/tokenizer/regex"
)

// filePattern finds what a file's pattern matches.
type filePattern struct {
	finder normalize.Finder
	// ends, if not nil, appends the ends of the matches that follow one another to the
	// end of a text; false if they do not.
	ends func(dst []int32, text []byte) ([]int32, bool)
}

// literalPattern matches a text.
func literalPattern(text string) filePattern { return filePattern{finder: literal(text)} }

// literal is like normalize.Literal, but the empty one matches between characters.
type literal string

func (l literal) Find(text []byte, from int) (start, end int, ok bool) {
	i := bytes.Index(text[from:], []byte(l))
	return from + i, from + i + len(l), i >= 0
}

// compilePattern compiles a regular expression.
func compilePattern(expression string) (filePattern, error) {
	re, err := regex.Compile(expression)
	if err != nil {
		return filePattern{}, err
	}
	return filePattern{finder: re, ends: re.Cover}, nil
}

// gpt2Split cuts by GPT-2's pattern.
func gpt2Split() pretokenize.Split {
	return pretokenize.Split{Pattern: scanned(pieceEnd), Behavior: pretokenize.Isolated, Ends: scanned(pieceEnd).ends}
}

// scanned is a func that finds the end of the piece that begins at text[i], i if there
// is none.
type scanned func(text []byte, i int) (end int)

func (s scanned) ends(dst []int32, text []byte) ([]int32, bool) {
	for i := 0; i < len(text); {
		end := s(text, i)
		if end <= i {
			return dst, false
		}
		dst = append(dst, int32(end))
		i = end
	}
	return dst, true
}

// Find implements normalize.Finder. Pieces follow one another, so a match begins at
// from.
func (s scanned) Find(text []byte, from int) (start, end int, ok bool) {
	if from == len(text) {
		return 0, 0, false
	}
	return from, s(text, from), true
}

// charSize is the length of the character at text[i].
func charSize(text []byte, i int) int {
	_, n := utf8.DecodeRune(text[i:])
	return n
}
