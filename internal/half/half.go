// Package half converts the two floating-point types of 16 bits, float16 (IEEE 754)
// and bfloat16, as they lie in files. Readers and writers of tensor formats use it.
// Its functions depend on their arguments alone and are the same on every machine.
package half

import "math"

// Float16 widens a float16, exactly. A NaN keeps its payload.
func Float16(h uint16) float32 {
	sign, exponent, fraction := uint32(h&0x8000)<<16, uint32(h>>10&31), uint32(h&0x3ff)
	switch exponent {
	case 0:
		x := float32(fraction) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(x) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

// ToFloat16 rounds to a float16, nearest even; what is too large becomes an
// infinity.
func ToFloat16(x float32) uint16 {
	b := math.Float32bits(x)
	sign, b := uint16(b>>16&0x8000), b&0x7fffffff
	switch {
	case b > 0x7f800000:
		return sign | 0x7e00 | uint16(b>>13&0x3ff)
	case b >= 0x477ff000: // 65520: half way to the first that is too large
		return sign | 0x7c00
	case b < 0x38800000: // below the normal ones: adding 0.5 rounds at their last bit
		return sign | uint16(math.Float32bits(math.Float32frombits(b)+0.5)-0x3f000000)
	}
	return sign | uint16((b+0xfff+b>>13&1-112<<23)>>13)
}

// BFloat16 widens a bfloat16, exactly.
func BFloat16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// ToBFloat16 rounds to a bfloat16, nearest even; NaNs are quieted.
func ToBFloat16(x float32) uint16 {
	b := math.Float32bits(x)
	if b&0x7fffffff > 0x7f800000 {
		return uint16(b>>16) | 64
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}
