package main

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// vec is a vector register: 8 float32 in AVX2, 16 (wide) in AVX-512.
type vec = reg.VecVirtual

// asm writes instructions. Its methods return new registers and leave their
// operands as they are, unless they are named for an assignment.
type asm struct {
	*build.Context // of the function
	wide           bool
	labels         int
	hoisted        int // constants that loops keep in registers
	constants      int // constants in the loop that has most

	functions []*ir.Function
	words     map[string][]uint32 // constants, by name
	stubs     *bytes.Buffer
}

func (a *asm) suffix() string {
	if a.wide {
		return "AVX512"
	}
	return "AVX2"
}

// vec is a new register.
func (a *asm) vec() vec {
	if a.wide {
		return a.ZMM()
	}
	return a.YMM()
}

// units is the number of registers that hold 16 elements.
func (a *asm) units() int {
	if a.wide {
		return 1
	}
	return 2
}

func (a *asm) label(name string) string {
	a.labels++
	return fmt.Sprintf("%s%d", name, a.labels)
}

// f is a vector constant in memory.
func (a *asm) f(x float32) operand.Op { return a.u(math.Float32bits(x)) }

// u is f by its bits.
func (a *asm) u(bits uint32) operand.Op {
	return a.table(fmt.Sprintf("c%08x", bits), slices.Repeat([]uint32{bits}, 16)...)
}

// table is a constant vector of 32-bit words.
func (a *asm) table(name string, words ...uint32) operand.Mem {
	a.words[name] = words
	return operand.NewDataAddr(operand.Symbol{Name: name, Static: true}, 0)
}

// get is x in a register that may be written.
func (a *asm) get(x operand.Op) vec {
	v := a.vec()
	a.VMOVUPS(x, v)
	return v
}

func (a *asm) zero() vec {
	v := a.vec()
	if a.wide {
		a.VPXORD(v, v, v)
	} else {
		a.VXORPS(v, v, v)
	}
	return v
}

func (a *asm) two(f func(...operand.Op), x, y operand.Op) vec {
	v := a.vec()
	f(y, x, v)
	return v
}

// In the following y may be in memory, x may not.

func (a *asm) add(x, y operand.Op) vec { return a.two(a.VADDPS, x, y) }
func (a *asm) sub(x, y operand.Op) vec { return a.two(a.VSUBPS, x, y) }
func (a *asm) mul(x, y operand.Op) vec { return a.two(a.VMULPS, x, y) }
func (a *asm) div(x, y operand.Op) vec { return a.two(a.VDIVPS, x, y) }

// max is x > y ? x : y.
func (a *asm) max(x, y operand.Op) vec { return a.two(a.VMAXPS, x, y) }

func (a *asm) and(x, y operand.Op) vec { return a.two(a.VANDPS, x, y) }
func (a *asm) or(x, y operand.Op) vec  { return a.two(a.VORPS, x, y) }
func (a *asm) xor(x, y operand.Op) vec { return a.two(a.VXORPS, x, y) }
func (a *asm) neg(x operand.Op) vec    { return a.xor(x, a.u(1<<31)) }

func (a *asm) sqrt(x operand.Op) vec {
	v := a.vec()
	a.VSQRTPS(x, v)
	return v
}

// multiplyAdd is p = fma(p, x, y).
func (a *asm) multiplyAdd(p vec, x, y operand.Op) { a.VFMADD213PS(y, x, p) }

// accumulate is sum = fma(x, y, sum).
func (a *asm) accumulate(sum vec, x, y operand.Op) { a.VFMADD231PS(y, x, sum) }

// fma is fma(x, y, z), x and y in registers.
func (a *asm) fma(x, y, z operand.Op) vec {
	v := a.get(x)
	a.VFMADD213PS(z, y, v)
	return v
}

// horner is c[0] + c[1] x + ... in fma.
func (a *asm) horner(x vec, c ...float32) vec {
	p := a.get(a.f(c[len(c)-1]))
	for i := len(c) - 2; i >= 0; i-- {
		a.multiplyAdd(p, x, a.f(c[i]))
	}
	return p
}

// Predicates of compare.
const (
	unordered    = 3
	less         = 17 // false with NaN
	notLess      = 21 // true with NaN
	notLessEqual = 22
)

// mask is the result of a comparison: a vector in AVX2, a mask register in AVX-512.
type mask struct {
	v vec
	k reg.OpmaskVirtual
}

// compare is x predicate y.
func (a *asm) compare(predicate uint8, x, y operand.Op) mask {
	if a.wide {
		m := mask{k: a.K()}
		a.VCMPPS(operand.Imm(uint64(predicate)), y, x, m.k)
		return m
	}
	m := mask{v: a.vec()}
	a.VCMPPS(operand.Imm(uint64(predicate)), y, x, m.v)
	return m
}

// choose is yes where m is set, else no.
func (a *asm) choose(m mask, yes, no operand.Op) vec {
	v := a.vec()
	if a.wide {
		a.VBLENDMPS(yes, no, m.k, v)
	} else {
		a.VBLENDVPS(m.v, yes, no, v)
	}
	return v
}

// keep is x where m is set, else +0.
func (a *asm) keep(m mask, x vec) vec {
	v := a.vec()
	if a.wide {
		a.VMOVAPS_Z(x, m.k, v)
	} else {
		a.VANDPS(x, m.v, v)
	}
	return v
}

// broadcast is a vector of the float32 at m or in the register m.
func (a *asm) broadcast(m operand.Op) vec {
	v := a.vec()
	a.VBROADCASTSS(m, v)
	return v
}

// ptr, length, scalar and word load a parameter.
func (a *asm) ptr(name string) reg.GPVirtual {
	r := a.GP64()
	a.Load(a.Param(name).Base(), r)
	return r
}

func (a *asm) length(name string) reg.GPVirtual {
	r := a.GP64()
	a.Load(a.Param(name).Len(), r)
	return r
}

func (a *asm) word(name string) reg.GPVirtual {
	r := a.GP64()
	a.Load(a.Param(name), r)
	return r
}

func (a *asm) scalar(name string) vec { return a.component(a.Param(name)) }

// component is a part of a parameter in all lanes.
func (a *asm) component(c gotypes.Component) vec {
	part, err := c.Resolve()
	if err != nil {
		panic(err)
	}
	return a.broadcast(part.Addr)
}

// fold folds the lanes of a reduction, halving them: join is called with the lower
// and the upper half. The result is in the lowest lane.
func (a *asm) fold(sums []vec, join func(x, y operand.Op, to operand.Op)) reg.Register {
	var eight, four, upper reg.VecVirtual
	if a.wide {
		eight, upper = a.YMM(), a.YMM()
		a.VEXTRACTF64X4(operand.Imm(1), sums[0], upper)
		join(sums[0].AsY(), upper, eight)
	} else {
		eight = a.YMM()
		join(sums[0], sums[1], eight)
	}
	four, upper = a.XMM(), a.XMM()
	a.VEXTRACTF128(operand.Imm(1), eight, upper)
	join(eight.AsX(), upper, four)
	for _, shuffle := range []uint64{0x0e, 0x01} {
		upper, next := a.XMM(), a.XMM()
		a.VPSHUFD(operand.Imm(shuffle), four, upper)
		join(four, upper, next)
		four = next
	}
	return four
}

// sum is the total of the lanes, max the largest.
func (a *asm) foldSum(sums []vec) reg.Register {
	return a.fold(sums, func(x, y, to operand.Op) { a.VADDPS(y, x, to) })
}

func (a *asm) foldMax(tops []vec) reg.Register {
	return a.fold(tops, func(x, y, to operand.Op) { a.VMAXPS(y, x, to) })
}

// zeros are accumulators of 16 lanes.
func (a *asm) zeros() []vec {
	v := make([]vec, a.units())
	for i := range v {
		v[i] = a.zero()
	}
	return v
}

// unit is one register's worth of a group of elements, which is two registers.
type unit struct {
	*asm
	n      int // which of the group's registers
	lane   int // which register of a reduction's lanes is its own
	index  reg.Register
	masked bool
	m      mask
}

func (a *asm) unit(n int, index reg.Register) *unit {
	return &unit{asm: a, n: n, lane: n % a.units(), index: index}
}

// at is the unit's place in the float32 from p on.
func (u *unit) at(p reg.Register) operand.Mem {
	return operand.Mem{Base: p, Index: u.index, Scale: 4, Disp: u.bytes() * u.n}
}

// load reads the unit's elements of p; absent ones are +0.
func (u *unit) load(p reg.Register) vec {
	v := u.vec()
	switch {
	case !u.masked:
		u.VMOVUPS(u.at(p), v)
	case u.wide:
		u.VMOVUPS_Z(u.at(p), u.m.k, v)
	default:
		u.VMASKMOVPS(u.at(p), u.m.v, v)
	}
	return v
}

// store writes the unit's elements of p.
func (u *unit) store(v vec, p reg.Register) {
	switch {
	case !u.masked:
		u.VMOVUPS(v, u.at(p))
	case u.wide:
		u.VMOVUPS(v, u.m.k, u.at(p))
	default:
		u.VMASKMOVPS(v, u.m.v, u.at(p))
	}
}

// present is x with +0 for the absent elements.
func (u *unit) present(x vec) vec {
	if !u.masked {
		return x
	}
	return u.keep(u.m, x)
}

// each runs body over n elements: all whole groups, then what is left, masked.
func (a *asm) each(n reg.Register, body func(u *unit)) {
	index := a.groups(n, body)
	left, at, done := a.GP64(), a.GP64(), a.label("done")
	size := a.bytes() / 2
	a.MOVQ(n, left)
	a.ANDQ(operand.Imm(uint64(size-1)), left)
	a.JZ(operand.LabelRef(done))
	present := make([]uint32, 2*size)
	for i := range size {
		present[i] = ^uint32(0)
	}
	a.LEAQ(a.table("present"+a.suffix(), present...), at)
	a.NEGQ(left)
	for k := range 2 {
		u := a.unit(k, index)
		u.masked = true
		u.m.v = a.get(operand.Mem{Base: at, Index: left, Scale: 4, Disp: 4*size + a.bytes()*k})
		if a.wide {
			u.m.k = a.K()
			a.VPTESTMD(u.m.v, u.m.v, u.m.k)
		}
		body(u)
	}
	a.Label(done)
}

// groups runs body over the whole groups of n elements and returns the index of
// the element after them.
func (a *asm) groups(n reg.Register, body func(u *unit)) reg.Register {
	index, end := a.GP64(), a.GP64()
	loop, done := a.label("group"), a.label("groups")
	size := a.bytes() / 2
	a.XORQ(index, index)
	a.MOVQ(n, end)
	a.ANDQ(operand.I8(-size), end)
	a.JZ(operand.LabelRef(done))
	a.loop(loop, func() { body(a.unit(0, index)) }, func() { body(a.unit(1, index)) })
	a.ADDQ(operand.Imm(uint64(size)), index)
	a.CMPQ(index, end)
	a.JLT(operand.LabelRef(loop))
	a.Label(done)
	return index
}

// bytes is the size of a vector.
func (a *asm) bytes() int {
	if a.wide {
		return 64
	}
	return 32
}
