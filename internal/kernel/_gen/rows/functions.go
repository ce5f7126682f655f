package main

import "math"

import "github.com/mmcloughlin/avo/operand"

// The constants are those of exp_generic.go and activation_generic.go.
const (
	log2E = 0x1.715476p+0
	ln2Hi = 0x1.62e430p-1
	ln2Lo = -0x1.05c610p-29
	shift = 0x1.8p23

	expMin  = -0x1.5d589ep+6
	expMax  = 0x1.62e42ep+6
	maximal = math.MaxFloat32

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
		a.function(f.name, "func(dst, src []float32)")
		dst, src := a.ptr("dst"), a.ptr("src")
		a.each(a.length("dst"), func(u *unit) { u.store(f.of(u.load(src)), dst) })
		a.end()
	}
}

// exp is ExpScalar.
func (a *asm) exp(x vec) vec {
	t := a.fma(x, a.get(a.f(log2E)), a.f(shift))
	n := a.sub(t, a.f(shift))
	r := a.get(a.f(-ln2Hi))
	a.multiplyAdd(r, n, x)
	low := a.get(a.f(-ln2Lo))
	a.multiplyAdd(low, n, r)
	y := a.vec()
	a.VPSLLD(operand.Imm(23), t, y)
	a.VPADDD(a.horner(low, expSeries...), y, y)
	y = a.keep(a.compare(notLess, x, a.f(expMin)), y)
	return a.choose(a.compare(notLessEqual, x, a.f(expMax)), a.mul(x, a.f(maximal)), y)
}

// tanh is TanhScalar.
func (a *asm) tanh(x vec) vec {
	magnitude := a.and(x, a.u(1<<31-1))
	s := a.mul(magnitude, magnitude)
	small := a.mul(a.horner(s, tanhSeries...), s)
	a.multiplyAdd(small, magnitude, magnitude)
	large := a.add(a.exp(a.add(magnitude, magnitude)), a.f(1))
	large = a.div(a.get(a.f(2)), large)
	large = a.sub(a.get(a.f(1)), large)
	y := a.choose(a.compare(less, magnitude, a.f(tanhSplit)), small, large)
	return a.or(y, a.and(x, a.u(1<<31)))
}

// erf is ErfScalar.
func (a *asm) erf(x vec) vec {
	magnitude := a.and(x, a.u(1<<31-1))
	small := a.horner(a.mul(magnitude, magnitude), erfSeries...)
	a.multiplyAdd(small, magnitude, magnitude)
	large := a.horner(magnitude, erfcSeries...)
	a.VFNMSUB213PS(magnitude, magnitude, large)
	large = a.sub(a.get(a.f(1)), a.exp(large))
	y := a.choose(a.compare(less, magnitude, a.f(erfSplit)), small, large)
	return a.or(y, a.and(x, a.u(1<<31)))
}

// sigmoid is SigmoidScalar.
func (a *asm) sigmoid(x vec) vec {
	return a.div(a.get(a.f(1)), a.add(a.exp(a.neg(x)), a.f(1)))
}
