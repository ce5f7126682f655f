package kernel

import "math"

// The polynomials are minimax fits (Remez) of the relative error of the result,
// their coefficients rounded to float32.

const (
	log2E = 0x1.715476p+0
	ln2Hi = 0x1.62e430p-1 // ln 2 rounded; n*ln2Hi cancels exactly against x
	ln2Lo = -0x1.05c610p-29
	shift = 0x1.8p23 // x + shift has round(x) in its low bits

	expMin = -0x1.5d589ep+6 // the least x whose exponential is a normal number
	expMax = 0x1.62e42ep+6  // the largest x whose exponential is finite

	exp3 = 0x1.5554a4p-3 // exp(r) = 1 + r + r^2/2 + exp3 r^3 + ..., |r| <= ln(2)/2, to 2^-28
	exp4 = 0x1.555688p-5
	exp5 = 0x1.122fa2p-7
	exp6 = 0x1.6b6f66p-10
)

// ExpScalar is the exponential of x, to 1 ulp. exp(+-0) is 1, and a result below
// the normal numbers is +0. It is what Exp does to each element:
//
//	t = fma(x, log2(e), shift); n = t - shift
//	r = fma(n, -ln2Lo, fma(n, -ln2Hi, x))
//	y = 2^n * (1 + r + r^2/2 + ...), by Horner's rule in fma
//	y = 0 where x < expMin; y = x + Inf where !(x <= expMax)
func ExpScalar(x float32) float32 {
	t := fmaGeneric(x, log2E, shift)
	n := t - shift
	r := fmaGeneric(n, -ln2Lo, fmaGeneric(n, -ln2Hi, x))
	p := fmaGeneric(exp6, r, exp5)
	p = fmaGeneric(p, r, exp4)
	p = fmaGeneric(p, r, exp3)
	p = fmaGeneric(p, r, 0.5)
	p = fmaGeneric(p, r, 1)
	p = fmaGeneric(p, r, 1)
	y := math.Float32frombits(math.Float32bits(p) + math.Float32bits(t)<<23)
	if x < expMin {
		y = 0
	}
	if !(x <= expMax) {
		y = x + posInf // an infinity or NaN
	}
	return y
}

// LogScalar is the natural logarithm of x, rounded from Log64.
func LogScalar(x float32) float32 { return float32(Log64(float64(x))) }

const (
	tanhSplit = 0.625
	tanh1     = -0x1.555532p-2 // tanh(x) = x + x*s*(tanh1 + tanh2 s + ...), s = x^2, below tanhSplit
	tanh2     = 0x1.110726p-3
	tanh3     = -0x1.b83c5cp-5
	tanh4     = 0x1.5226a8p-6
	tanh5     = -0x1.75e1fcp-8
)

// TanhScalar is the hyperbolic tangent of x, to 2 ulp, with a = |x|, s = a^2:
//
//	a < 0.625: fma(s * (tanh1 + tanh2 s + ...), a, a)
//	else:      1 - 2 / (exp(2a) + 1)
//
// and the sign of x.
func TanhScalar(x float32) float32 {
	a := abs(x)
	if a < tanhSplit {
		s := mul(a, a)
		p := fmaGeneric(tanh5, s, tanh4)
		p = fmaGeneric(p, s, tanh3)
		p = fmaGeneric(p, s, tanh2)
		p = fmaGeneric(p, s, tanh1)
		return withSign(fmaGeneric(mul(p, s), a, a), x)
	}
	return withSign(1-2/(ExpScalar(a+a)+1), x)
}

const (
	erfSplit = 0.9375
	erf0     = 0x1.06eba8p-3 // erf(x) = x + x*(erf0 + erf1 s + ...), s = x^2, below erfSplit
	erf1     = -0x1.812742p-2
	erf2     = 0x1.ce2df4p-4
	erf3     = -0x1.b80cb4p-6
	erf4     = 0x1.54b5e2p-8
	erf5     = -0x1.a99ee4p-11
	erf6     = 0x1.5ac2fap-14

	erfc0 = 0x1.077e1ep-3 // -log(1 - erf(x)) = x + x*(erfc0 + erfc1 x + ...) above
	erfc1 = 0x1.452d3cp-1
	erfc2 = 0x1.b36b7cp-4
	erfc3 = -0x1.8641b8p-6
	erfc4 = 0x1.e0f6bep-9
	erfc5 = -0x1.596ceep-12
	erfc6 = 0x1.8efbf4p-17
)

// ErfScalar is the error function of x, to 2 ulp, with a = |x|, s = a^2:
//
//	a < 0.9375: fma(erf0 + erf1 s + ..., a, a)
//	else:       1 - exp(-fma(erfc0 + erfc1 a + ..., a, a))
//
// and the sign of x.
func ErfScalar(x float32) float32 {
	a := abs(x)
	if a < erfSplit {
		s := mul(a, a)
		p := fmaGeneric(erf6, s, erf5)
		p = fmaGeneric(p, s, erf4)
		p = fmaGeneric(p, s, erf3)
		p = fmaGeneric(p, s, erf2)
		p = fmaGeneric(p, s, erf1)
		p = fmaGeneric(p, s, erf0)
		return withSign(fmaGeneric(p, a, a), x)
	}
	q := fmaGeneric(erfc6, a, erfc5)
	q = fmaGeneric(q, a, erfc4)
	q = fmaGeneric(q, a, erfc3)
	q = fmaGeneric(q, a, erfc2)
	q = fmaGeneric(q, a, erfc1)
	q = fmaGeneric(q, a, erfc0)
	return withSign(1-ExpScalar(-fmaGeneric(q, a, a)), x)
}

// SigmoidScalar is 1 / (1 + exp(-x)).
func SigmoidScalar(x float32) float32 { return 1 / (1 + ExpScalar(-x)) }

func expGeneric(dst, src []float32) {
	for i, x := range src {
		dst[i] = ExpScalar(x)
	}
}

func tanhGeneric(dst, src []float32) {
	for i, x := range src {
		dst[i] = TanhScalar(x)
	}
}

func erfGeneric(dst, src []float32) {
	for i, x := range src {
		dst[i] = ErfScalar(x)
	}
}

func sigmoidGeneric(dst, src []float32) {
	for i, x := range src {
		dst[i] = SigmoidScalar(x)
	}
}
