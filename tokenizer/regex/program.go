package regex

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// program is a pattern made ready for the machine: instructions, of which the first
// is where a match begins.
type program struct {
	code  []inst
	first byteSet // what a match can begin with
	loops int     // counters of loops whose body can match nothing
	empty bool    // whether a match can be of nothing
}

// inst is one instruction. It goes on at the next one unless it says otherwise.
type inst struct {
	op       opcode
	lazy     bool
	negative bool
	assert   assertion
	to       int32  // where else to go; the end of an inner part
	reg      int32  // of a loop
	min, max int    // of a run; max -1 is no bound; widths of a look-behind
	table    *table // of a character or a run
	text     string // to be found literally
	choices  *choices
}

type opcode uint8

const (
	iText   opcode = iota // text
	iChar                 // one character of table
	iRun                  // min to max characters of table
	iSplit                // the next, or else to; lazy: to, or else the next
	iChoose               // one of the choices
	iJump                 // to
	iAtomic               // what follows up to an iEnd, of which the first match counts; then to
	iLook                 // the same for a look-ahead
	iBehind               // the same for a look-behind
	iAssert               // assert
	iLoop                 // a loop's body begins: reg takes the place
	iMoved                // the body ended: go to if it matched nothing
	iEnd                  // a match, of the whole or of an inner part
	iBegin                // the same, of a look-behind: the place must be where it looked from
)

// choices is what iChoose chooses from: bit i of a mask stands for alternative i.
type choices struct {
	at    []int32
	first [256]uint64 // which can begin with a byte
	atEnd uint64      // which can match nothing
}

// The bounds of a program.
const (
	maxCode    = 1 << 14
	maxTables  = 512
	maxChoices = 64 // alternatives of one iChoose, and the number of these
	maxLoops   = 8
)

// assembler makes the program of a tree.
type assembler struct {
	program
	tables  map[string]*table
	choices int
	err     error
}

func assemble(tree *node) (*program, error) {
	a := &assembler{tables: map[string]*table{}}
	a.node(tree)
	a.emit(inst{op: iEnd})
	if a.err != nil {
		return nil, a.err
	}
	least, _ := tree.widths()
	a.first, a.empty = tree.firstBytes(), least == 0
	return &a.program, nil
}

// emit adds an instruction and returns where it is.
func (a *assembler) emit(in inst) int {
	if len(a.code) >= maxCode {
		if a.err == nil {
			a.err = fmt.Errorf("the pattern is too large: it comes to more than %d instructions with its repeats written out", maxCode)
		}
		return 0
	}
	a.code = append(a.code, in)
	return len(a.code) - 1
}

// here is where the next instruction will be.
func (a *assembler) here() int32 { return int32(len(a.code)) }

func (a *assembler) node(n *node) {
	if a.err != nil {
		return
	}
	switch n.op {
	case opSet:
		a.set(n.set)
	case opConcat:
		a.concat(n.subs)
	case opAlternate:
		a.alternate(n.subs)
	case opRepeat:
		a.repeat(n)
	case opAtomic:
		a.inner(inst{op: iAtomic}, n.subs[0], iEnd)
	case opLook:
		if !n.behind {
			a.inner(inst{op: iLook, negative: n.negative}, n.subs[0], iEnd)
			return
		}
		least, most := n.subs[0].widths()
		a.inner(inst{op: iBehind, negative: n.negative, min: least, max: most}, n.subs[0], iBegin)
	case opAssert:
		a.emit(inst{op: iAssert, assert: n.assert})
	}
}

func (a *assembler) set(s set) {
	if r, ok := s.single(); ok && utf8.ValidRune(r) {
		a.emit(inst{op: iText, text: string(r)})
		return
	}
	a.emit(inst{op: iChar, table: a.table(s)})
}

func (a *assembler) table(s set) *table {
	var key []byte
	for _, r := range s {
		key = binary.LittleEndian.AppendUint32(key, uint32(r))
	}
	t, ok := a.tables[string(key)]
	if !ok {
		if len(a.tables) == maxTables {
			a.err = fmt.Errorf("the pattern has more than %d different classes", maxTables)
			return nil
		}
		t = newTable(s)
		a.tables[string(key)] = t
	}
	return t
}

// concat joins single characters to one text.
func (a *assembler) concat(subs []*node) {
	var text []byte
	flush := func() {
		if len(text) > 0 {
			a.emit(inst{op: iText, text: string(text)})
			text = text[:0]
		}
	}
	for _, s := range subs {
		if r, ok := s.set.single(); ok && utf8.ValidRune(r) {
			text = utf8.AppendRune(text, r)
			continue
		}
		flush()
		a.node(s)
	}
	flush()
}

func (a *assembler) alternate(subs []*node) {
	if len(subs) > maxChoices {
		rest := &node{op: opAlternate, subs: subs[maxChoices-1:]}
		subs = append(subs[:maxChoices-1:maxChoices-1], rest)
	}
	c := &choices{}
	for i, s := range subs {
		bit := uint64(1) << i
		first := allBytes
		if a.choices < maxChoices {
			first = s.firstBytes()
		}
		for b := range c.first {
			if first.has(byte(b)) {
				c.first[b] |= bit
			}
		}
		if least, _ := s.widths(); least == 0 {
			c.atEnd |= bit
		}
	}
	a.choices++
	a.emit(inst{op: iChoose, choices: c})
	var ends []int
	for i, s := range subs {
		c.at = append(c.at, a.here())
		a.node(s)
		if i < len(subs)-1 {
			ends = append(ends, a.emit(inst{op: iJump}))
		}
	}
	for _, end := range ends {
		a.patch(end)
	}
}

// patch makes the instruction at at go to the next one.
func (a *assembler) patch(at int) {
	if a.err == nil {
		a.code[at].to = a.here()
	}
}

func (a *assembler) inner(in inst, body *node, end opcode) {
	at := a.emit(in)
	a.node(body)
	a.emit(inst{op: end})
	a.patch(at)
}

// repeat writes out counts; one character is a run.
func (a *assembler) repeat(n *node) {
	body := n.subs[0]
	if body.op == opSet {
		a.emit(inst{op: iRun, table: a.table(body.set), min: n.min, max: n.max, lazy: n.lazy})
		return
	}
	for i := 0; i < n.min && a.err == nil; i++ {
		a.node(body)
	}
	if n.max < 0 {
		a.loop(body, n.lazy)
		return
	}
	var splits []int
	for i := n.min; i < n.max && a.err == nil; i++ {
		splits = append(splits, a.emit(inst{op: iSplit, lazy: n.lazy}))
		a.node(body)
	}
	for _, s := range splits {
		a.patch(s)
	}
}

// loop repeats body without bound, but stops after one that matched nothing.
func (a *assembler) loop(body *node, lazy bool) {
	least, _ := body.widths()
	start := a.here()
	split := a.emit(inst{op: iSplit, lazy: lazy})
	moved := -1
	if least == 0 {
		reg := int32(a.loops)
		if a.loops++; a.loops > maxLoops && a.err == nil {
			a.err = fmt.Errorf("the pattern has more than %d loops whose body can match nothing", maxLoops)
		}
		a.emit(inst{op: iLoop, reg: reg})
		a.node(body)
		moved = a.emit(inst{op: iMoved, reg: reg})
	} else {
		a.node(body)
	}
	a.emit(inst{op: iJump, to: start})
	a.patch(split)
	if moved >= 0 {
		a.patch(moved)
	}
}
