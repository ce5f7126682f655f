package rng

import "math"

// Normal is standard normal: the inverse of the normal distribution at the middle
// of one of 2^32 equal intervals, which Uint32(key, i) chooses. It lies within 6.24
// and is right to 2e-7 of itself.
func Normal(key Key, i uint64) float32 { return normal(Uint32(key, i)) }

// Normals fills dst with Normal(key, index), Normal(key, index+1), ...
func Normals(dst []float32, key Key, index uint64) {
	s := key.Sequence()
	for len(dst) > 0 {
		n := min(len(dst), batch)
		s.normals(dst[:n], index)
		dst, index = dst[n:], index+uint64(n)
	}
}

// normals takes the tails, which are rare, after the rest: taking each where it
// comes would cost a mispredicted branch.
func (s *Sequence) normals(dst []float32, index uint64) {
	var words [batch]uint32
	var tails [batch]uint8
	s.words(words[:len(dst)], index)
	n := 0
	for i, x := range words[:len(dst)] {
		dst[i] = central(x)
		tails[n&(batch-1)] = uint8(i)
		n += outside(x)
	}
	for _, i := range tails[:n] {
		dst[i] = tail(words[i])
	}
}

// normal is the inverse at (2x+1) / 2^33 by Wichura's PPND7 (algorithm AS 241,
// Applied Statistics 37, 1988). Products are converted so that no compiler fuses
// them with sums.
func normal(x uint32) float32 {
	if outside(x) != 0 {
		return tail(x)
	}
	return central(x)
}

// offset is (2x+1) / 2^33 - 1/2: exact, in (-1/2, 1/2), never 0.
func offset(x uint32) float64 { return (float64(x) + 0.5 - 0x1p31) * 0x1p-32 }

// outside is 1 where |offset| > 0.425, else 0.
func outside(x uint32) int {
	const lowest, highest = 1<<31 - 1825361101, 1<<31 + 1825361100
	return int((highest - lowest - uint64(x-lowest)) >> 63)
}

func central(x uint32) float32 {
	q := offset(x)
	r := 0.180625 - float64(q*q)
	return float32(q * cubic(r, 3.3871327179, 50.434271938, 159.29113202, 59.109374720) /
		cubic(r, 1, 17.895169469, 78.757757664, 67.187563600))
}

func tail(x uint32) float32 {
	q := offset(x)
	r := math.Sqrt(-log(0.5-math.Abs(q))) - 1.6
	z := cubic(r, 1.4234372777, 2.7568153900, 1.3067284816, 0.17023821103) / cubic(r, 1, 0.73700164250, 0.12021132975, 0)
	return float32(math.Copysign(z, q))
}

// cubic is a + b r + c r^2 + d r^3.
func cubic(r, a, b, c, d float64) float64 {
	return a + float64(r*(b+float64(r*(c+float64(r*d)))))
}

// log is the natural logarithm of a normal x in (0, 1], to 1e-12. This package is
// below internal/kernel and cannot use the better one there.
func log(x float64) float64 {
	bits := math.Float64bits(x)
	m := math.Float64frombits(bits&(1<<52-1) | 1023<<52) // in [1, 2)
	e := float64(int64(bits>>52) - 1023)
	if m > math.Sqrt2 {
		m, e = m/2, e+1
	}
	s := (m - 1) / (m + 1) // log m = 2 (s + s^3/3 + s^5/5 + ...), |s| < 0.172
	t := float64(s * s)
	sum := 1.0/13 + float64(t*(1.0/15))
	sum = 1.0/11 + float64(t*sum)
	sum = 1.0/9 + float64(t*sum)
	sum = 1.0/7 + float64(t*sum)
	sum = 1.0/5 + float64(t*sum)
	sum = 1.0/3 + float64(t*sum)
	sum = 1 + float64(t*sum)
	return float64(e*math.Ln2) + float64(2*s*sum)
}
