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
	return pretokenize.Split{Pattern: regex.GPT2(), Behavior: pretokenize.Isolated, Ends: regex.GPT2().Cover}
}

// charSize is the length of the character at text[i].
func charSize(text []byte, i int) int {
	_, n := utf8.DecodeRune(text[i:])
	return n
}
