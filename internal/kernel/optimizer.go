package kernel

import "math"

// AdamWParams are the numbers of a step of AdamW.
type AdamWParams struct {
	LR              float32
	Beta1, Beta2    float64 // 1 - Beta2 would lose digits in float32
	Eps             float32
	WeightDecay     float32
	BiasCorrection1 float32 // 1 - Beta1^t, where t counts from 1
	BiasCorrection2 float32 // 1 - Beta2^t
	GradScale       float32 // the factor of the clipping
}

// adamWRates are the constants of the loop, worked out in float64 and rounded once.
type adamWRates struct {
	scale, decay, a1, b2, a2, root, eps, minusStep float32
}

// AdamW updates weights w by gradients g (arXiv 1711.05101), as torch does it. With
//
//	decay = 1 - LR*WeightDecay, a1 = 1 - Beta1, a2 = 1 - Beta2,
//	root = sqrt(BiasCorrection2), step = LR/BiasCorrection1
//
// from float64 rounded to float32, each element goes through
//
//	g' = g * GradScale
//	m  = fma(a1, g' - m, m)
//	v  = fma(a2*g', g', v*Beta2)
//	w  = fma(-step, m / (sqrt(v)/root + Eps), w*decay)
//
// in float32. half, unless it is nil, gets w in bfloat16.
func AdamW(p AdamWParams, w, g, m, v []float32, half []uint16) {
	n := len(w)
	if len(g) != n || len(m) != n || len(v) != n || half != nil && len(half) != n {
		lengths("AdamW", n, len(g), len(m), len(v), len(half))
	}
	c := adamWRates{
		scale: p.GradScale, decay: float32(1 - float64(float64(p.LR)*float64(p.WeightDecay))),
		a1: float32(1 - p.Beta1), b2: float32(p.Beta2), a2: float32(1 - p.Beta2),
		root: float32(math.Sqrt(float64(p.BiasCorrection2))), eps: p.Eps,
		minusStep: float32(-float64(p.LR) / float64(p.BiasCorrection1)),
	}
	for lo := 0; lo < n; lo += updateBlock {
		hi := min(lo+updateBlock, n)
		ops.adamW(c, w[lo:hi], g[lo:hi], m[lo:hi], v[lo:hi])
		if half != nil {
			ops.roundBF16(half[lo:hi], w[lo:hi])
		}
	}
}

// updateBlock elements of the weights are still in the first cache when they are rounded.
const updateBlock = 1024

type sgdRates struct {
	scale, decay, momentum, minusLR float32
	nesterov                        bool
}

// SGD updates weights w by gradients g, as torch does it:
//
//	g'  = fma(weightDecay, w, g*gradScale)
//	buf = fma(momentum, buf, g')
//	u   = buf, or fma(momentum, buf, g') if nesterov is set
//	w   = fma(-lr, u, w)
//
// buf may be nil if momentum is 0; then u = g'. half, unless it is nil, gets w in bfloat16.
func SGD(w, g, buf []float32, half []uint16, lr, momentum, weightDecay, gradScale float32, nesterov bool) {
	n := len(w)
	if len(g) != n || len(buf) != n && (buf != nil || momentum != 0) || half != nil && len(half) != n {
		lengths("SGD", n, len(g), len(buf), len(half))
	}
	c := sgdRates{scale: gradScale, decay: weightDecay, momentum: momentum, minusLR: -lr, nesterov: nesterov}
	for lo := 0; lo < n; lo += updateBlock {
		hi := min(lo+updateBlock, n)
		var b []float32
		if buf != nil {
			b = buf[lo:hi]
		}
		ops.sgd(c, w[lo:hi], g[lo:hi], b)
		if half != nil {
			ops.roundBF16(half[lo:hi], w[lo:hi])
		}
	}
}

func adamWGeneric(c adamWRates, w, g, m, v []float32) {
	for i := range w {
		d := mul(g[i], c.scale)
		m[i] = fmaGeneric(c.a1, d-m[i], m[i])
		v[i] = fmaGeneric(mul(c.a2, d), d, mul(v[i], c.b2))
		w[i] = fmaGeneric(c.minusStep, m[i]/(sqrt(v[i])/c.root+c.eps), mul(w[i], c.decay))
	}
}

func sgdGeneric(c sgdRates, w, g, buf []float32) {
	for i := range w {
		d := fmaGeneric(c.decay, w[i], mul(g[i], c.scale))
		u := d
		if buf != nil {
			buf[i] = fmaGeneric(c.momentum, buf[i], d)
			u = buf[i]
			if c.nesterov {
				u = fmaGeneric(c.momentum, buf[i], d)
			}
		}
		w[i] = fmaGeneric(c.minusLR, u, w[i])
	}
}
