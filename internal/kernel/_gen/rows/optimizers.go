package main

import "github.com/mmcloughlin/avo/operand"

func optimizers(a *asm) {
	a.function("adamW", "func(c *adamWRates, w, g, m, v []float32)")
	w, g, m, v := a.ptr("w"), a.ptr("g"), a.ptr("m"), a.ptr("v")
	rate := a.rates()
	scale, decay, a1, b2 := rate(0), rate(1), rate(2), rate(3)
	a2, root, eps, minusStep := rate(4), rate(5), rate(6), rate(7)
	a.each(a.length("w"), func(u *unit) {
		d := u.mul(u.load(g), scale)
		first := u.load(m)
		u.accumulate(first, a1, u.sub(d, first))
		u.store(first, m)
		second := u.mul(u.load(v), b2)
		u.accumulate(second, u.mul(d, a2), d)
		u.store(second, v)
		x := u.mul(u.load(w), decay)
		denominator := u.add(u.div(u.sqrt(second), root), eps)
		u.accumulate(x, minusStep, u.div(first, denominator))
		u.store(x, w)
	})
	a.end()

	a.function("sgd", "func(c *sgdRates, w, g, buf []float32)")
	w, g = a.ptr("w"), a.ptr("g")
	n, buf := a.length("w"), a.ptr("buf")
	rate = a.rates()
	scale, decay, momentum, minusLR := rate(0), rate(1), rate(2), rate(3)
	nesterov := a.GP64()
	a.Load(a.Param("c"), nesterov)
	a.MOVBQZX(operand.Mem{Base: nesterov, Disp: 16}, nesterov)
	body := func(buffered, ahead bool) func() {
		return func() {
			a.each(n, func(u *unit) {
				x := u.load(w)
				d := u.mul(u.load(g), scale)
				u.accumulate(d, decay, x)
				if buffered {
					b := u.load(buf)
					u.multiplyAdd(b, momentum, d)
					u.store(b, buf)
					if ahead {
						u.accumulate(d, momentum, b)
					} else {
						d = b
					}
				}
				u.accumulate(x, minusLR, d)
				u.store(x, w)
			})
		}
	}
	a.either(buf, func() { a.either(nesterov, body(true, true), body(true, false)) }, body(false, false))
	a.end()
}

// rates gives the numbers of the struct at c.
func (a *asm) rates() func(i int) vec {
	c := a.GP64()
	a.Load(a.Param("c"), c)
	return func(i int) vec { return a.broadcast(operand.Mem{Base: c, Disp: 4 * i}) }
}
