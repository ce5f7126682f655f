package kernel

// GELUTanhForward computes the tanh form of GELU (arXiv 1606.08415), which is
// x * sigmoid(2u) with u = sqrt(2/pi) * (x + 0.044715 x^3):
//
//	z   = x * fma(geluB, x*x, geluA)
//	out = x * SigmoidScalar(z)
//
// out may be in.
func GELUTanhForward(out, in []float32) {
	checkForward("GELUTanhForward", out, in)
	ops.geluTanh(out, in)
}

// GELUTanhBackward computes, with s = SigmoidScalar(z),
//
//	dz  = fma(3*geluB, x*x, geluA)
//	dIn = dOut * (s * fma(x*(1-s), dz, 1))
//
// dIn may be dOut.
func GELUTanhBackward(dIn, dOut, in []float32) {
	checkBackward("GELUTanhBackward", dIn, dOut, in)
	ops.geluTanhGrad(dIn, dOut, in)
}

// GELUErfForward computes GELU: out = x * fma(0.5, ErfScalar(x*sqrt(1/2)), 0.5).
// out may be in.
func GELUErfForward(out, in []float32) {
	checkForward("GELUErfForward", out, in)
	ops.geluErf(out, in)
}

// GELUErfBackward computes, with cdf = fma(0.5, ErfScalar(x*sqrt(1/2)), 0.5),
//
//	pdf = ExpScalar(-0.5*(x*x)) * sqrt(1/(2 pi))
//	dIn = dOut * fma(x, pdf, cdf)
//
// dIn may be dOut.
func GELUErfBackward(dIn, dOut, in []float32) {
	checkBackward("GELUErfBackward", dIn, dOut, in)
	ops.geluErfGrad(dIn, dOut, in)
}

// SiLUForward computes out = x * SigmoidScalar(x). out may be in.
func SiLUForward(out, in []float32) {
	checkForward("SiLUForward", out, in)
	ops.silu(out, in)
}

// SiLUBackward computes, with s = SigmoidScalar(x), dIn = dOut * (s * fma(x, 1-s, 1)).
// dIn may be dOut.
func SiLUBackward(dIn, dOut, in []float32) {
	checkBackward("SiLUBackward", dIn, dOut, in)
	ops.siluGrad(dIn, dOut, in)
}

// ReLUSquaredForward computes out = max(x, 0)^2. out may be in.
func ReLUSquaredForward(out, in []float32) {
	checkForward("ReLUSquaredForward", out, in)
	ops.reluSquared(out, in)
}

// ReLUSquaredBackward computes dIn = dOut * (2 * max(x, 0)). dIn may be dOut.
func ReLUSquaredBackward(dIn, dOut, in []float32) {
	checkBackward("ReLUSquaredBackward", dIn, dOut, in)
	ops.reluSquaredGrad(dIn, dOut, in)
}

// SwiGLUForward computes out = (gate * SigmoidScalar(gate)) * up. out may be an input.
func SwiGLUForward(out, gate, up []float32) {
	checkBackward("SwiGLUForward", out, gate, up)
	ops.swiGLU(out, gate, up)
}

// SwiGLUBackward computes, with s = SigmoidScalar(gate),
//
//	dUp   = dOut * (gate*s)
//	dGate = (dOut*up) * (s * fma(gate, 1-s, 1))
//
// dGate and dUp may be inputs.
func SwiGLUBackward(dGate, dUp, dOut, gate, up []float32) {
	checkGated("SwiGLUBackward", dGate, dUp, dOut, gate, up)
	ops.swiGLUGrad(dGate, dUp, dOut, gate, up)
}

// GeGLUTanhForward computes out = gelu(gate) * up with GELUTanhForward's gelu. out
// may be an input.
func GeGLUTanhForward(out, gate, up []float32) {
	checkBackward("GeGLUTanhForward", out, gate, up)
	ops.geGLU(out, gate, up)
}

// GeGLUTanhBackward computes, with s, z and dz as in GELUTanhBackward at gate,
//
//	dUp   = dOut * (gate*s)
//	dGate = (dOut*up) * (s * fma(gate*(1-s), dz, 1))
//
// dGate and dUp may be inputs.
func GeGLUTanhBackward(dGate, dUp, dOut, gate, up []float32) {
	checkGated("GeGLUTanhBackward", dGate, dUp, dOut, gate, up)
	ops.geGLUGrad(dGate, dUp, dOut, gate, up)
}

func checkForward(name string, out, in []float32) {
	if len(out) != len(in) {
		lengths(name, len(out), len(in))
	}
}

func checkBackward(name string, a, b, c []float32) {
	if len(a) != len(b) || len(a) != len(c) {
		lengths(name, len(a), len(b), len(c))
	}
}

func checkGated(name string, dGate, dUp, dOut, gate, up []float32) {
	if n := len(dOut); len(dGate) != n || len(dUp) != n || len(gate) != n || len(up) != n {
		lengths(name, len(dGate), len(dUp), n, len(gate), len(up))
	}
}
