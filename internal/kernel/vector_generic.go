package kernel

func addGeneric(dst, a, b []float32) {
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

func scaleGeneric(dst, a []float32, s float32) {
	for i := range dst {
		dst[i] = a[i] * s
	}
}

func divideGeneric(dst, a []float32, s float32) {
	for i := range dst {
		dst[i] = a[i] / s
	}
}

func axpyGeneric(dst, a []float32, s float32) {
	for i := range dst {
		dst[i] = fmaGeneric(s, a[i], dst[i])
	}
}

// scaleAddGeneric is dst = fma(s, dst, t*a).
func scaleAddGeneric(dst, a []float32, s, t float32) {
	for i := range dst {
		dst[i] = fmaGeneric(s, dst[i], mul(t, a[i]))
	}
}

func dotGeneric(a, b []float32) float32 {
	var sum [lanes]float32
	for i := range a {
		sum[i%lanes] = fmaGeneric(a[i], b[i], sum[i%lanes])
	}
	return total(&sum)
}

func maxGeneric(x []float32) float32 {
	top := lowest
	for i, v := range x {
		top[i%lanes] = larger(v, top[i%lanes])
	}
	return largest(&top)
}

func squaresGeneric(x []float32) float64 {
	var sum [lanes]float64
	for i, v := range x {
		sum[i%lanes] += float64(v) * float64(v) // exact: fusing changes nothing
	}
	return total(&sum)
}

func sumColumnsGeneric(acc []float64, x []float32, stride, rows int) {
	for r := range rows {
		for c, v := range x[r*stride:][:len(acc)] {
			acc[c] += float64(v)
		}
	}
}
