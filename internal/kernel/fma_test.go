package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// exactSum is a*b + c without any rounding.
func exactSum(a, b, c float32) *big.Float {
	x := func(v float32) *big.Float { return new(big.Float).SetPrec(2000).SetFloat64(float64(v)) }
	p := new(big.Float).SetPrec(2000).Mul(x(a), x(b))
	return p.Add(p, x(c))
}

// zeroOf is the sign of an exact sum that is zero: negative only where both parts are.
func zeroOf(a, b, c float32) float32 {
	if math.Signbit(float64(a)) != math.Signbit(float64(b)) && math.Signbit(float64(c)) && (a == 0 || b == 0) {
		return float32(math.Copysign(0, -1))
	}
	return 0
}

func fmaBig(a, b, c float32) float32 {
	s := exactSum(a, b, c)
	if s.Sign() == 0 {
		return zeroOf(a, b, c)
	}
	f, _ := s.Float32()
	return f
}

func fmaFlushBig(a, b, c float32) float32 {
	a, b, c = dazBig(a), dazBig(b), dazBig(c)
	s := exactSum(a, b, c)
	if s.Sign() == 0 {
		return zeroOf(a, b, c)
	}
	s.SetMode(big.ToNearestEven).SetPrec(24) // any exponent
	if s.MantExp(nil) <= -126 {              // the mantissa is in [0.5, 1)
		return float32(math.Copysign(0, float64(s.Sign())))
	}
	f, _ := s.Float32()
	return f
}

func dazBig(x float32) float32 {
	if math.Abs(float64(x)) < 0x1p-126 {
		return float32(math.Copysign(0, float64(x)))
	}
	return x
}

// hardOperands returns three numbers whose sum is likely to lie near halfway
// between two float32 or near the smallest ones.
func hardOperands(r *rand.Rand) (a, b, c float32) {
	number := func(low, high int) float32 {
		m := 1 + float64(r.Uint32()>>9)/(1<<23)
		if r.IntN(3) == 0 { // few bits set: ties
			m = 1 + float64(r.IntN(16))/16 + float64(r.IntN(2))/(1<<23)
		}
		if r.IntN(2) == 0 {
			m = -m
		}
		return float32(math.Ldexp(m, low+r.IntN(high-low+1)))
	}
	switch r.IntN(6) {
	case 0: // denormal results
		return number(-80, -60), number(-80, -60), number(-149, -120)
	case 1: // the edge of the normal ones, with cancellation
		return number(-63, -62), number(-64, -63), number(-126, -125)
	case 2: // overflow
		return number(60, 64), number(60, 64), number(120, 127)
	case 3: // a product halfway below c's last bit
		return number(0, 0), number(-26, -22), number(0, 2)
	case 4:
		return number(-140, -120), number(-10, 120), float32(math.Copysign(0, float64(r.IntN(2))-0.5))
	}
	return number(-3, 3), number(-3, 3), number(-6, 6)
}

func TestFMAEqualsExactArithmetic(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300_000 {
		a, b, c := hardOperands(r)
		if got, want := fmaGeneric(a, b, c), fmaBig(a, b, c); math.Float32bits(got) != math.Float32bits(want) {
			t.Fatalf("fmaGeneric(%x, %x, %x): got %x, want %x", a, b, c, got, want)
		}
		if got, want := fmaFlush(a, b, c), fmaFlushBig(a, b, c); math.Float32bits(got) != math.Float32bits(want) {
			t.Fatalf("fmaFlush(%x, %x, %x): got %x, want %x", a, b, c, got, want)
		}
	}
}

func TestFMAOfZeros(t *testing.T) {
	minus := float32(math.Copysign(0, -1))
	for i := range 27 {
		of := []float32{0, minus, 1}
		a, b, c := of[i%3], of[i/3%3], of[i/9]
		if got, want := fmaGeneric(a, b, c), fmaBig(a, b, c); math.Float32bits(got) != math.Float32bits(want) {
			t.Errorf("fmaGeneric(%v, %v, %v): got %v, want %v", a, b, c, got, want)
		}
		if got, want := fmaFlush(a, b, c), fmaFlushBig(a, b, c); math.Float32bits(got) != math.Float32bits(want) {
			t.Errorf("fmaFlush(%v, %v, %v): got %v, want %v", a, b, c, got, want)
		}
	}
}

func TestFMAKeepsInfinitiesAndNaN(t *testing.T) {
	inf := float32(math.Inf(1))
	if got := fmaGeneric(inf, 2, 1); got != inf {
		t.Errorf("fmaGeneric(Inf, 2, 1): got %v, want Inf", got)
	}
	if got := fmaGeneric(inf, 0, 1); got == got {
		t.Errorf("fmaGeneric(Inf, 0, 1): got %v, want NaN", got)
	}
	if got := fmaFlush(inf, 1, -inf); got == got {
		t.Errorf("fmaFlush(Inf, 1, -Inf): got %v, want NaN", got)
	}
}
