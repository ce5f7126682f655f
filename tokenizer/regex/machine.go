package regex

import (
	"math"
	"unicode/utf8"
)

// machine runs programs by backtracking, with its own stack. After a budget of steps
// it remembers failures: that going on from an instruction, at a place, with the same
// loops having moved or not, leads to no match.
type machine struct {
	prog   *program
	text   []byte
	stack  []frame
	regs   [maxLoops]int // where the body of a loop began
	target int           // where a look-behind must end
	steps  int
	failed memo
}

// frame is something to go back to.
type frame struct {
	kind opcode // iJump: go to pc; iRun, iLoop, iChoose: as the instruction needs; iEnd: key failed
	pc   int32
	pos  int
	rest int // of a run the end of what it must match; of choices the mask; of lazy runs how many more
}

// stepsBeforeMemo is how many steps a search may take, each character it moves on
// buying another few, before failures are remembered: far more than patterns of
// tokenizers take on text.
const stepsBeforeMemo = 4096

// keptStack is how large a stack is kept for the next search, in frames.
const keptStack = 1 << 14

// release lets go of what one search has used.
func (m *machine) release() {
	m.text, m.prog = nil, nil
	if cap(m.stack) > keptStack {
		m.stack = nil
	}
	m.stack = m.stack[:0]
	m.steps = 0
	m.failed.clear()
}

// find returns the first match that begins at from or later.
func (m *machine) find(prog *program, text []byte, from int) (start, end int, ok bool) {
	m.begin(prog, text)
	return m.search(from)
}

// search is find in the text that the machine is at. What failed before is still
// known.
func (m *machine) search(from int) (start, end int, ok bool) {
	text, first := m.text, &m.prog.first
	for start = from; start <= len(text); {
		if start < len(text) && first.has(text[start]) || start == len(text) && m.prog.empty {
			if end, ok = m.run(0, start); ok {
				return start, end, true
			}
			m.earn(1)
		}
		start += charSize(text, start)
	}
	return 0, 0, false
}

// earn takes the steps off that moving on by some bytes may cost.
func (m *machine) earn(bytes int) { m.steps = max(m.steps-16*bytes, 0) }

// match returns the end of the match that begins at i.
func (m *machine) match(prog *program, text []byte, i int) (end int, ok bool) {
	m.begin(prog, text)
	return m.run(0, i)
}

func (m *machine) begin(prog *program, text []byte) {
	if len(text) > math.MaxInt32 {
		panic("regex: Find: text of more than 2 GiB")
	}
	m.prog, m.text = prog, text
	m.steps = 0
}

// charSize is the length of the character at text[i]; 1 at the end.
func charSize(text []byte, i int) int {
	if i >= len(text) || text[i] < utf8.RuneSelf {
		return 1
	}
	_, size := utf8.DecodeRune(text[i:])
	return size
}

// key packs all that what comes after an instruction depends on.
func (m *machine) key(pc int32, pos int) uint64 {
	key := uint64(pos)<<15 | uint64(pc)
	moved := uint64(0)
	for i := range m.prog.loops {
		if m.regs[i] != pos {
			moved |= 1 << i
		}
	}
	ahead := uint64(0)
	if m.target > pos {
		ahead = uint64(m.target - pos)
	}
	return key<<18 | moved<<10 | ahead&(1<<10-1)
}

// known tells whether this failed before, if failures are remembered; else it sees to
// it that it will be when it does.
func (m *machine) known(pc int32, pos int) bool {
	if m.steps < stepsBeforeMemo {
		return false
	}
	key := m.key(pc, pos)
	if m.failed.has(key) {
		return true
	}
	m.stack = append(m.stack, frame{kind: iEnd, pos: int(key)})
	return false
}

// run matches the part of the program at pc from pos on up to its iEnd.
//
// It is one switch over all instructions, which is what makes it fast.
func (m *machine) run(pc int32, pos int) (end int, ok bool) {
	base := len(m.stack)
	text, code := m.text, m.prog.code
	for {
		in := &code[pc]
		fine := true
		m.steps++
		switch in.op {
		case iText:
			if fine = hasText(text, pos, in.text); fine {
				pos += len(in.text)
				pc++
			}
		case iChar:
			fine = false
			if pos < len(text) {
				var size int
				if fine, size = in.table.at(text, pos); fine {
					pos += size
					pc++
				}
			}
		case iRun:
			if pos, fine = m.startRun(in, pc, pos); fine {
				pc++
			}
		case iSplit:
			if fine = !m.known(pc, pos); fine {
				next, other := pc+1, in.to
				if in.lazy {
					next, other = other, next
				}
				m.stack = append(m.stack, frame{kind: iJump, pc: other, pos: pos})
				pc = next
			}
		case iChoose:
			if fine = !m.known(pc, pos); fine {
				mask := in.choices.atEnd
				if pos < len(text) {
					mask = in.choices.first[text[pos]]
				}
				pc, fine = m.choose(in, pc, pos, mask)
			}
		case iJump:
			pc = in.to
		case iAtomic:
			if pos, fine = m.run(pc+1, pos); fine {
				pc = in.to
			}
		case iLook:
			_, found := m.run(pc+1, pos)
			if fine = found != in.negative; fine {
				pc = in.to
			}
		case iBehind:
			if fine = m.behind(in, pc+1, pos) != in.negative; fine {
				pc = in.to
			}
		case iAssert:
			fine = holds(in.assert, text, pos)
			pc++
		case iLoop:
			m.stack = append(m.stack, frame{kind: iLoop, pc: in.reg, pos: m.regs[in.reg]})
			m.regs[in.reg] = pos
			pc++
		case iMoved:
			if m.regs[in.reg] == pos {
				pc = in.to
			} else {
				pc++
			}
		case iEnd:
			m.cut(base)
			return pos, true
		case iBegin:
			if fine = pos == m.target; fine {
				m.cut(base)
				return pos, true
			}
		}
		if !fine {
			if pc, pos, ok = m.back(base); !ok {
				return pos, false
			}
		}
	}
}

// cut forgets all there is to go back to above base, but gives loops their places
// back.
func (m *machine) cut(base int) {
	if m.prog.loops > 0 {
		for i := len(m.stack) - 1; i >= base; i-- {
			if f := &m.stack[i]; f.kind == iLoop {
				m.regs[f.pc] = f.pos
			}
		}
	}
	m.stack = m.stack[:base]
}

// back goes back to the last choice.
func (m *machine) back(base int) (pc int32, pos int, ok bool) {
	for len(m.stack) > base {
		f := &m.stack[len(m.stack)-1]
		switch f.kind {
		case iJump:
			pc, pos = f.pc, f.pos
			m.stack = m.stack[:len(m.stack)-1]
			return pc, pos, true
		case iRun:
			if pc, pos, ok = m.continueRun(f); ok {
				return pc, pos, true
			}
		case iChoose:
			mask, at := uint64(f.rest), f.pc
			pos = f.pos
			m.stack = m.stack[:len(m.stack)-1]
			if pc, ok = m.choose(&m.prog.code[at], at, pos, mask); ok {
				return pc, pos, true
			}
		case iLoop:
			m.regs[f.pc] = f.pos
			m.stack = m.stack[:len(m.stack)-1]
		case iEnd:
			m.failed.add(uint64(f.pos))
			m.stack = m.stack[:len(m.stack)-1]
		}
	}
	return 0, 0, false
}

// choose takes the first alternative of mask and leaves the others for later.
func (m *machine) choose(in *inst, pc int32, pos int, mask uint64) (next int32, ok bool) {
	if mask == 0 {
		return 0, false
	}
	i := lowestBit(mask)
	if mask &= mask - 1; mask != 0 {
		m.stack = append(m.stack, frame{kind: iChoose, pc: pc, pos: pos, rest: int(mask)})
	}
	return in.choices.at[i], true
}

// startRun takes as many characters as a run takes at first and leaves the other
// numbers for later.
func (m *machine) startRun(in *inst, pc int32, pos int) (end int, ok bool) {
	start := pos
	if in.max != in.min && in.max >= 0 && m.known(pc, pos) {
		return pos, false
	}
	for i := 0; i < in.min; i++ {
		next, ok := m.oneMore(in, pos)
		if !ok {
			return pos, false
		}
		pos = next
	}
	if in.max == in.min {
		m.steps += (pos - start) >> 3
		return pos, true
	}
	if in.lazy {
		if in.max < 0 && m.known(pc, pos) {
			return pos, false
		}
		m.stack = append(m.stack, frame{kind: iRun, pc: pc, pos: pos, rest: in.max - in.min})
		return pos, true
	}
	if m.steps >= stepsBeforeMemo && in.max < 0 {
		return m.rememberedRun(in, pc, pos)
	}
	low := pos
	for left := in.max - in.min; left != 0 && pos < len(m.text); left-- {
		next, ok := m.oneMore(in, pos)
		if !ok {
			break
		}
		pos = next
	}
	m.steps += (pos - start) >> 3
	if pos > low {
		m.stack = append(m.stack, frame{kind: iRun, pc: pc, pos: pos, rest: low})
	}
	return pos, true
}

// rememberedRun is a greedy run that goes character by character, so that what failed
// from a place on in one run is not tried again by another.
func (m *machine) rememberedRun(in *inst, pc int32, pos int) (end int, ok bool) {
	for {
		if m.known(pc, pos) {
			return pos, false
		}
		next, ok := m.oneMore(in, pos)
		if !ok {
			return pos, true
		}
		m.stack = append(m.stack, frame{kind: iJump, pc: pc + 1, pos: pos})
		pos = next
	}
}

func (m *machine) oneMore(in *inst, pos int) (next int, ok bool) {
	if pos >= len(m.text) {
		return pos, false
	}
	ok, size := in.table.at(m.text, pos)
	return pos + size, ok
}

// continueRun gives a run one character less or, if it is lazy, one more.
func (m *machine) continueRun(f *frame) (pc int32, pos int, ok bool) {
	in := &m.prog.code[f.pc]
	pc = f.pc + 1
	if in.lazy {
		next, ok := m.oneMore(in, f.pos)
		if f.rest--; !ok || f.rest == -1 {
			m.stack = m.stack[:len(m.stack)-1]
			return 0, 0, false
		}
		if in.max < 0 && m.steps >= stepsBeforeMemo {
			run := *f
			run.pos = next
			m.stack = m.stack[:len(m.stack)-1]
			if m.known(run.pc, next) {
				return 0, 0, false
			}
			m.stack = append(m.stack, run)
			return pc, next, true
		}
		f.pos = next
		return pc, next, true
	}
	_, size := utf8.DecodeLastRune(m.text[f.rest:f.pos])
	pos = f.pos - size
	if f.pos = pos; pos == f.rest {
		m.stack = m.stack[:len(m.stack)-1]
	}
	return pc, pos, true
}

// behind tells whether a look-behind's body matches up to pos.
func (m *machine) behind(in *inst, pc int32, pos int) bool {
	before := m.target
	m.target = pos
	start, found := pos, false
	for chars := 0; !found; chars++ {
		if chars >= in.min {
			_, found = m.run(pc, start)
		}
		if chars == in.max || start == 0 {
			break
		}
		_, size := utf8.DecodeLastRune(m.text[:start])
		start -= size
	}
	m.target = before
	return found
}

// hasText tells whether text has want at pos.
func hasText(text []byte, pos int, want string) bool {
	return len(text)-pos >= len(want) && string(text[pos:pos+len(want)]) == want
}

// holds tells whether an assertion is true at pos.
func holds(a assertion, text []byte, pos int) bool {
	switch a {
	case atStart:
		return pos == 0
	case atEnd:
		return pos == len(text)
	case atLastLine:
		return pos == len(text) || pos == len(text)-1 && text[pos] == '\n'
	case atLineStart:
		return pos == 0 || pos < len(text) && text[pos-1] == '\n'
	case atAnyLineStart:
		return pos == 0 || text[pos-1] == '\n'
	case atLineEnd:
		return pos == len(text) || text[pos] == '\n'
	case atRustBoundary, atNoRustBoundary:
		return isBoundary(rustWords(), text, pos) == (a == atRustBoundary)
	}
	return isBoundary(words(), text, pos) == (a == atWordBoundary)
}
