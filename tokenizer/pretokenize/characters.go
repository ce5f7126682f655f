package pretokenize

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"
)

// charactersText is what the original says of characters; classes.py wrote it.
//
//go:embed characters.txt
var charactersText string

// The classes of characters, bits of a byte.
const (
	white       uint8 = 1 << iota // white space
	word                          // \w: letters, marks, decimal digits, connectors
	punctuation                   // ASCII's punctuation and category P
	numeric                       // category N
)

// pages maps characters to values: blocks of 256 of them, equal blocks once.
type pages struct {
	index  [(utf8.MaxRune + 1) >> 8]uint16
	blocks [][256]uint8
}

func (p *pages) get(r rune) uint8 { return p.blocks[p.index[r>>8]][uint8(r)] }

// set gives the characters from first to last a value.
func (p *pages) set(first, last rune, value uint8) {
	for r := first; r <= last; {
		end := min(last, r|0xFF)
		block := p.index[r>>8]
		switch {
		case r&0xFF == 0 && end == r|0xFF: // a whole block: that of the value
			p.index[r>>8] = p.filled(value)
			r = end + 1
			continue
		case int(block) < numFilled: // shared: a copy of its own
			p.blocks = append(p.blocks, p.blocks[block])
			block = uint16(len(p.blocks) - 1)
			p.index[r>>8] = block
		}
		for ; r <= end; r++ {
			p.blocks[block][uint8(r)] = value
		}
	}
}

// numFilled is how many of the first blocks have one value throughout, their number.
const numFilled = 256

func (p *pages) filled(value uint8) uint16 { return uint16(value) }

func newPages() *pages {
	p := &pages{blocks: make([][256]uint8, numFilled, 2*numFilled)}
	for value := range p.blocks {
		for i := range p.blocks[value] {
			p.blocks[value][i] = uint8(value)
		}
	}
	return p
}

// tables are read from charactersText when first needed.
var tables = sync.OnceValue(func() (t struct{ classes, scripts *pages }) {
	t.classes, t.scripts = newPages(), newPages()
	for line := range strings.Lines(charactersText) {
		var kind string
		var first, last rune
		var value uint8
		if line[0] == '#' {
			continue
		}
		if _, err := fmt.Sscanf(line, "%s %X %X %d", &kind, &first, &last, &value); err != nil {
			panic("pretokenize: characters.txt: " + err.Error())
		}
		if kind == "c" {
			t.classes.set(first, last, value)
		} else {
			t.scripts.set(first, last, value)
		}
	}
	return t
})

// runeClass is the class of a character.
func runeClass(r rune) uint8 { return tables().classes.get(r) }

// IsSpace says whether the original takes a character for white space.
func IsSpace(r rune) bool { return runeClass(r)&white != 0 }

// IsWord says whether a character is one of the original's \w.
func IsWord(r rune) bool { return runeClass(r)&word != 0 }
