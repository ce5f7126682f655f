package kernel

func layerNormGeneric(out, in, gain, bias []float32, eps float32) (mean, rstd float32) {
	var sum, squares [lanes]float32
	for i, x := range in {
		sum[i%lanes] += x
	}
	mean = total(&sum) / float32(len(in))
	for i, x := range in {
		d := x - mean
		squares[i%lanes] = fmaGeneric(d, d, squares[i%lanes])
	}
	rstd = 1 / sqrt(total(&squares)/float32(len(in))+eps)
	for i, x := range in {
		y := mul(x-mean, rstd)
		switch {
		case bias != nil:
			y = fmaGeneric(y, gain[i], bias[i])
		case gain != nil:
			y = mul(y, gain[i])
		}
		out[i] = y
	}
	return mean, rstd
}

func layerNormGradGeneric(dIn, dOut, in, gain []float32, mean, rstd float32, accumulate bool) {
	var sum, dot [lanes]float32
	for i, x := range in {
		g := gained(dOut[i], gain, i)
		sum[i%lanes] += g
		dot[i%lanes] = fmaGeneric(g, mul(x-mean, rstd), dot[i%lanes])
	}
	a, b := total(&sum)/float32(len(in)), total(&dot)/float32(len(in))
	for i, x := range in {
		store(&dIn[i], fmaGeneric(-mul(x-mean, rstd), b, gained(dOut[i], gain, i)-a), rstd, accumulate)
	}
}

func rmsNormGeneric(out, in, gain []float32, eps float32) (rstd float32) {
	var squares [lanes]float32
	for i, x := range in {
		squares[i%lanes] = fmaGeneric(x, x, squares[i%lanes])
	}
	rstd = 1 / sqrt(total(&squares)/float32(len(in))+eps)
	for i, x := range in {
		out[i] = gained(mul(x, rstd), gain, i)
	}
	return rstd
}

func rmsNormGradGeneric(dIn, dOut, in, gain []float32, rstd float32, accumulate bool) {
	var dot [lanes]float32
	for i, x := range in {
		dot[i%lanes] = fmaGeneric(gained(dOut[i], gain, i), mul(x, rstd), dot[i%lanes])
	}
	b := total(&dot) / float32(len(in))
	for i, x := range in {
		store(&dIn[i], fmaGeneric(-mul(x, rstd), b, gained(dOut[i], gain, i)), rstd, accumulate)
	}
}

// gained is x*gain[i], or x without a gain.
func gained(x float32, gain []float32, i int) float32 {
	if gain == nil {
		return x
	}
	return mul(x, gain[i])
}

func store(dst *float32, d, rstd float32, accumulate bool) {
	if accumulate {
		*dst = fmaGeneric(d, rstd, *dst)
	} else {
		*dst = mul(d, rstd)
	}
}

func normColumnsGeneric(dGain, dBias []float64, dOut, in, mean, rstd []float32, stride int) {
	for r := range rstd {
		for c, d := range dOut[r*stride:][:len(dGain)] {
			x := in[r*stride+c]
			if mean != nil {
				x -= mean[r]
			}
			dGain[c] += float64(d) * float64(mul(x, rstd[r])) // exact: fusing changes nothing
			if dBias != nil {
				dBias[c] += float64(d)
			}
		}
	}
}
