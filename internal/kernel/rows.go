package kernel

//go:generate go run -C _gen ./rows

import (
	"fmt"
	"math"

	"github.com/aries-serpent/codexml/internal/rng"
)

// lanes is the number of partial sums of a reduction: element i is in lane i mod
// lanes, and the lanes are then halved: 8, 4, 2, 1.
const lanes = 16

// rowOps is how a tier works on rows. The public functions check sizes and cut
// their operands into the rows that these take; operands of one call have one
// length unless said otherwise, and the definitions are the functions named
// xGeneric.
type rowOps struct {
	exp, tanh, erf, sigmoid func(dst, src []float32)

	add      func(dst, a, b []float32)
	scale    func(dst, a []float32, s float32)
	divide   func(dst, a []float32, s float32)
	axpy     func(dst, a []float32, s float32)
	scaleAdd func(dst, a []float32, s, t float32)
	dot      func(a, b []float32) float32
	max      func(x []float32) float32
	squares  func(x []float32) float64

	roundBF16 func(dst []uint16, src []float32)
	widenBF16 func(dst []float32, src []uint16)

	layerNorm     func(out, in, gain, bias []float32, eps float32) (mean, rstd float32)
	layerNormGrad func(dIn, dOut, in, gain []float32, mean, rstd float32, accumulate bool)
	rmsNorm       func(out, in, gain []float32, eps float32) (rstd float32)
	rmsNormGrad   func(dIn, dOut, in, gain []float32, rstd float32, accumulate bool)
	// normColumns and sumColumns take rows of len(dGain) or len(acc) columns, stride apart.
	normColumns func(dGain, dBias []float64, dOut, in, mean, rstd []float32, stride int)
	sumColumns  func(acc []float64, x []float32, stride, rows int)

	geluTanh, geluErf, silu, reluSquared                 func(out, in []float32)
	geluTanhGrad, geluErfGrad, siluGrad, reluSquaredGrad func(dIn, dOut, in []float32)
	swiGLU, geGLU                                        func(out, gate, up []float32)
	swiGLUGrad, geGLUGrad                                func(dGate, dUp, dOut, gate, up []float32)

	softcap              func(x []float32, scale, softcap float32)
	softmax              func(p []float32, scale float32) (m, l float32)
	logSumExp            func(x []float32) (m, l float32)
	softcapEntropyGrad   func(x []float32, m, c, softcap float32)
	attentionGrad        func(s, dp []float32, m, invL, d, scale float32)
	attentionGradSoftcap func(s, dp []float32, m, invL, d, scale, softcap float32)

	// rope turns heads of 2*len(cos) elements.
	rope func(x, cos, sin []float32, heads int, inverse bool)

	adamW func(c adamWRates, w, g, m, v []float32)
	sgd   func(c sgdRates, w, g, buf []float32)

	dropout func(dst, src []float32, s rng.Sequence, index uint64, threshold uint32, scale float32)
}

func rowsGeneric(t *table) {
	t.rowOps = rowOps{
		exp: expGeneric, tanh: tanhGeneric, erf: erfGeneric, sigmoid: sigmoidGeneric,
		add: addGeneric, scale: scaleGeneric, divide: divideGeneric, axpy: axpyGeneric, scaleAdd: scaleAddGeneric,
		dot: dotGeneric, max: maxGeneric, squares: squaresGeneric,
		roundBF16: roundBF16Generic, widenBF16: widenBF16Generic,
		layerNorm: layerNormGeneric, layerNormGrad: layerNormGradGeneric, rmsNorm: rmsNormGeneric, rmsNormGrad: rmsNormGradGeneric,
		normColumns: normColumnsGeneric, sumColumns: sumColumnsGeneric,
		geluTanh: geluTanhGeneric, geluErf: geluErfGeneric, silu: siluGeneric, reluSquared: reluSquaredGeneric,
		geluTanhGrad: geluTanhGradGeneric, geluErfGrad: geluErfGradGeneric, siluGrad: siluGradGeneric, reluSquaredGrad: reluSquaredGradGeneric,
		swiGLU: swiGLUGeneric, geGLU: geGLUGeneric, swiGLUGrad: swiGLUGradGeneric, geGLUGrad: geGLUGradGeneric,
		softcap: softcapGeneric, softmax: softmaxGeneric, logSumExp: logSumExpGeneric, softcapEntropyGrad: softcapEntropyGradGeneric,
		attentionGrad: attentionGradGeneric, attentionGradSoftcap: attentionGradSoftcapGeneric,
		rope: ropeGeneric, adamW: adamWGeneric, sgd: sgdGeneric, dropout: dropoutGeneric,
	}
}

// mul is a*b, rounded: a product that no compiler may fuse with a sum.
func mul(a, b float32) float32 { return float32(a * b) }

func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }

func abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

// withSign is y >= 0 with the sign of x.
func withSign(y, x float32) float32 {
	return math.Float32frombits(math.Float32bits(y) | math.Float32bits(x)&(1<<31))
}

// larger is a if it is greater, else b: what MAXPS does with zeros and NaN.
func larger(a, b float32) float32 {
	if a > b {
		return a
	}
	return b
}

// total adds up the lanes of a reduction.
func total[T float32 | float64](sum *[lanes]T) T {
	for h := lanes / 2; h > 0; h /= 2 {
		for i := range h {
			sum[i] += sum[i+h]
		}
	}
	return sum[0]
}

var posInf, negInf = float32(math.Inf(1)), float32(math.Inf(-1))

// lowest are lanes in which nothing has been seen yet.
var lowest = [lanes]float32{negInf, negInf, negInf, negInf, negInf, negInf, negInf, negInf, negInf, negInf, negInf, negInf, negInf, negInf, negInf, negInf}

// largest is total for maxima.
func largest(top *[lanes]float32) float32 {
	for h := lanes / 2; h > 0; h /= 2 {
		for i := range h {
			top[i] = larger(top[i], top[i+h])
		}
	}
	return top[0]
}

// lengths panics about operands whose lengths differ.
func lengths(name string, n ...int) {
	panic(fmt.Sprintf("kernel: %s: operands of %v elements, want one length", name, n))
}

// checkRows panics unless x of have elements is rows of cols, stride apart.
func checkRows(name, x string, have, rows, cols, stride int) {
	if rows < 0 || cols < 0 || stride < cols || rows > 0 && cols > 0 && have < (rows-1)*stride+cols {
		panic(fmt.Sprintf("kernel: %s: %s is %d rows of %d, %d apart, but has %d elements", name, x, rows, cols, stride, have))
	}
}

// checkPerRow panics unless x has an element per row.
func checkPerRow(name, x string, have, rows int) {
	if have < rows {
		panic(fmt.Sprintf("kernel: %s: %s has %d elements, want one for each of %d rows", name, x, have, rows))
	}
}
