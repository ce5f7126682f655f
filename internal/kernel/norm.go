package kernel

import "fmt"

// Sizes: R rows of C channels.

// LayerNormForward normalises rows of C elements, len(mean) of them; gain and bias
// may be nil, but bias needs gain. Per row, with sums in 16 lanes,
//
//	mean = sum(x) / C
//	rstd = 1 / sqrt(sum((x-mean)^2)/C + eps)
//	out  = fma((x-mean)*rstd, gain, bias)
//
// where the sum of squares is a chain of fma. out may be in.
func LayerNormForward(out, mean, rstd, in, gain, bias []float32, C int, eps float32) {
	checkNorm("LayerNormForward", out, in, rstd, gain, C)
	checkPerRow("LayerNormForward", "mean", len(mean), len(rstd))
	if bias != nil && (gain == nil || len(bias) != C) {
		panic(fmt.Sprintf("kernel: LayerNormForward: bias has %d elements and gain %d, want %d each", len(bias), len(gain), C))
	}
	for r := range rstd {
		mean[r], rstd[r] = ops.layerNorm(out[r*C:][:C], in[r*C:][:C], gain, bias, eps)
	}
}

// LayerNormBackward is the gradient by in. Per row, with g = dOut*gain (dOut if
// gain is nil), xhat = (in-mean)*rstd and sums in 16 lanes,
//
//	d   = fma(-xhat, sum(g*xhat)/C, g - sum(g)/C)
//	dIn = d*rstd, or fma(d, rstd, dIn) if accumulate is set
//
// dIn may be dOut unless it accumulates.
func LayerNormBackward(dIn, dOut, in, mean, rstd, gain []float32, C int, accumulate bool) {
	checkNorm("LayerNormBackward", dIn, in, rstd, gain, C)
	checkRows("LayerNormBackward", "dOut", len(dOut), len(rstd), C, C)
	checkPerRow("LayerNormBackward", "mean", len(mean), len(rstd))
	for r := range rstd {
		ops.layerNormGrad(dIn[r*C:][:C], dOut[r*C:][:C], in[r*C:][:C], gain, mean[r], rstd[r], accumulate)
	}
}

// RMSNormForward normalises rows of C elements, len(rstd) of them; gain may be nil:
//
//	rstd = 1 / sqrt(sum(x^2)/C + eps)
//	out  = (x*rstd) * gain
//
// where the sum is a chain of fma in 16 lanes. out may be in.
func RMSNormForward(out, rstd, in, gain []float32, C int, eps float32) {
	checkNorm("RMSNormForward", out, in, rstd, gain, C)
	for r := range rstd {
		rstd[r] = ops.rmsNorm(out[r*C:][:C], in[r*C:][:C], gain, eps)
	}
}

// RMSNormBackward is the gradient by in. Per row, with g = dOut*gain (dOut if gain
// is nil), xhat = in*rstd and the sum in 16 lanes,
//
//	d   = fma(-xhat, sum(g*xhat)/C, g)
//	dIn = d*rstd, or fma(d, rstd, dIn) if accumulate is set
//
// dIn may be dOut unless it accumulates.
func RMSNormBackward(dIn, dOut, in, rstd, gain []float32, C int, accumulate bool) {
	checkNorm("RMSNormBackward", dIn, in, rstd, gain, C)
	checkRows("RMSNormBackward", "dOut", len(dOut), len(rstd), C, C)
	for r := range rstd {
		ops.rmsNormGrad(dIn[r*C:][:C], dOut[r*C:][:C], in[r*C:][:C], gain, rstd[r], accumulate)
	}
}

// NormGradColumns adds the gradients of gain and bias for columns c in [lo, hi), a
// chain over the len(rstd) rows per column:
//
//	dGain[c] += float64(dOut) * float64((in-mean)*rstd)
//	dBias[c] += float64(dOut)
//
// mean is nil for RMSNorm; dBias may be nil.
func NormGradColumns(dGain, dBias []float64, dOut, in, mean, rstd []float32, C, lo, hi int) {
	if lo >= hi || len(rstd) == 0 {
		return
	}
	if hi > C {
		panic(fmt.Sprintf("kernel: NormGradColumns: column %d of %d", hi, C))
	}
	checkRows("NormGradColumns", "dOut", len(dOut), len(rstd), C, C)
	checkRows("NormGradColumns", "in", len(in), len(rstd), C, C)
	if mean != nil {
		checkPerRow("NormGradColumns", "mean", len(mean), len(rstd))
	}
	if dBias != nil {
		dBias = dBias[lo:hi]
	}
	dGain = dGain[lo:hi]
	for r := 0; r < len(rstd); r += columnRows {
		end := min(r+columnRows, len(rstd))
		var m []float32
		if mean != nil {
			m = mean[r:end]
		}
		ops.normColumns(dGain, dBias, dOut[r*C+lo:], in[r*C+lo:], m, rstd[r:end], C)
	}
}

// columnRows is the number of rows through which columns are summed together: few
// enough that the next columns' share of their cache lines and pages is still at
// hand, enough that the sums stay in registers for a while.
const columnRows = 16

func checkNorm(name string, out, in, rstd, gain []float32, C int) {
	checkRows(name, "its result", len(out), len(rstd), C, C)
	checkRows(name, "in", len(in), len(rstd), C, C)
	if gain != nil && len(gain) != C {
		panic(fmt.Sprintf("kernel: %s: gain has %d elements, want %d", name, len(gain), C))
	}
}
