package main

import (
	"slices"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Values of asm.hoisted.
const (
	maxHoisted     = 6 // AVX2 never has room for more
	maxHoistedWide = 16
	nothing        = -1 // every constant is an operand in memory
)

// loop writes a label and, in turn, the instructions of two bodies without jumps:
// their chains are long, and the processor's window is too short to find the second
// behind the first. Reading constants would then be what takes the time: the most
// used are read before the loop, others once for both bodies.
func (a *asm) loop(label string, first, second func()) {
	x, y := a.record(first), a.record(second)
	var merged []*ir.Instruction
	for i := range max(len(x), len(y)) {
		if i < len(x) {
			merged = append(merged, x[i])
		}
		if i < len(y) {
			merged = append(merged, y[i])
		}
	}
	registers := map[operand.Mem]reg.Register{}
	constants := frequent(merged)
	a.constants = max(a.constants, len(constants))
	if a.hoisted > 0 {
		for _, c := range constants[:min(a.hoisted, len(constants))] {
			registers[c] = a.get(c)
		}
	}
	a.Label(label)
	for i, instruction := range merged {
		c, ok := constant(instruction)
		if !ok {
			a.Instruction(instruction)
			continue
		}
		if r := registers[c]; r != nil {
			a.Instruction(replace(instruction, c, r))
			continue
		}
		if i+1 < len(merged) && a.hoisted != nothing {
			if d, ok := constant(merged[i+1]); ok && d == c {
				r := a.get(c)
				a.Instruction(replace(instruction, c, r))
				merged[i+1] = replace(merged[i+1], c, r)
				continue
			}
		}
		a.Instruction(instruction)
	}
}

// record is what f writes, taken back.
func (a *asm) record(f func()) []*ir.Instruction {
	file, _ := a.Result() // its errors are seen to at the end
	function := file.Functions()[0]
	start := len(function.Nodes)
	f()
	var instructions []*ir.Instruction
	for _, n := range function.Nodes[start:] {
		instructions = append(instructions, n.(*ir.Instruction))
	}
	function.Nodes = function.Nodes[:start]
	return instructions
}

// constant is the instruction's operand that is one.
func constant(i *ir.Instruction) (operand.Mem, bool) {
	for _, op := range i.Operands {
		if m, ok := op.(operand.Mem); ok && m.Symbol.Static {
			return m, true
		}
	}
	return operand.Mem{}, false
}

// frequent are the constants in instructions, the most used first.
func frequent(instructions []*ir.Instruction) []operand.Mem {
	uses := map[operand.Mem]int{}
	var all []operand.Mem
	for _, i := range instructions {
		if c, ok := constant(i); ok {
			if uses[c]++; uses[c] == 1 {
				all = append(all, c)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b operand.Mem) int { return uses[b] - uses[a] })
	return all
}

// replace is the instruction with r where it has c.
func replace(i *ir.Instruction, c operand.Mem, r reg.Register) *ir.Instruction {
	n := *i
	swap := func(ops []operand.Op) []operand.Op {
		ops = slices.Clone(ops)
		for k, op := range ops {
			if op == operand.Op(c) {
				ops[k] = r
			}
		}
		return ops
	}
	n.Operands, n.Inputs = swap(i.Operands), swap(i.Inputs)
	return &n
}
