package main

import "github.com/mmcloughlin/avo/operand"

// The constants are those of exp_generic.go and activation_generic.go.
const (
	log2E = 0x1.715476p+0
	ln2Hi = 0x1.62e430p-1
	ln2Lo = -0x1.05c610p-29
	shift = 0x1.8p23

	expMin = -0x1.5d589ep+6
	expMax = 0x1.62e42ep+6

	tanhSplit = 0.625
	erfSplit  = 0.9375
)

var (
	expSeries  = []float32{1, 1, 0.5, 0x1.5554a4p-3, 0x1.555688p-5, 0x1.122fa2p-7, 0x1.6b6f66p-10}
	tanhSeries = []float32{-0x1.555532p-2, 0x1.110726p-3, -0x1.b83c5cp-5, 0x1.5226a8p-6, -0x1.75e1fcp-8}
	erfSeries  = []float32{0x1.06eba8p-3, -0x1.812742p-2, 0x1.ce2df4p-4, -0x1.b80cb4p-6, 0x1.54b5e2p-8, -0x1.a99ee4p-11, 0x1.5ac2fap-14}
	erfcSeries = []float32{0x1.077e1ep-3, 0x1.452d3cp-1, 0x1.b36b7cp-4, -0x1.8641b8p-6, 0x1.e0f6bep-9, -0x1.596ceep-12, 0x1.8efbf4p-17}
)

// functions writes exp, tanh, erf and sigmoid of vectors.
func functions(a *asm) {
	for _, f := range []struct {
		name string
		of   func(x vec) vec
	}{{"exp", a.exp}, {"tanh", a.tanh}, {"erf", a.erf}, {"sigmoid", a.sigmoid}} {
		a.function(f.name, "func(dst, src []float32)", func() {
			dst, src := a.ptr("dst"), a.ptr("src")
			a.each(a.length("dst"), func(u *unit) { u.store(f.of(u.load(src)), dst) })
		})
	}
}

// exp is ExpScalar.
func (a *asm) exp(x vec) vec {
	y := a.keep(a.compare(notLess, x, a.f(expMin)), a.expNormal(x))
	return a.choose(a.compare(notLessEqual, x, a.f(expMax)), a.add(x, a.u(0x7f800000)), y)
}

// expFalling is exp of x <= 0 or NaN: 2^n fits in a float32.
func (a *asm) expFalling(x vec) vec {
	t, p := a.expReduced(x, shift+127) // t has the exponent of 2^n in its low bits
	a.VPSLLD(operand.Imm(23), t, t)
	return a.keep(a.compare(notLess, x, a.f(expMin)), a.mul(p, t))
}

// expRising is exp of x >= 0 or NaN.
func (a *asm) expRising(x vec) vec {
	return a.choose(a.compare(notLessEqual, x, a.f(expMax)), a.add(x, a.u(0x7f800000)), a.expNormal(x))
}

// expNormal is exp where its result is a normal number; a NaN is lost.
func (a *asm) expNormal(x vec) vec {
	t, p := a.expReduced(x, shift)
	a.VPSLLD(operand.Imm(23), t, t)
	a.VPADDD(p, t, t)
	return t
}

// expReduced gives t = fma(x, log2(e), shift) and p with exp(x) = 2^n p.
func (a *asm) expReduced(x vec, shift float32) (t, p vec) {
	t = a.get(a.f(log2E))
	a.multiplyAdd(t, x, a.f(shift))
	n := a.sub(t, a.f(shift))
	r := a.get(x)
	a.VFNMADD231PS(a.f(ln2Hi), n, r)
	a.VFNMADD231PS(a.f(ln2Lo), n, r)
	return t, a.horner(r, expSeries...)
}

// tanh is TanhScalar.
func (a *asm) tanh(x vec) vec {
	magnitude := a.magnitude(x)
	s := a.mul(magnitude, magnitude)
	small := a.mul(a.horner(s, tanhSeries...), s)
	a.multiplyAdd(small, magnitude, magnitude)
	large := a.add(a.expRising(a.add(magnitude, magnitude)), a.f(1))
	large = a.div(a.get(a.f(2)), large)
	large = a.sub(a.get(a.f(1)), large)
	return a.branches(x, tanhSplit, small, large)
}

// erf is ErfScalar.
func (a *asm) erf(x vec) vec {
	magnitude := a.magnitude(x)
	small := a.horner(a.mul(magnitude, magnitude), erfSeries...)
	a.multiplyAdd(small, magnitude, magnitude)
	large := a.horner(magnitude, erfcSeries...)
	a.VFNMSUB213PS(magnitude, magnitude, large)
	large = a.sub(a.get(a.f(1)), a.expFalling(large))
	return a.branches(x, erfSplit, small, large)
}

func (a *asm) magnitude(x vec) vec { return a.and(x, a.u(1<<31-1)) }

// branches is small where |x| < split, else large, with the sign of x. |x| is made
// again, as registers are short here.
func (a *asm) branches(x vec, split float32, small, large vec) vec {
	y := a.choose(a.compare(less, a.magnitude(x), a.f(split)), small, large)
	return a.or(y, a.and(x, a.u(1<<31)))
}

// sigmoid is SigmoidScalar.
func (a *asm) sigmoid(x vec) vec {
	return a.div(a.get(a.f(1)), a.add(a.exp(a.neg(x)), a.f(1)))
}
