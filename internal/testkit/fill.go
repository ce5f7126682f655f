package testkit

import "math"

// Hash fills dst with (h/2^32 - 0.5) * scale, where h = (i*2654435761 + salt)
// mod 2^32 after one round of mixing: values that any language can make again
// without a file. model/testdata/torch_common.py makes the same ones.
func Hash(dst []float32, salt uint32, scale float64) {
	for i := range dst {
		h := mix(uint32(i)*2654435761 + salt)
		dst[i] = float32((float64(h)/(1<<32) - 0.5) * scale)
	}
}

// mix spreads a counter's bits, so that rows of a matrix are not shifts of one
// another (the finaliser of MurmurHash3).
func mix(h uint32) uint32 {
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}

// Specials are the float32 values that arithmetic trips over: zeros, the edges
// of the denormals, of bfloat16 and of the range, and the infinities and NaN.
func Specials() []float32 {
	var all []float32
	for _, b := range []uint32{
		0, 1, 0x007fffff, 0x00800000, 0x00800001, 0x00ffffff, // denormals and their edge
		0x3f7fffff, 0x3f800000, 0x3f808000, 0x3f818000, 0x3f807fff, // ties of the rounding to bfloat16
		0x7f7f8000, 0x7f7fffff, 0x7f800000, // the largest, infinity
	} {
		all = append(all, math.Float32frombits(b), math.Float32frombits(b|1<<31))
	}
	return append(all, math.Float32frombits(0x7fc00000))
}
