package main

func softmaxes(a *asm) {
	a.function("softcap", "func(x []float32, scale, softcap float32)", func() {
		x, scale, softcap := a.ptr("x"), a.scalar("scale"), a.scalar("softcap")
		a.each(a.length("x"), func(u *unit) {
			u.store(u.mul(u.tanh(u.div(u.mul(u.load(x), scale), softcap)), softcap), x)
		})
	})

	a.softmax("softmax", "func(p []float32, scale float32) (m, l float32)", true)
	a.softmax("logSumExp", "func(x []float32) (m, l float32)", false)

	a.function("softcapEntropyGrad", "func(x []float32, m, c, softcap float32)", func() {
		x, softcap := a.ptr("x"), a.scalar("softcap")
		m, c := a.scalar("m"), a.scalar("c")
		a.each(a.length("x"), func(u *unit) {
			e := u.mul(u.exp(u.sub(u.load(x), m)), c)
			u.store(u.mul(e, u.curve(u.div(u.load(x), softcap))), x)
		})
	})

	a.attentionGrad("attentionGrad", "func(s, dp []float32, m, invL, d, scale float32)", false)
	a.attentionGrad("attentionGradSoftcap", "func(s, dp []float32, m, invL, d, scale, softcap float32)", true)
}

// curve is fma(-t, t, 1), the slope of tanh where it is t.
func (a *asm) curve(t vec) vec {
	y := a.get(a.f(1))
	a.VFNMADD231PS(t, t, y)
	return y
}

// softmax finds the maximum and the sum of the exponentials, which it stores if
// scores are scaled.
func (a *asm) softmax(name, signature string, scaled bool) {
	a.function(name, signature, func() {
		var scale vec
		p := "x"
		if scaled {
			p, scale = "p", a.scalar("scale")
		}
		x, n := a.ptr(p), a.length(p)
		score := func(u *unit) vec {
			if scaled {
				return u.mul(u.load(x), scale)
			}
			return u.load(x)
		}
		tops := a.lowest()
		a.each(n, func(u *unit) { u.raise(tops, score(u)) })
		top := a.foldMax(tops)
		a.Store(top, a.Return("m"))
		m, sums := a.broadcast(top), a.zeros()
		a.each(n, func(u *unit) {
			e := u.expFalling(u.sub(score(u), m))
			if scaled {
				u.store(e, x)
			}
			u.VADDPS(u.present(e), sums[u.lane], sums[u.lane])
		})
		a.Store(a.foldSum(sums), a.Return("l"))
	})
}

// attentionGrad with a softcap loads its scalars where it needs them: registers are
// short there.
func (a *asm) attentionGrad(name, signature string, capped bool) {
	a.function(name, signature, func() {
		s, dp := a.ptr("s"), a.ptr("dp")
		scalar := a.scalar
		if !capped {
			kept := map[string]vec{}
			for _, name := range []string{"scale", "m", "invL", "d"} {
				kept[name] = a.scalar(name)
			}
			scalar = func(name string) vec { return kept[name] }
		}
		a.each(a.length("s"), func(u *unit) {
			x := u.mul(u.load(s), scalar("scale"))
			var t vec
			if capped {
				t = u.tanh(u.div(x, scalar("softcap")))
				x = u.mul(t, scalar("softcap"))
			}
			p := u.mul(u.exp(u.sub(x, scalar("m"))), scalar("invL"))
			u.store(p, s)
			y := u.mul(u.sub(u.load(dp), scalar("d")), p)
			if capped {
				y = u.mul(y, u.curve(t))
			}
			u.store(u.mul(y, scalar("scale")), dp)
		})
	})
}
