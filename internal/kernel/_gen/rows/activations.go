package main

// The constants are those of activation_generic.go.
const (
	geluA = 0x1.988454p+0
	geluB = 0x1.2444f2p-4
	geluC = 0x1.b6676cp-3

	rootHalf  = 0x1.6a09e6p-1
	normalTop = 0x1.988454p-2
)

func activations(a *asm) {
	a.plain("geluTanh", func(x func() vec) vec { return a.mul(a.geluSigmoid(x()), x()) })
	a.plain("geluErf", func(x func() vec) vec { return a.mul(a.normalCDF(x()), x()) })
	a.plain("silu", func(x func() vec) vec { return a.mul(a.sigmoid(x()), x()) })
	a.plain("reluSquared", func(x func() vec) vec {
		r := a.max(a.zero(), x())
		return a.mul(r, r)
	})
	a.slope("geluTanhGrad", func(x func() vec) vec { return a.geluSlope(x(), a.geluSigmoid(x())) })
	a.slope("geluErfGrad", func(x func() vec) vec {
		cdf, v := a.normalCDF(x()), x()
		half := a.mul(a.mul(v, v), a.f(-0.5))
		y := a.mul(a.expFalling(half), a.f(normalTop))
		a.multiplyAdd(y, x(), cdf)
		return y
	})
	a.slope("siluGrad", func(x func() vec) vec { return a.siluSlope(x(), a.sigmoid(x())) })
	a.slope("reluSquaredGrad", func(x func() vec) vec {
		r := a.max(a.zero(), x())
		return a.add(r, r)
	})
	a.gatedPair("swiGLU", a.sigmoid, a.siluSlope)
	a.gatedPair("geGLU", a.geluSigmoid, a.geluSlope)
}

// plain writes out = f(in). f's x loads the element, each time that it is called:
// registers are short.
func (a *asm) plain(name string, f func(x func() vec) vec) {
	a.function(name, "func(out, in []float32)", func() {
		out, in := a.ptr("out"), a.ptr("in")
		a.each(a.length("out"), func(u *unit) { u.store(f(func() vec { return u.load(in) }), out) })
	})
}

// slope writes dIn = dOut * f(in).
func (a *asm) slope(name string, f func(x func() vec) vec) {
	a.function(name, "func(dIn, dOut, in []float32)", func() {
		dIn, dOut, in := a.ptr("dIn"), a.ptr("dOut"), a.ptr("in")
		a.each(a.length("dIn"), func(u *unit) { u.store(u.mul(f(func() vec { return u.load(in) }), u.load(dOut)), dIn) })
	})
}

// gatedPair writes a gated activation gate*sigmoid(gate)*up and its gradient.
func (a *asm) gatedPair(name string, sigmoid func(x vec) vec, slope func(x, s vec) vec) {
	a.function(name, "func(out, gate, up []float32)", func() {
		out, gate, up := a.ptr("out"), a.ptr("gate"), a.ptr("up")
		a.each(a.length("out"), func(u *unit) {
			x := u.load(gate)
			u.store(u.mul(u.mul(x, sigmoid(x)), u.load(up)), out)
		})
	})

	a.function(name+"Grad", "func(dGate, dUp, dOut, gate, up []float32)", func() {
		dGate, dUp, dOut := a.ptr("dGate"), a.ptr("dUp"), a.ptr("dOut")
		gate, up := a.ptr("gate"), a.ptr("up")
		a.each(a.length("dOut"), func(u *unit) {
			x := u.load(gate)
			s := sigmoid(x)
			d := u.load(dOut)
			product := u.mul(d, u.load(up)) // before dUp is stored, which may be up
			u.store(u.mul(d, u.mul(x, s)), dUp)
			u.store(u.mul(product, slope(x, s)), dGate)
		})
	})
}

func (a *asm) geluSigmoid(x vec) vec {
	z := a.mul(x, x)
	a.multiplyAdd(z, a.get(a.f(geluB)), a.f(geluA))
	return a.sigmoid(a.mul(x, z))
}

func (a *asm) geluSlope(x, s vec) vec {
	dz := a.mul(x, x)
	a.multiplyAdd(dz, a.get(a.f(geluC)), a.f(geluA))
	y := a.mul(x, a.sub(a.get(a.f(1)), s))
	a.multiplyAdd(y, dz, a.f(1))
	return a.mul(s, y)
}

func (a *asm) siluSlope(x, s vec) vec {
	y := a.sub(a.get(a.f(1)), s)
	a.multiplyAdd(y, x, a.f(1))
	return a.mul(s, y)
}

func (a *asm) normalCDF(x vec) vec {
	y := a.erf(a.mul(x, a.f(rootHalf)))
	a.multiplyAdd(y, a.get(a.f(0.5)), a.f(0.5))
	return y
}
