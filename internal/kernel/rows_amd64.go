//go:build amd64 && !purego

package kernel

import (
	"math"

	"github.com/aries-serpent/codexml/internal/rng"
)

func rowsAVX2(t *table) {
	t.rowOps = rowOps{
		exp: expAVX2, tanh: tanhAVX2, erf: erfAVX2, sigmoid: sigmoidAVX2,
		add: addAVX2, scale: scaleAVX2, divide: divideAVX2, axpy: axpyAVX2, scaleAdd: scaleAddAVX2,
		dot: dotAVX2, max: maxAVX2, squares: squaresAVX2,
		roundBF16: roundTail(roundBF16AVX2), widenBF16: widenTail(widenBF16AVX2),
		layerNorm: layerNormAVX2, layerNormGrad: layerNormGradAVX2, rmsNorm: rmsNormAVX2, rmsNormGrad: rmsNormGradAVX2,
		normColumns: normTail(normColumnsAVX2), sumColumns: sumTail(sumColumnsAVX2),
		geluTanh: geluTanhAVX2, geluErf: geluErfAVX2, silu: siluAVX2, reluSquared: reluSquaredAVX2,
		geluTanhGrad: geluTanhGradAVX2, geluErfGrad: geluErfGradAVX2, siluGrad: siluGradAVX2, reluSquaredGrad: reluSquaredGradAVX2,
		swiGLU: swiGLUAVX2, geGLU: geGLUAVX2, swiGLUGrad: swiGLUGradAVX2, geGLUGrad: geGLUGradAVX2,
		softcap: softcapAVX2, softmax: softmaxAVX2, logSumExp: logSumExpAVX2, softcapEntropyGrad: softcapEntropyGradAVX2,
		attentionGrad: attentionGradAVX2, attentionGradSoftcap: attentionGradSoftcapAVX2,
		rope: ropeAVX2, adamW: adamWAVX2, sgd: sgdAVX2, dropout: dropoutEnds(dropoutAVX2),
	}
}

func rowsAVX512(t *table) {
	t.rowOps = rowOps{
		exp: expAVX512, tanh: tanhAVX512, erf: erfAVX512, sigmoid: sigmoidAVX512,
		add: addAVX512, scale: scaleAVX512, divide: divideAVX512, axpy: axpyAVX512, scaleAdd: scaleAddAVX512,
		dot: dotAVX512, max: maxAVX512, squares: squaresAVX512,
		roundBF16: roundTail(roundBF16AVX512), widenBF16: widenTail(widenBF16AVX512),
		layerNorm: layerNormAVX512, layerNormGrad: layerNormGradAVX512, rmsNorm: rmsNormAVX512, rmsNormGrad: rmsNormGradAVX512,
		normColumns: normTail(normColumnsAVX512), sumColumns: sumTail(sumColumnsAVX512),
		geluTanh: geluTanhAVX512, geluErf: geluErfAVX512, silu: siluAVX512, reluSquared: reluSquaredAVX512,
		geluTanhGrad: geluTanhGradAVX512, geluErfGrad: geluErfGradAVX512, siluGrad: siluGradAVX512, reluSquaredGrad: reluSquaredGradAVX512,
		swiGLU: swiGLUAVX512, geGLU: geGLUAVX512, swiGLUGrad: swiGLUGradAVX512, geGLUGrad: geGLUGradAVX512,
		softcap: softcapAVX512, softmax: softmaxAVX512, logSumExp: logSumExpAVX512, softcapEntropyGrad: softcapEntropyGradAVX512,
		attentionGrad: attentionGradAVX512, attentionGradSoftcap: attentionGradSoftcapAVX512,
		rope: ropeAVX512, adamW: adamWAVX512, sgd: sgdAVX512, dropout: dropoutEnds(dropoutAVX512),
	}
}

// The functions below complete those kernels that take whole groups of elements.

// wholeGroup is the number of elements in the groups of conversions and dropout.
const wholeGroup = 32

func roundTail(groups func(dst []uint16, src []float32)) func(dst []uint16, src []float32) {
	return func(dst []uint16, src []float32) {
		n := len(dst) &^ (wholeGroup - 1)
		groups(dst[:n], src)
		roundBF16Generic(dst[n:], src[n:])
	}
}

func widenTail(groups func(dst []float32, src []uint16)) func(dst []float32, src []uint16) {
	return func(dst []float32, src []uint16) {
		n := len(dst) &^ (wholeGroup - 1)
		groups(dst[:n], src)
		widenBF16Generic(dst[n:], src[n:])
	}
}

func sumTail(groups func(acc []float64, x []float32, stride, rows int)) func(acc []float64, x []float32, stride, rows int) {
	return func(acc []float64, x []float32, stride, rows int) {
		n := len(acc) &^ (lanes - 1)
		if n > 0 {
			groups(acc[:n], x, stride, rows)
		}
		if n < len(acc) {
			sumColumnsGeneric(acc[n:], x[n:], stride, rows)
		}
	}
}

type normColumns func(dGain, dBias []float64, dOut, in, mean, rstd []float32, stride int)

func normTail(groups normColumns) normColumns {
	return func(dGain, dBias []float64, dOut, in, mean, rstd []float32, stride int) {
		n := len(dGain) &^ (lanes - 1)
		if n > 0 {
			groups(dGain[:n], dBias, dOut, in, mean, rstd, stride)
		}
		if n < len(dGain) {
			if dBias != nil {
				dBias = dBias[n:]
			}
			normColumnsGeneric(dGain[n:], dBias, dOut[n:], in[n:], mean, rstd, stride)
		}
	}
}

func dropoutEnds(groups func(dst, src []float32, s rng.Sequence, block uint64, threshold uint32, scale float32)) func(dst, src []float32, s rng.Sequence, index uint64, threshold uint32, scale float32) {
	return func(dst, src []float32, s rng.Sequence, index uint64, threshold uint32, scale float32) {
		head := min(len(dst), int(-index&3)) // up to a whole block
		n := (len(dst) - head) &^ (wholeGroup - 1)
		first := (index + uint64(head)) / 4
		if uint64(uint32(first))+uint64(n/4) > math.MaxUint32 { // the counter's upper word changes
			head, n = len(dst), 0
		}
		dropoutGeneric(dst[:head], src[:head], s, index, threshold, scale)
		groups(dst[head:head+n], src[head:head+n], s, first, threshold, scale)
		at := head + n
		dropoutGeneric(dst[at:], src[at:], s, index+uint64(at), threshold, scale)
	}
}
