package main

func optimizers(a *asm) {
	a.function("adamW", "func(c adamWRates, w, g, m, v []float32)", func() {
		w, g, m, v := a.ptr("w"), a.ptr("g"), a.ptr("m"), a.ptr("v")
		scale, decay, a1, b2 := a.rate("scale"), a.rate("decay"), a.rate("a1"), a.rate("b2")
		a2, root, eps, minusStep := a.rate("a2"), a.rate("root"), a.rate("eps"), a.rate("minusStep")
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
	})

	a.function("sgd", "func(c sgdRates, w, g, buf []float32)", func() {
		w, g := a.ptr("w"), a.ptr("g")
		n, buf := a.length("w"), a.ptr("buf")
		scale, decay, momentum, minusLR := a.rate("scale"), a.rate("decay"), a.rate("momentum"), a.rate("minusLR")
		nesterov := a.GP64()
		a.Load(a.Param("c").Field("nesterov"), nesterov.As8())
		a.MOVBQZX(nesterov.As8(), nesterov)
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
	})
}

// rate is a field of the struct c in all lanes.
func (a *asm) rate(name string) vec { return a.component(a.Param("c").Field(name)) }
