package normalize

import (
	_ "embed" // the tables
	"strconv"
	"strings"
	"sync"
	"unicode"
)

//go:generate go run ./_gen

// unicodeText is written by _gen, which says what a line means.
//
//go:embed unicode.txt
var unicodeText string

// charactersText holds the classes and the lower case of characters as Hugging
// Face's library has them; testdata/original.py writes it.
//
//go:embed characters.txt
var charactersText string

// pages is a table with an entry for each code point; most share a page of zeros.
type pages[T uint16 | int32] struct {
	index [(unicode.MaxRune + 1) >> 8]uint16
	page  [][256]T
}

func newPages[T uint16 | int32]() *pages[T] { return &pages[T]{page: make([][256]T, 1)} }

// get returns the entry of r, zero for what is no code point.
func (p *pages[T]) get(r rune) T {
	if uint32(r) > unicode.MaxRune {
		return 0
	}
	return p.page[p.index[r>>8]][r&255]
}

// at is the place of r's entry, to be written.
func (p *pages[T]) at(r rune) *T {
	i := &p.index[r>>8]
	if *i == 0 {
		*i = uint16(len(p.page))
		p.page = append(p.page, [256]T{})
	}
	return &p.page[*i][r&255]
}

// Classes of characters; those in the names of Unicode's categories are of
// different Unicode versions, as the original's.
const (
	classOther  = 1 << iota // control, format, private use: BertNormalizer removes them
	classAccent             // non-spacing mark, in BertNormalizer
	classMark               // mark, in StripAccents
	classSpace
	classChinese
)

type characters struct {
	class *pages[uint16]
	lower *pages[int32] // what to add for the lower case
}

var characterTables = sync.OnceValue(func() characters {
	c := characters{newPages[uint16](), newPages[int32]()}
	for line := range lines(charactersText) {
		f := strings.Fields(line)
		first, last, step := hex(f[1]), hex(f[2]), hex(f[3])
		for r := first; r <= last; r += step {
			switch f[0] {
			case "other":
				*c.class.at(r) |= classOther
			case "accent":
				*c.class.at(r) |= classAccent
			case "mark":
				*c.class.at(r) |= classMark
			case "space":
				*c.class.at(r) |= classSpace
			case "chinese":
				*c.class.at(r) |= classChinese
			case "lower":
				*c.lower.at(r) = int32(number(f[4]))
			}
		}
	}
	return c
})

// lines yields the lines of an embedded table without its comments.
func lines(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for line := range strings.Lines(text) {
			if line[0] != '#' && !yield(strings.TrimSuffix(line, "\n")) {
				return
			}
		}
	}
}

func hex(s string) rune {
	n, err := strconv.ParseUint(s, 16, 21)
	if err != nil {
		panic("normalize: hex: " + err.Error())
	}
	return rune(n)
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic("normalize: number: " + err.Error())
	}
	return n
}
