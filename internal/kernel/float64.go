package kernel

import "math"

// The float64 functions below serve schedules, rotary tables, initialisation and
// sampling: the same bits on every platform, to about 1 ulp. Series are Taylor's
// (their remainders are below 2^-60); math.FMA, Sqrt, Ldexp and RoundToEven are exact.

const (
	ln2Hi64 = 0x1.62e42fee00000p-1 // 32 bits: its products with exponents are exact
	ln2Lo64 = 0x1.a39ef35793c76p-33
)

// Exp64 is the exponential of x.
func Exp64(x float64) float64 {
	switch {
	case x != x:
		return x
	case x > 709.8:
		return math.Inf(1)
	case x < -745.2:
		return 0
	}
	return expSum(x, 0)
}

// expSum is the exponential of x + low, where low is tiny beside x.
func expSum(x, low float64) float64 {
	n := math.RoundToEven(x * (1 / math.Ln2))
	hi := math.FMA(-n, ln2Hi64, x)
	lo := math.FMA(-n, ln2Lo64, low)
	r := hi + lo
	lo += hi - r
	p := expSeries[len(expSeries)-1]
	for i := len(expSeries) - 2; i >= 0; i-- {
		p = math.FMA(p, r, expSeries[i])
	}
	// exp(r) = 1 + r + r^2 p, and exp(lo) = 1 + lo
	y := 1 + r
	return math.Ldexp(y+((1-y)+r+(lo+float64(float64(r*r)*p))), int(n))
}

// expSeries are 1/2!, 1/3!, ..., 1/14!.
var expSeries = [...]float64{1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880,
	1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800, 1.0 / 87178291200}

// Log64 is the natural logarithm of x: -Inf at 0, NaN below.
func Log64(x float64) float64 {
	if !(x > 0 && x <= math.MaxFloat64) {
		switch {
		case x == 0:
			return math.Inf(-1)
		case x > 0:
			return x
		}
		return math.NaN()
	}
	hi, lo := logSum(x)
	return hi + lo
}

// logSum is the logarithm of a positive finite x as a sum of two numbers, to
// about 2^-60. With x = 2^k (1+f) and s = f/(2+f), it is k ln 2 + 2s + 2s^3/3 + ...
func logSum(x float64) (hi, lo float64) {
	m, e := math.Frexp(x) // m in [1/2, 1)
	if m < math.Sqrt2/2 {
		m, e = 2*m, e-1
	}
	f, k := m-1, float64(e)
	d := 2 + f
	s := f / d
	sLow := (math.FMA(-s, d, f) - float64(s*(f-(d-2)))) / d
	z := float64(s * s)
	p := logSeries[len(logSeries)-1]
	for i := len(logSeries) - 2; i >= 0; i-- {
		p = math.FMA(p, z, logSeries[i])
	}
	a, b := float64(k*ln2Hi64), 2*s // |a| > |b| or a = 0
	hi = a + b
	lo = b - (hi - a)
	if a == 0 {
		lo = 0
	}
	rest := 2*sLow + float64(float64(s*z)*p)
	return hi, lo + math.FMA(k, ln2Lo64, rest)
}

// logSeries are 2/3, 2/5, ..., 2/25.
var logSeries = [...]float64{2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9, 2.0 / 11, 2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21, 2.0 / 23, 2.0 / 25}

// Pow64 is x to the power of y, for positive finite x.
func Pow64(x, y float64) float64 {
	if !(x > 0 && x <= math.MaxFloat64) {
		panic("kernel: Pow64: the base must be positive and finite")
	}
	hi, lo := logSum(x)
	sum := hi + lo
	lo -= sum - hi
	p := float64(y * sum)
	low := math.FMA(y, sum, -p) + float64(y*lo)
	if !(p > -745.2 && p < 709.8) {
		return Exp64(p)
	}
	return expSum(p, low)
}

// Sin64 is the sine of x radians, for |x| < 2^30.
func Sin64(x float64) float64 {
	n, r, lo := quarters(x)
	return quarter(n, r, lo)
}

// Cos64 is the cosine of x radians, for |x| < 2^30.
func Cos64(x float64) float64 {
	n, r, lo := quarters(x)
	return quarter(n+1, r, lo)
}

// Pi/2 as a sum.
const (
	halfPi1 = 0x1.921fb54442d18p+0
	halfPi2 = 0x1.1a62633145c07p-54
	halfPi3 = -0x1.f1976b7ed8fbcp-110
)

// quarters is x as n quarter turns and the rest, r + lo in [-pi/4, pi/4].
func quarters(x float64) (n int64, r, lo float64) {
	if !(math.Abs(x) < 1<<30) {
		panic("kernel: Sin64, Cos64: the angle must be below 2^30")
	}
	k := math.RoundToEven(x * (2 / math.Pi))
	a := math.FMA(-k, halfPi1, x) // exact
	b := float64(k * halfPi2)
	r = a - b
	lo = (a - r) - b - math.FMA(k, halfPi2, -b) - float64(k*halfPi3)
	return int64(k), r, lo
}

// quarter is the sine of n quarter turns and r + lo.
func quarter(n int64, r, lo float64) float64 {
	z := float64(r * r)
	var y float64
	if n&1 == 0 {
		y = r + (lo + float64(float64(r*z)*series(sinSeries[:], z)))
	} else {
		// 1 - z/2 loses what h regains
		w := 1 - 0.5*z
		h := (1 - w) - 0.5*z
		y = w + (h + (float64(float64(z*z)*series(cosSeries[:], z)) - float64(r*lo)))
	}
	if n&2 != 0 {
		return -y
	}
	return y
}

func series(c []float64, z float64) float64 {
	p := c[len(c)-1]
	for i := len(c) - 2; i >= 0; i-- {
		p = math.FMA(p, z, c[i])
	}
	return p
}

// sinSeries are -1/3!, 1/5!, ..., cosSeries 1/4!, -1/6!, ...
var (
	sinSeries = [...]float64{-1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800, 1.0 / 6227020800, -1.0 / 1307674368000, 1.0 / 355687428096000}
	cosSeries = [...]float64{1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600, -1.0 / 87178291200, 1.0 / 20922789888000, -1.0 / 6402373705728000}
)
