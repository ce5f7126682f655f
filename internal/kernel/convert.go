package kernel

import "math"

// RoundBF16 rounds src to bfloat16, to nearest even. Denormals become zeros of
// their sign; NaNs are quieted and truncated.
func RoundBF16(dst []uint16, src []float32) {
	if len(dst) != len(src) {
		lengths("RoundBF16", len(dst), len(src))
	}
	ops.roundBF16(dst, src)
}

// WidenBF16 is src in float32, which is exact.
func WidenBF16(dst []float32, src []uint16) {
	if len(dst) != len(src) {
		lengths("WidenBF16", len(dst), len(src))
	}
	ops.widenBF16(dst, src)
}

func roundBF16Generic(dst []uint16, src []float32) {
	for i, x := range src {
		bits := math.Float32bits(x)
		switch {
		case bits&0x7f800000 == 0:
			bits &= 0x80000000
		case bits&0x7fffffff > 0x7f800000:
			bits |= 0x00400000
		default:
			bits += 0x7fff + bits>>16&1
		}
		dst[i] = uint16(bits >> 16)
	}
}

func widenBF16Generic(dst []float32, src []uint16) {
	for i, x := range src {
		dst[i] = widen(x)
	}
}
