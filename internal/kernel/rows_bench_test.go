package kernel

import (
	"testing"

	"github.com/aries-serpent/codexml/internal/cpu"
	"github.com/aries-serpent/codexml/internal/rng"
)

// BenchmarkRows measures every row operation on vectors of 768 elements, which stay
// in the first cache, per tier.
func BenchmarkRows(b *testing.B) {
	const n = 768
	for _, tier := range cpu.Tiers() {
		ops := tierTable(tier)
		for _, op := range vectorOps {
			x := make([][]float32, op.vectors)
			for i := range x {
				x[i] = values("normal", n, uint64(i))
			}
			original := make([][]float32, op.vectors)
			for i := range x {
				original[i] = append([]float32(nil), x[i]...)
			}
			b.Run(op.name+"/"+tier.String(), func(b *testing.B) {
				elements(b, n, func() {
					if op.inPlace { // values would drift to denormals
						for i := range x {
							copy(x[i], original[i])
						}
					}
					op.call(&ops.rowOps, x)
				})
			})
		}
	}
}

// elements reports the time per element of f, which handles n.
func elements(b *testing.B, n int, f func()) {
	for b.Loop() {
		f()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/element")
}

// BenchmarkLayers measures public functions on what a layer of a small model hands
// them: 256 rows of 768, 12 heads, 50,257 tokens.
func BenchmarkLayers(b *testing.B) {
	const rows, C, V = 256, 768, 50257
	n := rows * C
	x, y, z, w := values("normal", n, 0), values("normal", n, 1), values("normal", n, 2), values("normal", n, 3)
	gain, bias := values("normal", C, 4), values("normal", C, 5)
	mean, rstd := make([]float32, rows), make([]float32, rows)
	sums, more := make([]float64, C), make([]float64, C)
	half := make([]uint16, n)
	logits, losses, targets := values("normal", 8*V, 6), make([]float32, 8), make([]int32, 8)
	cos, sin := values("normal", rows*32, 7), values("normal", rows*32, 8)
	span, dSpan := values("normal", 128*128, 9), values("normal", 128*128, 10)
	m, l, ms, ls, limit := make([]float32, 128), make([]float32, 128), make([]float32, 128), make([]float32, 128), make([]int32, 128)
	for i := range limit {
		limit[i] = 128
	}
	for _, c := range []struct {
		name string
		n    int
		f    func()
	}{
		{"LayerNormForward", n, func() { LayerNormForward(y, mean, rstd, x, gain, bias, C, 1e-5) }},
		{"LayerNormBackward", n, func() { LayerNormBackward(y, z, x, mean, rstd, gain, C, false) }},
		{"NormGradColumns", n, func() { NormGradColumns(sums, more, z, x, mean, rstd, C, 0, C) }},
		{"SumColumns", n, func() { SumColumns(sums, x, C, rows, 0, C) }},
		{"GELUTanhForward", n, func() { GELUTanhForward(y, x) }},
		{"GELUTanhBackward", n, func() { GELUTanhBackward(y, z, x) }},
		{"SwiGLUForward", n, func() { SwiGLUForward(y, x, z) }},
		{"Add", n, func() { Add(y, x, z) }},
		{"RoundBF16", n, func() { RoundBF16(half, x) }},
		{"WidenBF16", n, func() { WidenBF16(y, half) }},
		{"Dropout", n, func() { Dropout(y, x, 0.1, rng.Key{}, 0) }},
		{"RoPE", n, func() { RoPE(y, cos, sin, C/64, 64, C, false); RoPE(y, cos, sin, C/64, 64, C, true) }},
		{"SumSquares64", n, func() { SumSquares64(x) }},
		{"CrossEntropy", 8 * V, func() {
			CrossEntropy(losses, logits, targets, 8, V, V, 0, 1, true)
		}},
		{"SoftmaxSpan", 128 * 128, func() { SoftmaxSpan(span, ms, ls, 128, 128, 128, limit, nil, 1, 0) }},
		{"AttentionBackward", 128 * 128, func() { AttentionBackward(span, dSpan, 128, 128, 128, limit, nil, m, l, l, 1, 0) }},
		{"MergeSpan", 128 * 64, func() { MergeSpan(x, m, l, z, ms, ls, 128, 64, 64, 64) }},
		{"AdamW", n, func() {
			AdamW(AdamWParams{LR: 1e-9, BiasCorrection1: 1, BiasCorrection2: 1, GradScale: 1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}, y, x, z, w, half)
		}},
	} {
		b.Run(c.name, func(b *testing.B) { elements(b, c.n, c.f) })
	}
}

// BenchmarkAdamW goes through memory that no cache holds.
func BenchmarkAdamW(b *testing.B) {
	const n = 8 << 20
	w, g, m, v, half := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n), make([]uint16, n)
	p := AdamWParams{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, BiasCorrection1: 0.1, BiasCorrection2: 0.001, GradScale: 1}
	for i := range g {
		g[i] = 1e-3
	}
	b.SetBytes(n * 30) // reads w, g, m, v, writes w, m, v, half
	for b.Loop() {
		AdamW(p, w, g, m, v, half)
	}
}
