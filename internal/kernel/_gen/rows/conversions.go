package main

import "github.com/mmcloughlin/avo/operand"

// conversions take whole groups of elements.
func conversions(a *asm) {
	a.function("roundBF16", "func(dst []uint16, src []float32)", func() {
		dst, src := a.ptr("dst"), a.ptr("src")
		var first vec
		a.groups(a.length("dst"), func(u *unit) {
			halves := u.rounded(u.load(src))
			to := operand.Mem{Base: dst, Index: u.index, Scale: 2, Disp: a.bytes() / 2 * u.n}
			switch {
			case a.wide:
				a.VPMOVDW(halves, to)
			case u.n == 0:
				first = halves
			default:
				packed := a.vec()
				a.VPACKUSDW(halves, first, packed) // by halves of the registers: 0 4 8 12 -> 0 8 4 12
				a.VPERMQ(operand.Imm(0xd8), packed, packed)
				to.Disp = 0
				a.VMOVUPS(packed, to)
			}
		})
	})

	a.function("widenBF16", "func(dst []float32, src []uint16)", func() {
		dst, src := a.ptr("dst"), a.ptr("src")
		a.groups(a.length("dst"), func(u *unit) {
			v := a.vec()
			a.VPMOVZXWD(operand.Mem{Base: src, Index: u.index, Scale: 2, Disp: a.bytes() / 2 * u.n}, v)
			a.VPSLLD(operand.Imm(16), v, v)
			u.store(v, dst)
		})
	})
}

// rounded is x in bfloat16, in the lower halves of 32-bit elements.
func (a *asm) rounded(x vec) vec {
	y := a.vec()
	a.VPSRLD(operand.Imm(16), x, y)
	y = a.and(y, a.u(1))
	a.VPADDD(a.u(0x7fff), y, y)
	a.VPADDD(x, y, y)
	quiet := a.or(x, a.u(0x00400000))
	y = a.choose(a.compare(unordered, x, x), quiet, y)
	magnitude := a.magnitude(x)
	sign := a.and(x, a.u(1<<31))
	y = a.choose(a.compare(less, magnitude, a.f(0x1p-126)), sign, y)
	a.VPSRLD(operand.Imm(16), y, y)
	return y
}
