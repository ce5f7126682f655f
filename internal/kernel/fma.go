package kernel

import "math"

// smallest is the smallest normal float32.
const smallest = 0x1p-126

// fmaGeneric is a*b + c rounded once to float32, for finite operands. It is the
// step of every float32 chain of the pure-Go tier; math.FMA works in float64 and
// rounds twice.
func fmaGeneric(a, b, c float32) float32 {
	s := float64(float64(a)*float64(b)) + float64(c) // the product is exact
	if edge(s) {
		return fmaEdge(a, b, c)
	}
	return float32(s)
}

// edge says whether rounding to float64 may have changed the rounding of s to
// float32: only halfway between two of those, or below the normal ones.
func edge(s float64) bool {
	bits := math.Float64bits(s)
	return bits<<35 == 1<<63 || bits<<1 < 897<<53
}

func fmaEdge(a, b, c float32) float32 { return float32(sumOdd(a, b, c)) }

// fmaFlush is the step of a bfloat16 chain, a*b + c as VDPBF16PS does it:
// denormal operands are zero, and a sum that is below the normal numbers after
// rounding to 24 bits with any exponent is a signed zero.
func fmaFlush(a, b, c float32) float32 {
	a, b, c = flushed(a), flushed(b), flushed(c)
	s := float64(float64(a)*float64(b)) + float64(c)
	if edge(s) {
		return fmaFlushEdge(a, b, c)
	}
	return float32(s)
}

func fmaFlushEdge(a, b, c float32) float32 {
	bits := math.Float64bits(sumOdd(a, b, c))
	s := math.Float64frombits((bits + 0x0fffffff + bits>>29&1) &^ 0x1fffffff)
	if math.Abs(s) < smallest {
		s = math.Copysign(0, s)
	}
	return float32(s)
}

// flushed is x, or a zero of its sign if it is denormal.
func flushed(x float32) float32 {
	if bits := math.Float32bits(x); bits&0x7f800000 == 0 {
		return math.Float32frombits(bits & 0x80000000)
	}
	return x
}

// sumOdd is a*b + c in float64, rounded to odd: rounding that again, to float32,
// gives what one rounding would have given.
func sumOdd(a, b, c float32) float64 {
	x, y := float64(float64(a)*float64(b)), float64(c)
	s := x + y
	t := s - x // TwoSum: e is what s lost
	e := (x - (s - t)) + (y - t)
	if bits := math.Float64bits(s); e != 0 && bits&1 == 0 {
		if (e > 0) == (s > 0) {
			return math.Float64frombits(bits + 1)
		}
		return math.Float64frombits(bits - 1)
	}
	return s
}

// widen is a bfloat16 as float32.
func widen(x uint16) float32 { return math.Float32frombits(uint32(x) << 16) }
