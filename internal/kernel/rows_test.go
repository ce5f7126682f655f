package kernel

import (
	"fmt"
	"math"
	"testing"

	"github.com/aries-serpent/codexml/internal/cpu"
	"github.com/aries-serpent/codexml/internal/rng"
	"github.com/aries-serpent/codexml/internal/testkit"
)

// vectorOps are the operations on vectors of one length. call returns scalars.
var vectorOps = []struct {
	name    string
	vectors int
	inPlace bool // an operand is both read and written
	call    func(o *rowOps, x [][]float32) []float32
}{
	{"exp", 2, false, func(o *rowOps, x [][]float32) []float32 { o.exp(x[0], x[1]); return nil }},
	{"tanh", 2, false, func(o *rowOps, x [][]float32) []float32 { o.tanh(x[0], x[1]); return nil }},
	{"erf", 2, false, func(o *rowOps, x [][]float32) []float32 { o.erf(x[0], x[1]); return nil }},
	{"sigmoid", 2, false, func(o *rowOps, x [][]float32) []float32 { o.sigmoid(x[0], x[1]); return nil }},
	{"add", 3, false, func(o *rowOps, x [][]float32) []float32 { o.add(x[0], x[1], x[2]); return nil }},
	{"scale", 2, false, func(o *rowOps, x [][]float32) []float32 { o.scale(x[0], x[1], 1.7); return nil }},
	{"divide", 2, false, func(o *rowOps, x [][]float32) []float32 { o.divide(x[0], x[1], 1.7); return nil }},
	{"axpy", 2, true, func(o *rowOps, x [][]float32) []float32 { o.axpy(x[0], x[1], -1.7); return nil }},
	{"scaleAdd", 2, true, func(o *rowOps, x [][]float32) []float32 { o.scaleAdd(x[0], x[1], 0.3, 0.7); return nil }},
	{"dot", 2, false, func(o *rowOps, x [][]float32) []float32 { return []float32{o.dot(x[0], x[1])} }},
	{"max", 1, false, func(o *rowOps, x [][]float32) []float32 { return []float32{o.max(x[0])} }},
	{"squares", 1, false, func(o *rowOps, x [][]float32) []float32 {
		bits := math.Float64bits(o.squares(x[0]))
		return []float32{float32(bits >> 48), float32(bits >> 24 & 0xffffff), float32(bits & 0xffffff)}
	}},
	{"layerNorm", 4, false, func(o *rowOps, x [][]float32) []float32 {
		mean, rstd := o.layerNorm(x[0], x[1], x[2], x[3], 1e-5)
		return []float32{mean, rstd}
	}},
	{"layerNorm without bias", 3, false, func(o *rowOps, x [][]float32) []float32 {
		mean, rstd := o.layerNorm(x[0], x[1], x[2], nil, 1e-5)
		return []float32{mean, rstd}
	}},
	{"layerNorm without gain", 2, false, func(o *rowOps, x [][]float32) []float32 {
		mean, rstd := o.layerNorm(x[0], x[1], nil, nil, 1e-5)
		return []float32{mean, rstd}
	}},
	{"layerNormGrad", 4, false, func(o *rowOps, x [][]float32) []float32 {
		o.layerNormGrad(x[0], x[1], x[2], x[3], 0.1, 0.7, false)
		return nil
	}},
	{"layerNormGrad accumulating", 4, true, func(o *rowOps, x [][]float32) []float32 {
		o.layerNormGrad(x[0], x[1], x[2], x[3], 0.1, 0.7, true)
		return nil
	}},
	{"layerNormGrad without gain", 3, true, func(o *rowOps, x [][]float32) []float32 {
		o.layerNormGrad(x[0], x[1], x[2], nil, 0.1, 0.7, true)
		o.layerNormGrad(x[0], x[1], x[2], nil, 0.1, 0.7, false)
		return nil
	}},
	{"rmsNorm", 3, false, func(o *rowOps, x [][]float32) []float32 { return []float32{o.rmsNorm(x[0], x[1], x[2], 1e-5)} }},
	{"rmsNorm without gain", 2, false, func(o *rowOps, x [][]float32) []float32 { return []float32{o.rmsNorm(x[0], x[1], nil, 1e-5)} }},
	{"rmsNormGrad", 4, false, func(o *rowOps, x [][]float32) []float32 {
		o.rmsNormGrad(x[0], x[1], x[2], x[3], 0.7, false)
		return nil
	}},
	{"rmsNormGrad accumulating", 4, true, func(o *rowOps, x [][]float32) []float32 {
		o.rmsNormGrad(x[0], x[1], x[2], x[3], 0.7, true)
		return nil
	}},
	{"rmsNormGrad without gain", 3, true, func(o *rowOps, x [][]float32) []float32 {
		o.rmsNormGrad(x[0], x[1], x[2], nil, 0.7, true)
		o.rmsNormGrad(x[0], x[1], x[2], nil, 0.7, false)
		return nil
	}},
	{"geluTanh", 2, false, func(o *rowOps, x [][]float32) []float32 { o.geluTanh(x[0], x[1]); return nil }},
	{"geluErf", 2, false, func(o *rowOps, x [][]float32) []float32 { o.geluErf(x[0], x[1]); return nil }},
	{"silu", 2, false, func(o *rowOps, x [][]float32) []float32 { o.silu(x[0], x[1]); return nil }},
	{"reluSquared", 2, false, func(o *rowOps, x [][]float32) []float32 { o.reluSquared(x[0], x[1]); return nil }},
	{"geluTanhGrad", 3, false, func(o *rowOps, x [][]float32) []float32 { o.geluTanhGrad(x[0], x[1], x[2]); return nil }},
	{"geluErfGrad", 3, false, func(o *rowOps, x [][]float32) []float32 { o.geluErfGrad(x[0], x[1], x[2]); return nil }},
	{"siluGrad", 3, false, func(o *rowOps, x [][]float32) []float32 { o.siluGrad(x[0], x[1], x[2]); return nil }},
	{"reluSquaredGrad", 3, false, func(o *rowOps, x [][]float32) []float32 { o.reluSquaredGrad(x[0], x[1], x[2]); return nil }},
	{"swiGLU", 3, false, func(o *rowOps, x [][]float32) []float32 { o.swiGLU(x[0], x[1], x[2]); return nil }},
	{"geGLU", 3, false, func(o *rowOps, x [][]float32) []float32 { o.geGLU(x[0], x[1], x[2]); return nil }},
	{"swiGLUGrad", 5, false, func(o *rowOps, x [][]float32) []float32 { o.swiGLUGrad(x[0], x[1], x[2], x[3], x[4]); return nil }},
	{"geGLUGrad", 5, false, func(o *rowOps, x [][]float32) []float32 { o.geGLUGrad(x[0], x[1], x[2], x[3], x[4]); return nil }},
	{"swiGLUGrad in place", 3, true, func(o *rowOps, x [][]float32) []float32 { o.swiGLUGrad(x[1], x[2], x[0], x[1], x[2]); return nil }},
	{"softcap", 1, true, func(o *rowOps, x [][]float32) []float32 { o.softcap(x[0], 0.7, 3); return nil }},
	{"softmax", 1, true, func(o *rowOps, x [][]float32) []float32 {
		m, l := o.softmax(x[0], 0.7)
		return []float32{m, l}
	}},
	{"logSumExp", 1, false, func(o *rowOps, x [][]float32) []float32 {
		m, l := o.logSumExp(x[0])
		return []float32{m, l}
	}},
	{"softcapEntropyGrad", 1, true, func(o *rowOps, x [][]float32) []float32 { o.softcapEntropyGrad(x[0], 2, 0.1, 30); return nil }},
	{"attentionGrad", 2, true, func(o *rowOps, x [][]float32) []float32 { o.attentionGrad(x[0], x[1], 2, 0.3, -0.2, 0.125); return nil }},
	{"attentionGradSoftcap", 2, true, func(o *rowOps, x [][]float32) []float32 {
		o.attentionGradSoftcap(x[0], x[1], 2, 0.3, -0.2, 0.125, 5)
		return nil
	}},
	{"adamW", 4, true, func(o *rowOps, x [][]float32) []float32 {
		o.adamW(adamWRates{0.9, 0.999, 0.1, 0.99, 0.01, 0.3, 1e-8, -1e-3}, x[0], x[1], x[2], x[3])
		return nil
	}},
	{"sgd", 3, true, func(o *rowOps, x [][]float32) []float32 {
		o.sgd(sgdRates{0.9, 0.01, 0.9, -0.1, false}, x[0], x[1], x[2])
		o.sgd(sgdRates{0.9, 0.01, 0.9, -0.1, true}, x[0], x[1], x[2])
		o.sgd(sgdRates{0.9, 0.01, 0, -0.1, false}, x[0], x[1], nil)
		return nil
	}},
	{"dropout", 2, false, func(o *rowOps, x [][]float32) []float32 {
		s := rng.Key{Seed: 3}.Sequence()
		for i := range uint64(4) {
			o.dropout(x[0], x[1], s, 8*uint64(len(x[0]))+i, 0x60000000, 1.6)
		}
		return nil
	}},
	{"dropout across a word of the counter", 2, false, func(o *rowOps, x [][]float32) []float32 {
		s := rng.Key{Seed: 4}.Sequence()
		o.dropout(x[0], x[1], s, 1<<34-20, 0x60000000, 1.6)
		return nil
	}},
}

// Every tier must give the bits of the pure-Go tier, and write nothing else, for all
// short lengths and some long ones, at all alignments, with all kinds of values.
func TestTiersAgreeOnVectors(t *testing.T) {
	var generic table
	rowsGeneric(&generic)
	lengths := []int{127, 128, 1000, 4096 + 21}
	for n := range 71 {
		lengths = append(lengths, n)
	}
	for _, tier := range cpu.Tiers()[1:] {
		ops := tierTable(tier)
		for _, op := range vectorOps {
			t.Run(tier.String()+"/"+op.name, func(t *testing.T) {
				for _, n := range lengths {
					for _, kind := range []string{"normal", "wide", "special"} {
						if n > 1000 && kind == "wide" {
							continue
						}
						want, got, checks := make([][]float32, op.vectors), make([][]float32, op.vectors), []func(){}
						for i := range want {
							want[i] = values(kind, n, uint64(i))
							var check func()
							got[i], check = testkit.GuardedCopy(t, want[i], (n+i)%17)
							checks = append(checks, check)
						}
						want = append(want, op.call(&generic.rowOps, want))
						got = append(got, op.call(&ops.rowOps, got))
						for i := range want {
							sameBits(t, fmt.Sprintf("%d %s values, vector %d", n, kind, i), got[i], want[i])
						}
						for _, check := range checks {
							check()
						}
					}
				}
			})
		}
	}
}

// values are n test values: of the size of activations, of all sizes, or with
// every third one special.
func values(kind string, n int, salt uint64) []float32 {
	x := make([]float32, n)
	key := rng.Key{Seed: salt, Stream: uint64(n)}
	rng.Normals(x, key, 0)
	specials := testkit.Specials()
	specials = append(specials, expMin, expMax, tanhSplit, erfSplit, -tanhSplit, -erfSplit, 88, 89, -87.5, -88, -104)
	for i := range x {
		h := rng.Uint32(key, uint64(1000000+i))
		switch {
		case kind == "normal":
			x[i] *= 3
		case kind == "wide":
			x[i] *= float32(math.Ldexp(1, int(h%80)-40))
		case h%3 == 0:
			x[i] = specials[int(h/3)%len(specials)]
		}
		if salt == 3 {
			x[i] = abs(x[i]) // the second moment of AdamW
		}
	}
	return x
}

// sameBits fails unless all bits agree; any NaN equals any other.
func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		g, w := got[i], want[i]
		if math.Float32bits(g) != math.Float32bits(w) && (g == g || w == w) {
			t.Fatalf("%s: element %d is %g (%08x), want %g (%08x)", what, i, g, math.Float32bits(g), w, math.Float32bits(w))
		}
	}
}

func TestTiersAgreeOnBF16(t *testing.T) {
	for _, tier := range cpu.Tiers()[1:] {
		ops := tierTable(tier)
		for n := range 71 {
			for _, kind := range []string{"normal", "wide", "special"} {
				x := values(kind, n, 5)
				want := make([]uint16, n)
				roundBF16Generic(want, x)
				got, check := testkit.Guarded[uint16](t, n, n%17)
				ops.roundBF16(got, x)
				check()
				testkit.SameBits(t, fmt.Sprintf("%s roundBF16 of %d %s values", tier, n, kind), got, want)
				wide := make([]float32, n)
				widenBF16Generic(wide, want)
				back, check := testkit.Guarded[float32](t, n, n%13)
				ops.widenBF16(back, want)
				check()
				sameBits(t, fmt.Sprintf("%s widenBF16 of %d", tier, n), back, wide)
			}
		}
	}
}

func TestTiersAgreeOnColumns(t *testing.T) {
	const rows = 9
	for _, tier := range cpu.Tiers()[1:] {
		ops := tierTable(tier)
		for n := range 71 {
			stride := n + n%5
			what := fmt.Sprintf("%s, %d columns", tier, n)
			dOut, in := values("normal", rows*stride, 0), values("wide", rows*stride, 1)
			mean, rstd := values("normal", rows, 2), values("normal", rows, 3)
			for _, m := range [][]float32{mean, nil} {
				want, wantBias := make([]float64, n), make([]float64, n)
				got, check := testkit.Guarded[float64](t, n, n%9)
				gotBias, checkBias := testkit.Guarded[float64](t, n, n%7)
				normColumnsGeneric(want, wantBias, dOut, in, m, rstd, stride)
				normColumnsGeneric(want, nil, dOut, in, m, rstd, stride)
				ops.normColumns(got, gotBias, dOut, in, m, rstd, stride)
				ops.normColumns(got, nil, dOut, in, m, rstd, stride)
				check()
				checkBias()
				testkit.SameBits(t, what+": gain", got, want)
				testkit.SameBits(t, what+": bias", gotBias, wantBias)
			}
			want := make([]float64, n)
			got, check := testkit.Guarded[float64](t, n, n%9)
			sumColumnsGeneric(want, in, stride, rows)
			ops.sumColumns(got, in, stride, rows)
			check()
			testkit.SameBits(t, what+": sum", got, want)
		}
	}
}

func TestTiersAgreeOnRoPE(t *testing.T) {
	for _, tier := range cpu.Tiers()[1:] {
		ops := tierTable(tier)
		for half := 1; half < 71; half++ {
			for heads := range 4 {
				want := values("special", 2*half*heads, 0)
				got, check := testkit.GuardedCopy(t, want, half%17)
				cos, sin := values("normal", half, 1), values("normal", half, 2)
				for _, inverse := range []bool{false, true} {
					ropeGeneric(want, cos, sin, heads, inverse)
					ops.rope(got, cos, sin, heads, inverse)
					check()
					sameBits(t, fmt.Sprintf("%s rope of %d heads of %d", tier, heads, 2*half), got, want)
				}
			}
		}
	}
}
