package main

func softmaxes(a *asm) {
	a.function("softcap", "func(x []float32, scale, softcap float32)")
	x, scale, softcap := a.ptr("x"), a.scalar("scale"), a.scalar("softcap")
	a.each(a.length("x"), func(u *unit) {
		u.store(u.mul(u.tanh(u.div(u.mul(u.load(x), scale), softcap)), softcap), x)
	})
	a.end()

	a.softmax("softmax", "func(p []float32, scale float32) (m, l float32)", true)
	a.softmax("logSumExp", "func(x []float32) (m, l float32)", false)

	a.function("softcapEntropyGrad", "func(x []float32, m, c, softcap float32)")
	x, softcap = a.ptr("x"), a.scalar("softcap")
	m, c := a.scalar("m"), a.scalar("c")
	a.each(a.length("x"), func(u *unit) {
		s := u.load(x)
		t := u.div(s, softcap)
		u.store(u.mul(u.mul(u.exp(u.sub(s, m)), c), u.curve(t)), x)
	})
	a.end()

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
	a.function(name, signature)
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
		e := u.exp(u.sub(score(u), m))
		if scaled {
			u.store(e, x)
		}
		u.VADDPS(u.present(e), sums[u.n], sums[u.n])
	})
	a.Store(a.foldSum(sums), a.Return("l"))
	a.end()
}

func (a *asm) attentionGrad(name, signature string, capped bool) {
	a.function(name, signature)
	s, dp := a.ptr("s"), a.ptr("dp")
	m, invL, d, scale := a.scalar("m"), a.scalar("invL"), a.scalar("d"), a.scalar("scale")
	var softcap vec
	if capped {
		softcap = a.scalar("softcap")
	}
	a.each(a.length("s"), func(u *unit) {
		x := u.mul(u.load(s), scale)
		var t vec
		if capped {
			t = u.tanh(u.div(x, softcap))
			x = u.mul(t, softcap)
		}
		p := u.mul(u.exp(u.sub(x, m)), invL)
		u.store(p, s)
		y := u.mul(u.sub(u.load(dp), d), p)
		if capped {
			y = u.mul(y, u.curve(t))
		}
		u.store(u.mul(y, scale), dp)
	})
	a.end()
}
