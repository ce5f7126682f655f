package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func vectors(a *asm) {
	a.function("add", "func(dst, a, b []float32)", func() {
		dst, x, y := a.ptr("dst"), a.ptr("a"), a.ptr("b")
		a.each(a.length("dst"), func(u *unit) { u.store(u.add(u.load(x), u.load(y)), dst) })
	})

	a.scaled("scale", func(u *unit, _, x reg.Register, s vec) vec { return u.mul(u.load(x), s) })
	a.scaled("divide", func(u *unit, _, x reg.Register, s vec) vec { return u.div(u.load(x), s) })
	a.scaled("axpy", func(u *unit, dst, x reg.Register, s vec) vec {
		sum := u.load(dst)
		u.accumulate(sum, s, u.load(x))
		return sum
	})

	a.function("scaleAdd", "func(dst, a []float32, s, t float32)", func() {
		dst, x := a.ptr("dst"), a.ptr("a")
		s, t := a.scalar("s"), a.scalar("t")
		a.each(a.length("dst"), func(u *unit) {
			sum := u.mul(u.load(x), t)
			u.accumulate(sum, s, u.load(dst))
			u.store(sum, dst)
		})
	})

	a.dot()
	a.maximum()
	a.squares()
	a.sumColumns()
}

// scaled writes dst = f(dst, a, s).
func (a *asm) scaled(name string, f func(u *unit, dst, x reg.Register, s vec) vec) {
	a.function(name, "func(dst, a []float32, s float32)", func() {
		dst, x, s := a.ptr("dst"), a.ptr("a"), a.scalar("s")
		a.each(a.length("dst"), func(u *unit) { u.store(f(u, dst, x, s), dst) })
	})
}

func (a *asm) dot() {
	a.function("dot", "func(a, b []float32) float32", func() {
		x, y := a.ptr("a"), a.ptr("b")
		sums := a.zeros()
		a.each(a.length("a"), func(u *unit) { u.accumulate(sums[u.lane], u.load(x), u.load(y)) })
		a.Store(a.foldSum(sums), a.ReturnIndex(0))
	})
}

func (a *asm) maximum() {
	a.function("max", "func(x []float32) float32", func() {
		x := a.ptr("x")
		tops := a.lowest()
		a.each(a.length("x"), func(u *unit) { u.raise(tops, u.load(x)) })
		a.Store(a.foldMax(tops), a.ReturnIndex(0))
	})
}

// lowest are accumulators of maxima.
func (a *asm) lowest() []vec {
	v := make([]vec, a.units())
	for i := range v {
		v[i] = a.get(a.u(0xff800000))
	}
	return v
}

// raise is tops = larger(x, tops); absent elements are -Inf.
func (u *unit) raise(tops []vec, x vec) {
	if u.masked {
		x = u.choose(u.m, x, u.get(u.u(0xff800000)))
	}
	u.VMAXPS(tops[u.lane], x, tops[u.lane])
}

// squares takes two float64 vectors per unit.
func (a *asm) squares() {
	a.function("squares", "func(x []float32) float64", func() {
		x := a.ptr("x")
		sums := append(a.zeros(), a.zeros()...) // lanes in order
		a.each(a.length("x"), func(u *unit) {
			for half, v := range u.widened(u.load(x)) {
				u.VFMADD231PD(v, v, sums[2*u.lane+half])
			}
		})
		a.Store(a.foldFloat64(sums), a.ReturnIndex(0))
	})
}

// widened is x in float64: the lower and the upper half.
func (a *asm) widened(x vec) [2]vec {
	lo, hi := a.vec(), a.vec()
	if a.wide {
		upper := a.YMM()
		a.VEXTRACTF64X4(operand.Imm(1), x, upper)
		a.VCVTPS2PD(x.AsY(), lo)
		a.VCVTPS2PD(upper, hi)
	} else {
		upper := a.XMM()
		a.VEXTRACTF128(operand.Imm(1), x, upper)
		a.VCVTPS2PD(x.AsX(), lo)
		a.VCVTPS2PD(upper, hi)
	}
	return [2]vec{lo, hi}
}

// foldFloat64 halves 16 lanes of float64.
func (a *asm) foldFloat64(sums []vec) reg.Register {
	for len(sums) > 1 {
		half := len(sums) / 2
		for i := range half {
			a.VADDPD(sums[half+i], sums[i], sums[i])
		}
		sums = sums[:half]
	}
	var four reg.VecVirtual = sums[0]
	if a.wide {
		upper := a.YMM()
		four = a.YMM()
		a.VEXTRACTF64X4(operand.Imm(1), sums[0], upper)
		a.VADDPD(upper, sums[0].AsY(), four)
	}
	two, upper := a.XMM(), a.XMM()
	a.VEXTRACTF128(operand.Imm(1), four, upper)
	a.VADDPD(upper, four.AsX(), two)
	one := a.XMM()
	a.VPSHUFD(operand.Imm(0x0e), two, one)
	a.VADDSD(one, two, one)
	return one
}

// sumColumns takes whole groups of columns.
func (a *asm) sumColumns() {
	a.function("sumColumns", "func(acc []float64, x []float32, stride, rows int)", func() {
		acc, x, stride, rows := a.ptr("acc"), a.ptr("x"), a.word("stride"), a.word("rows")
		a.SHLQ(operand.Imm(2), stride)
		a.columns(a.length("acc"), func(index reg.Register) {
			sums := a.loadFloat64(acc, index)
			row, left := a.GP64(), a.GP64()
			a.LEAQ(operand.Mem{Base: x, Index: index, Scale: 4}, row)
			a.MOVQ(rows, left)
			loop := a.label("row")
			a.Label(loop)
			for i, sum := range sums {
				v := a.vec()
				a.VCVTPS2PD(operand.Mem{Base: row, Disp: 4 * a.doubles() * i}, v)
				a.VADDPD(v, sum, sum)
			}
			a.ADDQ(stride, row)
			a.DECQ(left)
			a.JNZ(operand.LabelRef(loop))
			a.storeFloat64(sums, acc, index)
		})
	})
}

// columns runs body over groups of 16 columns.
func (a *asm) columns(n reg.Register, body func(index reg.Register)) {
	index := a.GP64()
	a.XORQ(index, index)
	loop := a.label("columns")
	a.Label(loop)
	body(index)
	a.ADDQ(operand.Imm(16), index)
	a.CMPQ(index, n)
	a.JLT(operand.LabelRef(loop))
}

// doubles is the number of float64 in a vector.
func (a *asm) doubles() int {
	if a.wide {
		return 8
	}
	return 4
}

// loadFloat64 reads 16 elements.
func (a *asm) loadFloat64(p, index reg.Register) []vec {
	v := make([]vec, 16/a.doubles())
	for i := range v {
		v[i] = a.vec()
		a.VMOVUPD(operand.Mem{Base: p, Index: index, Scale: 8, Disp: 8 * a.doubles() * i}, v[i])
	}
	return v
}

func (a *asm) storeFloat64(v []vec, p, index reg.Register) {
	for i := range v {
		a.VMOVUPD(v[i], operand.Mem{Base: p, Index: index, Scale: 8, Disp: 8 * a.doubles() * i})
	}
}
