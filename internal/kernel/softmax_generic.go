package kernel

// softcapGeneric is x = softcap * tanh(x*scale / softcap).
func softcapGeneric(x []float32, scale, softcap float32) {
	for i, v := range x {
		x[i] = mul(softcap, TanhScalar(mul(v, scale)/softcap))
	}
}

// softmaxGeneric replaces p by the exponentials of p*scale - m and returns m, the
// maximum of p*scale, and their sum.
func softmaxGeneric(p []float32, scale float32) (m, l float32) {
	top := lowest
	for i, v := range p {
		top[i%lanes] = larger(mul(v, scale), top[i%lanes])
	}
	m = largest(&top)
	var sum [lanes]float32
	for i, v := range p {
		p[i] = ExpScalar(mul(v, scale) - m)
		sum[i%lanes] += p[i]
	}
	return m, total(&sum)
}

// logSumExpGeneric is softmaxGeneric without a scale that leaves x as it is.
func logSumExpGeneric(x []float32) (m, l float32) {
	m = maxGeneric(x)
	var sum [lanes]float32
	for i, v := range x {
		sum[i%lanes] += ExpScalar(v - m)
	}
	return m, total(&sum)
}

func attentionGradGeneric(s, dp []float32, m, invL, d, scale float32) {
	for i, v := range s {
		p := mul(ExpScalar(mul(v, scale)-m), invL)
		s[i], dp[i] = p, mul(mul(p, dp[i]-d), scale)
	}
}

func attentionGradSoftcapGeneric(s, dp []float32, m, invL, d, scale, softcap float32) {
	for i, v := range s {
		t := TanhScalar(mul(v, scale) / softcap)
		p := mul(ExpScalar(mul(t, softcap)-m), invL)
		s[i], dp[i] = p, mul(mul(mul(p, dp[i]-d), fmaGeneric(-t, t, 1)), scale)
	}
}
