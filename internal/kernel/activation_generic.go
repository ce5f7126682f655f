package kernel

const (
	geluA = 0x1.988454p+0 // 2 sqrt(2/pi)
	geluB = 0x1.2444f2p-4 // 0.044715 geluA
	geluC = 0x1.b6676cp-3 // 3 geluB

	rootHalf  = 0x1.6a09e6p-1 // sqrt(1/2)
	normalTop = 0x1.988454p-2 // sqrt(1/(2 pi))
)

// geluSigmoid is the s of gelu(x) = x*s.
func geluSigmoid(x float32) float32 {
	return SigmoidScalar(mul(x, fmaGeneric(geluB, mul(x, x), geluA)))
}

// geluSlope is gelu'(x) where s = geluSigmoid(x).
func geluSlope(x, s float32) float32 {
	return mul(s, fmaGeneric(mul(x, 1-s), fmaGeneric(geluC, mul(x, x), geluA), 1))
}

func geluTanhGeneric(out, in []float32) {
	for i, x := range in {
		out[i] = mul(x, geluSigmoid(x))
	}
}

func geluTanhGradGeneric(dIn, dOut, in []float32) {
	for i, x := range in {
		dIn[i] = mul(dOut[i], geluSlope(x, geluSigmoid(x)))
	}
}

// normalCDF is the distribution function of the normal distribution.
func normalCDF(x float32) float32 { return fmaGeneric(0.5, ErfScalar(mul(x, rootHalf)), 0.5) }

func geluErfGeneric(out, in []float32) {
	for i, x := range in {
		out[i] = mul(x, normalCDF(x))
	}
}

func geluErfGradGeneric(dIn, dOut, in []float32) {
	for i, x := range in {
		pdf := mul(ExpScalar(mul(-0.5, mul(x, x))), normalTop)
		dIn[i] = mul(dOut[i], fmaGeneric(x, pdf, normalCDF(x)))
	}
}

// siluSlope is silu'(x) where s is the sigmoid of x.
func siluSlope(x, s float32) float32 { return mul(s, fmaGeneric(x, 1-s, 1)) }

func siluGeneric(out, in []float32) {
	for i, x := range in {
		out[i] = mul(x, SigmoidScalar(x))
	}
}

func siluGradGeneric(dIn, dOut, in []float32) {
	for i, x := range in {
		dIn[i] = mul(dOut[i], siluSlope(x, SigmoidScalar(x)))
	}
}

func reluSquaredGeneric(out, in []float32) {
	for i, x := range in {
		r := larger(0, x)
		out[i] = mul(r, r)
	}
}

func reluSquaredGradGeneric(dIn, dOut, in []float32) {
	for i, x := range in {
		r := larger(0, x)
		dIn[i] = mul(dOut[i], r+r)
	}
}

func swiGLUGeneric(out, gate, up []float32) {
	for i, x := range gate {
		out[i] = mul(mul(x, SigmoidScalar(x)), up[i])
	}
}

func swiGLUGradGeneric(dGate, dUp, dOut, gate, up []float32) {
	for i, x := range gate {
		s, d, u := SigmoidScalar(x), dOut[i], up[i]
		dUp[i] = mul(d, mul(x, s))
		dGate[i] = mul(mul(d, u), siluSlope(x, s))
	}
}

func geGLUGeneric(out, gate, up []float32) {
	for i, x := range gate {
		out[i] = mul(mul(x, geluSigmoid(x)), up[i])
	}
}

func geGLUGradGeneric(dGate, dUp, dOut, gate, up []float32) {
	for i, x := range gate {
		s, d, u := geluSigmoid(x), dOut[i], up[i]
		dUp[i] = mul(d, mul(x, s))
		dGate[i] = mul(mul(d, u), geluSlope(x, s))
	}
}
