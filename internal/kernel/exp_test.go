package kernel

import (
	"flag"
	"math"
	"testing"

	"github.com/aries-serpent/codexml/internal/cpu"
)

var exhaustive = flag.Bool("exhaustive", false, "try the functions on every float32; needs -timeout 0")

// functions lists the functions of one number with the error that their doc states,
// in units of the last place of the result.
var functions = []struct {
	name   string
	scalar func(float32) float32
	vector func(o *rowOps) func(dst, src []float32)
	want   func(float64) float64
	ulps   float64
}{
	{"exp", ExpScalar, func(o *rowOps) func(dst, src []float32) { return o.exp }, flushedExp, 1},
	{"log", LogScalar, nil, math.Log, 0.501},
	{"tanh", TanhScalar, func(o *rowOps) func(dst, src []float32) { return o.tanh }, math.Tanh, 2},
	{"erf", ErfScalar, func(o *rowOps) func(dst, src []float32) { return o.erf }, math.Erf, 2},
	{"sigmoid", SigmoidScalar, func(o *rowOps) func(dst, src []float32) { return o.sigmoid }, sigmoid64, 2.5},
}

func flushedExp(x float64) float64 {
	if y := math.Exp(x); y >= smallest {
		return y
	}
	return 0
}

func sigmoid64(x float64) float64 {
	if x < -expMax { // where exp(-x) is infinite
		return 0
	}
	return 1 / (1 + math.Exp(-x))
}

func TestFunctionsAreAccurate(t *testing.T) {
	for _, f := range functions {
		worst, at := 0.0, float32(0)
		sweep(func(x float32) {
			if x != x {
				return
			}
			if e := ulps(f.scalar(x), f.want(float64(x))); e > worst {
				worst, at = e, x
			}
		})
		if worst > f.ulps {
			t.Errorf("%s(%g) = %g, %.2f units in the last place from %g, want at most %.2f", f.name, at, f.scalar(at), worst, f.want(float64(at)), f.ulps)
		} else {
			t.Logf("%s: at most %.3f units in the last place, at %g", f.name, worst, at)
		}
	}
}

// ulps is the distance of got from want in units of want's last place.
func ulps(got float32, want float64) float64 {
	w := float32(want)
	if got == w || got != got && w != w {
		if math.IsInf(want, 0) || want == 0 || w != w || math.IsInf(float64(w), 0) {
			return 0
		}
	} else if got != got || w != w || math.IsInf(float64(got), 0) || math.IsInf(float64(w), 0) {
		return math.Inf(1)
	}
	last := math.Ldexp(1, max(math.Ilogb(want), -126)-23)
	return math.Abs(float64(got)-want) / last
}

// sweep calls f with every float32, or with some of all sizes and all those around
// the places where the functions change.
func sweep(f func(x float32)) {
	step := uint64(4099)
	if *exhaustive {
		step = 1
	}
	for bits := uint64(0); bits < 1<<32; bits += step {
		f(math.Float32frombits(uint32(bits)))
	}
	edges := []float32{0, expMin, expMax, tanhSplit, tanhSplit / 2, erfSplit, 1, smallest, 9, 10, 4}
	for n := -150; n < 150; n++ { // where the exponential's n changes, for exp and tanh
		edges = append(edges, float32((float64(n)+0.5)*math.Ln2), float32((float64(n)+0.5)*math.Ln2/2))
	}
	for _, e := range edges {
		for d := range uint32(400) {
			for _, x := range []float32{e, -e} {
				f(math.Float32frombits(math.Float32bits(x) + d - 200))
			}
		}
	}
}

func TestTiersAgreeOnFunctions(t *testing.T) {
	for _, tier := range cpu.Tiers()[1:] {
		ops := tierTable(tier)
		for _, f := range functions {
			if f.vector == nil {
				continue
			}
			vector := f.vector(&ops.rowOps)
			var x []float32
			y, want := make([]float32, 4096), make([]float32, 4096)
			flush := func() {
				vector(y[:len(x)], x)
				for i := range x {
					want[i] = f.scalar(x[i])
				}
				sameBits(t, tier.String()+" "+f.name, y[:len(x)], want[:len(x)])
				x = x[:0]
			}
			sweep(func(v float32) {
				if x = append(x, v); len(x) == len(y) {
					flush()
				}
			})
			flush()
		}
	}
}

func TestFunctionsAtSpecialValues(t *testing.T) {
	inf, nan, zero := posInf, float32(math.NaN()), float32(0)
	for _, c := range []struct {
		name    string
		f       func(float32) float32
		x, want float32
	}{
		{"exp", ExpScalar, 0, 1}, {"exp", ExpScalar, -zero, 1}, {"exp", ExpScalar, inf, inf}, {"exp", ExpScalar, -inf, 0},
		{"exp", ExpScalar, nan, nan}, {"exp", ExpScalar, 89, inf}, {"exp", ExpScalar, -87.34, 0}, {"exp", ExpScalar, -1e30, 0},
		{"log", LogScalar, 1, 0}, {"log", LogScalar, 0, -inf}, {"log", LogScalar, -1, nan}, {"log", LogScalar, inf, inf},
		{"tanh", TanhScalar, inf, 1}, {"tanh", TanhScalar, -inf, -1}, {"tanh", TanhScalar, nan, nan},
		{"tanh", TanhScalar, math.Float32frombits(1 << 31), math.Float32frombits(1 << 31)}, {"tanh", TanhScalar, 1e-40, 1e-40},
		{"erf", ErfScalar, inf, 1}, {"erf", ErfScalar, -inf, -1}, {"erf", ErfScalar, nan, nan},
		{"erf", ErfScalar, math.Float32frombits(1 << 31), math.Float32frombits(1 << 31)}, {"erf", ErfScalar, 1e30, 1},
		{"sigmoid", SigmoidScalar, 0, 0.5}, {"sigmoid", SigmoidScalar, inf, 1}, {"sigmoid", SigmoidScalar, -inf, 0}, {"sigmoid", SigmoidScalar, nan, nan},
	} {
		sameBits(t, c.name, []float32{c.f(c.x)}, []float32{c.want})
	}
}

func TestFloat64FunctionsAreAccurate(t *testing.T) {
	for _, c := range []struct {
		name   string
		f      func(float64) float64
		want   func(float64) float64
		lo, hi float64
		ulps   float64 // what Go's own functions are off counts too
	}{
		{"Exp64", Exp64, math.Exp, -745, 709, 2},
		{"Exp64", Exp64, math.Exp, -1, 1, 2},
		{"Log64", Log64, math.Log, 0, 10, 2},
		{"Log64", Log64, math.Log, 0.99, 1.01, 2},
		{"Log64", Log64, math.Log, 1e-310, 1e-300, 2},
		{"Sin64", Sin64, math.Sin, -4, 4, 2},
		{"Cos64", Cos64, math.Cos, -4, 4, 2},
		{"Sin64", Sin64, math.Sin, -131072, 131072, 2},
		{"Cos64", Cos64, math.Cos, -131072, 131072, 2},
		{"Pow64", func(x float64) float64 { return Pow64(10000, x) }, func(x float64) float64 { return math.Pow(10000, x) }, -1, 1, 8},
		{"Pow64", func(x float64) float64 { return Pow64(x, -0.5) }, func(x float64) float64 { return 1 / math.Sqrt(x) }, 0, 1e5, 1.5},
	} {
		const n = 100000
		for i := range n {
			x := c.lo + (c.hi-c.lo)*(float64(i)+0.37)/n
			got, want := c.f(x), c.want(x)
			if e := math.Abs(got-want) / math.Ldexp(1, max(math.Ilogb(want), -1022)-52); !(e <= c.ulps) {
				t.Fatalf("%s(%v) = %v, %.1f units in the last place from %v", c.name, x, got, e, want)
			}
		}
	}
}

// math.Pow is not good enough to test against; these are from 300 bits.
func TestPow64IsAccurate(t *testing.T) {
	for _, c := range [][3]float64{
		{10000, -0.015625, 0.8659643233600653},
		{500000, -0.984375, 2.455140791131609e-06},
		{1e6, -0.7265625, 4.3714448126110894e-05},
		{0.9, 7, 0.4782969000000001},
		{0.95, 1234, 3.242865425656107e-28},
		{0.999, 99999, 3.542069758101229e-44},
		{0.999, 1386.37, 0.24980775236864192},
		{3, 0.3333, 1.442196755504422},
		{1.0000001, 1e7, 2.7182816941320818},
	} {
		got := Pow64(c[0], c[1])
		if math.Abs(got-c[2]) > math.Ldexp(1, math.Ilogb(c[2])-52) {
			t.Errorf("Pow64(%v, %v) = %v, want %v", c[0], c[1], got, c[2])
		}
	}
}

func TestFloat64FunctionsAtSpecialValues(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"Exp64(0)", Exp64(0), 1}, {"Exp64(710)", Exp64(710), inf}, {"Exp64(-746)", Exp64(-746), 0}, {"Exp64(NaN)", Exp64(nan), nan},
		{"Exp64(1)", Exp64(1), math.E}, {"Exp64(-745)", Exp64(-745), 5e-324},
		{"Log64(1)", Log64(1), 0}, {"Log64(0)", Log64(0), -inf}, {"Log64(-1)", Log64(-1), nan}, {"Log64(Inf)", Log64(inf), inf}, {"Log64(2)", Log64(2), math.Ln2},
		{"Sin64(0)", Sin64(0), 0}, {"Cos64(0)", Cos64(0), 1}, {"Cos64(Pi)", Cos64(math.Pi), -1}, {"Sin64(Pi)", Sin64(math.Pi), 0x1.1a62633145c07p-53},
		{"Pow64(3, 0)", Pow64(3, 0), 1}, {"Pow64(2, 10)", Pow64(2, 10), 1024}, {"Pow64(0.9, 1)", Pow64(0.9, 1), 0.9},
		{"Pow64(0.5, 2000)", Pow64(0.5, 2000), 0}, {"Pow64(2, 2000)", Pow64(2, 2000), inf},
		{"Pow64(10000, -0.75)", Pow64(10000, -0.75), 1e-3}, {"Pow64(0.999, 1000)", Pow64(0.999, 1000), 0.36769542477096373},
	} {
		if c.got != c.want && !(c.got != c.got && c.want != c.want) {
			t.Errorf("%s = %v, want %v", c.name, c.got, c.want)
		}
	}
}
