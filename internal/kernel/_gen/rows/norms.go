package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func norms(a *asm) {
	a.layerNorm()
	a.layerNormGrad()
	a.rmsNorm()
	a.rmsNormGrad()
	a.normColumns()
}

// count is the length n as a float32.
func (a *asm) count(n reg.Register) reg.Register {
	x := a.XMM()
	a.VXORPS(x, x, x)
	a.VCVTSI2SSQ(n, x, x)
	return x
}

// mean is the total of the lanes by n, in all lanes.
func (a *asm) mean(sums []vec, n reg.Register) vec {
	x := a.XMM()
	a.VDIVSS(a.count(n), a.foldSum(sums), x)
	return a.broadcast(x)
}

// deviation is 1 / sqrt(total/n + eps) and that in all lanes.
func (a *asm) deviation(sums []vec, n reg.Register) (reg.Register, vec) {
	x, one := a.XMM(), a.XMM()
	a.VDIVSS(a.count(n), a.foldSum(sums), x)
	eps, err := a.Param("eps").Resolve()
	if err != nil {
		panic(err)
	}
	a.VADDSS(eps.Addr, x, x)
	a.VSQRTSS(x, x, x)
	a.VMOVSS(a.f(1).(operand.Mem), one)
	a.VDIVSS(x, one, x)
	return x, a.broadcast(x)
}

// either writes yes and no, of which the running code takes yes if p is not nil.
func (a *asm) either(p reg.Register, yes, no func()) {
	other, end := a.label("nil"), a.label("end")
	a.TESTQ(p, p)
	a.JZ(operand.LabelRef(other))
	yes()
	a.JMP(operand.LabelRef(end))
	a.Label(other)
	no()
	a.Label(end)
}

func (a *asm) layerNorm() {
	a.function("layerNorm", "func(out, in, gain, bias []float32, eps float32) (mean, rstd float32)", func() {
		in, n := a.ptr("in"), a.length("in")
		sums := a.zeros()
		a.each(n, func(u *unit) { u.VADDPS(u.load(in), sums[u.lane], sums[u.lane]) })
		mean := a.mean(sums, n)
		a.Store(mean.AsX(), a.Return("mean"))
		squares := a.zeros()
		a.each(n, func(u *unit) {
			d := u.present(u.sub(u.load(in), mean))
			u.accumulate(squares[u.lane], d, d)
		})
		scalar, rstd := a.deviation(squares, n)
		a.Store(scalar, a.Return("rstd"))
		out, gain, bias := a.ptr("out"), a.ptr("gain"), a.ptr("bias")
		normal := func(u *unit) vec { return u.mul(u.sub(u.load(in), mean), rstd) }
		a.either(bias, func() {
			a.each(n, func(u *unit) {
				y := normal(u)
				u.multiplyAdd(y, u.load(gain), u.load(bias))
				u.store(y, out)
			})
		}, func() {
			a.either(gain, func() {
				a.each(n, func(u *unit) { u.store(u.mul(normal(u), u.load(gain)), out) })
			}, func() {
				a.each(n, func(u *unit) { u.store(normal(u), out) })
			})
		})
	})
}

func (a *asm) layerNormGrad() {
	a.function("layerNormGrad", "func(dIn, dOut, in, gain []float32, mean, rstd float32, accumulate bool)", func() {
		in, n, dOut, gain := a.ptr("in"), a.length("in"), a.ptr("dOut"), a.ptr("gain")
		mean, rstd := a.scalar("mean"), a.scalar("rstd")
		normal := func(u *unit) vec { return u.mul(u.sub(u.load(in), mean), rstd) }
		sums, dots := a.zeros(), a.zeros()
		a.gained(gain, func(g func(u *unit) vec) {
			a.each(n, func(u *unit) {
				d := g(u)
				u.VADDPS(d, sums[u.lane], sums[u.lane])
				u.accumulate(dots[u.lane], d, u.present(normal(u)))
			})
		}, dOut)
		x, y := a.mean(sums, n), a.mean(dots, n)
		a.gradient(n, gain, dOut, rstd, func(u *unit, g vec) vec {
			d := u.sub(g, x)
			u.VFNMADD231PS(y, normal(u), d)
			return d
		})
	})
}

// gained calls body with what gives dOut*gain, or dOut if gain is nil.
func (a *asm) gained(gain reg.Register, body func(g func(u *unit) vec), dOut reg.Register) {
	a.either(gain, func() {
		body(func(u *unit) vec { return u.mul(u.load(dOut), u.load(gain)) })
	}, func() {
		body(func(u *unit) vec { return u.load(dOut) })
	})
}

// gradient stores d*rstd for the d of dOut*gain, or adds it.
func (a *asm) gradient(n, gain, dOut reg.Register, rstd vec, d func(u *unit, g vec) vec) {
	dIn := a.ptr("dIn")
	accumulate := a.GP64()
	a.Load(a.Param("accumulate"), accumulate.As8())
	a.MOVBQZX(accumulate.As8(), accumulate)
	a.either(accumulate, func() {
		a.gained(gain, func(g func(u *unit) vec) {
			a.each(n, func(u *unit) {
				y := d(u, g(u))
				u.multiplyAdd(y, rstd, u.load(dIn))
				u.store(y, dIn)
			})
		}, dOut)
	}, func() {
		a.gained(gain, func(g func(u *unit) vec) {
			a.each(n, func(u *unit) { u.store(u.mul(d(u, g(u)), rstd), dIn) })
		}, dOut)
	})
}

func (a *asm) rmsNorm() {
	a.function("rmsNorm", "func(out, in, gain []float32, eps float32) (rstd float32)", func() {
		in, n := a.ptr("in"), a.length("in")
		squares := a.zeros()
		a.each(n, func(u *unit) {
			x := u.load(in)
			u.accumulate(squares[u.lane], x, x)
		})
		scalar, rstd := a.deviation(squares, n)
		a.Store(scalar, a.Return("rstd"))
		out, gain := a.ptr("out"), a.ptr("gain")
		a.either(gain, func() {
			a.each(n, func(u *unit) { u.store(u.mul(u.mul(u.load(in), rstd), u.load(gain)), out) })
		}, func() {
			a.each(n, func(u *unit) { u.store(u.mul(u.load(in), rstd), out) })
		})
	})
}

func (a *asm) rmsNormGrad() {
	a.function("rmsNormGrad", "func(dIn, dOut, in, gain []float32, rstd float32, accumulate bool)", func() {
		in, n, dOut, gain := a.ptr("in"), a.length("in"), a.ptr("dOut"), a.ptr("gain")
		rstd := a.scalar("rstd")
		dots := a.zeros()
		a.gained(gain, func(g func(u *unit) vec) {
			a.each(n, func(u *unit) { u.accumulate(dots[u.lane], g(u), u.mul(u.load(in), rstd)) })
		}, dOut)
		y := a.mean(dots, n)
		a.gradient(n, gain, dOut, rstd, func(u *unit, g vec) vec {
			d := u.get(g)
			u.VFNMADD231PS(y, u.mul(u.load(in), rstd), d)
			return d
		})
	})
}

// normColumns takes whole groups of columns. Without means they are +0, which
// leaves every x as it is.
func (a *asm) normColumns() {
	a.function("normColumns", "func(dGain, dBias []float64, dOut, in, mean, rstd []float32, stride int)", func() {
		dGain, dBias, dOut, in := a.ptr("dGain"), a.ptr("dBias"), a.ptr("dOut"), a.ptr("in")
		mean, rstd, stride := a.ptr("mean"), a.ptr("rstd"), a.word("stride")
		n, rows := a.length("dGain"), a.length("rstd")
		a.SHLQ(operand.Imm(2), stride)
		body := func(hasMean, hasBias bool) {
			a.columns(n, func(index reg.Register) {
				gains := a.loadFloat64(dGain, index)
				var biases []vec
				if hasBias {
					biases = a.loadFloat64(dBias, index)
				}
				d, x, r := a.GP64(), a.GP64(), a.GP64()
				a.LEAQ(operand.Mem{Base: dOut, Index: index, Scale: 4}, d)
				a.LEAQ(operand.Mem{Base: in, Index: index, Scale: 4}, x)
				a.XORQ(r, r)
				loop := a.label("row")
				a.Label(loop)
				m, s := vec(nil), a.broadcast(operand.Mem{Base: rstd, Index: r, Scale: 4})
				if hasMean {
					m = a.broadcast(operand.Mem{Base: mean, Index: r, Scale: 4})
				}
				for u := range a.units() {
					normal := a.get(operand.Mem{Base: x, Disp: 32 * u})
					if hasMean {
						normal = a.sub(normal, m)
					}
					for half, v := range a.widened(a.mul(normal, s)) {
						g := a.vec()
						a.VCVTPS2PD(operand.Mem{Base: d, Disp: 4 * a.doubles() * (2*u + half)}, g)
						a.VFMADD231PD(g, v, gains[2*u+half])
						if hasBias {
							a.VADDPD(g, biases[2*u+half], biases[2*u+half])
						}
					}
				}
				a.ADDQ(stride, d)
				a.ADDQ(stride, x)
				a.INCQ(r)
				a.CMPQ(r, rows)
				a.JLT(operand.LabelRef(loop))
				a.storeFloat64(gains, dGain, index)
				if hasBias {
					a.storeFloat64(biases, dBias, index)
				}
			})
		}
		a.either(mean, func() {
			a.either(dBias, func() { body(true, true) }, func() { body(true, false) })
		}, func() {
			a.either(dBias, func() { body(false, true) }, func() { body(false, false) })
		})
	})
}
