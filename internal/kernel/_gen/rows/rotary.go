package main

import "github.com/mmcloughlin/avo/operand"

func rotary(a *asm) {
	a.function("rope", "func(x, cos, sin []float32, heads int, inverse bool)", func() {
		first, cos, sin, half := a.ptr("x"), a.ptr("cos"), a.ptr("sin"), a.length("cos")
		heads := a.word("heads")
		inverse := a.GP64()
		a.Load(a.Param("inverse"), inverse.As8())
		a.MOVBQZX(inverse.As8(), inverse)
		a.SHLQ(operand.Imm(31), inverse)
		sign := a.XMM()
		a.VMOVD(inverse.As32(), sign)
		signs := a.broadcast(sign)
		loop, done := a.label("head"), a.label("heads")
		a.TESTQ(heads, heads)
		a.JZ(operand.LabelRef(done))
		a.Label(loop)
		second := a.GP64()
		a.LEAQ(operand.Mem{Base: first, Index: half, Scale: 4}, second)
		a.each(half, func(u *unit) {
			x, y, c := u.load(first), u.load(second), u.load(cos)
			s := u.xor(u.load(sin), signs)
			r1, r2 := u.mul(y, s), u.mul(x, s)
			u.VFMSUB231PS(c, x, r1)
			u.accumulate(r2, y, c)
			u.store(r1, first)
			u.store(r2, second)
		})
		a.LEAQ(operand.Mem{Base: second, Index: half, Scale: 4}, first)
		a.DECQ(heads)
		a.JNZ(operand.LabelRef(loop))
		a.Label(done)
	})
}
