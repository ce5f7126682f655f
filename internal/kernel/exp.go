package kernel

// Exp computes dst[i] = ExpScalar(src[i]). dst and src may be the same.
func Exp(dst, src []float32) {
	if len(dst) != len(src) {
		lengths("Exp", len(dst), len(src))
	}
	ops.exp(dst, src)
}

// Log computes dst[i] = LogScalar(src[i]). dst and src may be the same.
func Log(dst, src []float32) {
	if len(dst) != len(src) {
		lengths("Log", len(dst), len(src))
	}
	for i, x := range src {
		dst[i] = LogScalar(x)
	}
}

// Tanh computes dst[i] = TanhScalar(src[i]). dst and src may be the same.
func Tanh(dst, src []float32) {
	if len(dst) != len(src) {
		lengths("Tanh", len(dst), len(src))
	}
	ops.tanh(dst, src)
}

// Erf computes dst[i] = ErfScalar(src[i]). dst and src may be the same.
func Erf(dst, src []float32) {
	if len(dst) != len(src) {
		lengths("Erf", len(dst), len(src))
	}
	ops.erf(dst, src)
}

// Sigmoid computes dst[i] = SigmoidScalar(src[i]). dst and src may be the same.
func Sigmoid(dst, src []float32) {
	if len(dst) != len(src) {
		lengths("Sigmoid", len(dst), len(src))
	}
	ops.sigmoid(dst, src)
}
