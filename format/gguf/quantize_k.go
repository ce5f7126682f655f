package gguf

import "math"

// The K types are found by search: for each group several scales are tried, for each
// the nearest whole numbers are taken and the best scale (and minimum) for those is
// found by least squares; the one with the least error wins. Errors count more where
// an element is large. Sums are float64, in the order of the elements.

// quantizeQ4_K writes eight groups of 32 elements, x = d*scale*q - dmin*minimum.
func quantizeQ4_K(block []byte, src []float32) {
	var scales, minima [8]float32
	for g := range scales {
		scales[g], minima[g] = searchScaleMin(src[32*g:][:32])
	}
	d := float16At(block, maxOf(scales[:])/63)
	dmin := float16At(block[2:], maxOf(minima[:])/63)
	clear(block[4:16])
	for g := range scales {
		s, m := sixBits(scales[g], d), sixBits(minima[g], dmin)
		putScaleMin(block[4:16], g, s, m)
		id, minimum := inverse(d*float32(s)), dmin*float32(m)
		to := block[16+g/2*32:][:32]
		for i, x := range src[32*g:][:32] {
			q := byte(clampRound(float32((x+minimum)*id), 0, 15))
			if g%2 == 0 {
				to[i] = q
			} else {
				to[i] |= q << 4
			}
		}
	}
}

func maxOf(x []float32) (most float32) {
	for _, v := range x {
		most = max(most, v)
	}
	return most
}

// sixBits is the nearest multiple of unit, 0 to 63.
func sixBits(x, unit float32) byte { return byte(clampRound(x*inverse(unit), 0, 63)) }

// clampRound rounds to the nearest whole number, halves away from zero, between low
// and high.
func clampRound(x float32, low, high int) int {
	return max(low, min(high, roundAway(max(float32(low)-1, min(float32(high)+1, x)))))
}

// putScaleMin is the inverse of scaleMin.
func putScaleMin(packed []byte, i int, scale, minimum byte) {
	if i < 4 {
		packed[i] |= scale
		packed[i+4] |= minimum
		return
	}
	packed[i+4] |= scale&15 | minimum<<4
	packed[i-4] |= scale >> 4 << 6
	packed[i] |= minimum >> 4 << 6
}

// searchScaleMin finds scale and minimum (none negative) for x = scale*q - minimum,
// q in 0..15.
func searchScaleMin(src []float32) (scale, minimum float32) {
	low, high, squares := src[0], src[0], 0.0
	for _, x := range src {
		low, high = min(low, x), max(high, x)
		squares += float64(float64(x) * float64(x))
	}
	low = min(low, 0)
	if high <= low {
		return 0, -low
	}
	var weights [32]float64
	mean := math.Sqrt(squares / float64(len(src)))
	for i, x := range src {
		weights[i] = mean + float64(abs(x))
	}
	scale, minimum = (high-low)/15, -low
	best := math.Inf(1)
	for step := -1; step <= 20; step++ { // from 14 to 16 levels over the range
		levels := float32(15)
		if step >= 0 {
			levels = 14 + float32(step)*0.1
		}
		var q [32]float64
		for i, x := range src {
			q[i] = float64(clampRound(float32((x-low)*(levels/(high-low))), 0, 15))
		}
		s, m := fitLine(src, weights[:], q[:])
		if err := lineError(src, weights[:], q[:], s, m); s > 0 && err < best {
			best, scale, minimum = err, float32(s), float32(m)
		}
	}
	return scale, minimum
}

// fitLine finds s and m >= 0 for which the weighted squares of x - (s*q - m) are
// least.
func fitLine(src []float32, weights, q []float64) (s, m float64) {
	var sw, sq, sqq, sx, sxq float64
	for i, x := range src {
		w, x := weights[i], float64(x)
		wq := float64(w * q[i])
		sw += w
		sq += wq
		sqq += float64(wq * q[i])
		sx += float64(w * x)
		sxq += float64(wq * x)
	}
	if det := float64(sw*sqq) - float64(sq*sq); det > 0 {
		s = (float64(sw*sxq) - float64(sx*sq)) / det
		m = (float64(sq*sxq) - float64(sqq*sx)) / det
	}
	if m <= 0 && sqq > 0 {
		return sxq / sqq, 0
	}
	return s, m
}

func lineError(src []float32, weights, q []float64, s, m float64) (sum float64) {
	for i, x := range src {
		diff := float64(s*q[i]) - m - float64(x)
		sum += float64(weights[i] * float64(diff*diff))
	}
	return sum
}

// quantizeQ6_K writes sixteen groups of 16 elements, x = d*scale*q, q in -32..31 and
// scale in -128..127.
func quantizeQ6_K(block []byte, src []float32) {
	var scales [16]float32
	for g := range scales {
		scales[g] = searchScale(src[16*g:][:16])
	}
	d := float16At(block[208:], largest(scales[:])/-128)
	id := inverse(d)
	clear(block[:192])
	for g := range scales {
		s := clampRound(scales[g]*id, -128, 127)
		block[192+g] = byte(int8(s))
		unit := inverse(d * float32(s))
		run := g / 2
		low, high := block[run/4*64+run%2*32+g%2*16:], block[128+run/4*32+g%2*16:]
		for i, x := range src[16*g:][:16] {
			q := byte(clampRound(x*unit, -32, 31) + 32)
			low[i] |= q & 15 << (run % 4 / 2 * 4)
			high[i] |= q >> 4 << (run % 4 * 2)
		}
	}
}

// searchScale finds the scale for x = scale*q, q in -32..31.
func searchScale(src []float32) (scale float32) {
	most := largest(src)
	if inverse(most) == 0 {
		return 0
	}
	best := 0.0
	for step := -9; step <= 9; step++ { // the largest element is put at 31.1 to 32.9 times the scale
		unit := -(32 + float32(step)*0.1) / most
		var sxq, sqq float64
		for _, x := range src {
			q := float64(clampRound(x*unit, -32, 31))
			wq := float64(float64(x) * float64(x) * q)
			sxq += float64(wq * float64(x))
			sqq += float64(wq * q)
		}
		// The error that is left is a constant minus this.
		if gain := float64(sxq*sxq) / sqq; sqq > 0 && gain > best {
			best, scale = gain, float32(sxq/sqq)
		}
	}
	return scale
}
