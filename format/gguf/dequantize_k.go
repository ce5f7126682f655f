package gguf

import (
	"encoding/binary"

	"github.com/aries-serpent/codexml/internal/half"
)

// A block of the K types has 256 elements in groups of 16 or 32, each with a scale
// of a few bits that multiplies the block's float16 scale: (d*scale)*q, rounded at
// each product.

// dequantizeQ2_K: bytes 0-15 scales (low half) and minima (high), 16-79 the
// elements' two bits, 80 d, 82 dmin. Of the 32 bytes of a half, bit pair s holds
// elements 32s to 32s+31.
func dequantizeQ2_K(dst []float32, block []byte) {
	scales, d, dmin := block[:16], float16(block[80:]), float16(block[82:])
	for group, s := range scales {
		dl, ml := d*float32(s&15), dmin*float32(s>>4)
		from, shift := block[16+group/8*32+group%2*16:], group%8/2*2
		for i := range 16 {
			dst[16*group+i] = float32(dl*float32(from[i]>>shift&3)) - ml
		}
	}
}

// dequantizeQ3_K: bytes 0-31 the elements' high bits (one: nothing, none: minus 4),
// 32-95 the low two, 96-107 scales of six bits, 108 d.
func dequantizeQ3_K(dst []float32, block []byte) {
	d := float16(block[108:])
	low, high := block[96:104], block[104:108]
	for group := range 16 {
		scale := int(low[group%8]>>(group/8*4)&15|high[group%4]>>(group/4*2)&3<<4) - 32
		dl := d * float32(scale)
		mask, from := block[group%2*16:], block[32+group/8*32+group%2*16:]
		shift, bit := group%8/2*2, group/2
		for i := range 16 {
			q := int(from[i]>>shift&3) - int(^mask[i]>>bit&1)<<2
			dst[16*group+i] = dl * float32(q)
		}
	}
}

// scaleMin unpacks scale and minimum, six bits each, of group i of eight.
func scaleMin(packed []byte, i int) (scale, minimum byte) {
	if i < 4 {
		return packed[i] & 63, packed[i+4] & 63
	}
	return packed[i+4]&15 | packed[i-4]>>6<<4, packed[i+4]>>4 | packed[i]>>6<<4
}

// dequantizeQ4_K: 0 d, 2 dmin, bytes 4-15 scales and minima, 16-143 the elements:
// each 32 bytes hold a group in their low halves and the next in the high ones.
func dequantizeQ4_K(dst []float32, block []byte) {
	d, dmin := float16(block), float16(block[2:])
	for group := range 8 {
		s, m := scaleMin(block[4:16], group)
		dl, ml := d*float32(s), dmin*float32(m)
		from, shift, to := block[16+group/2*32:][:32], group%2*4, dst[32*group:][:32]
		for i, b := range from {
			to[i] = float32(dl*float32(b>>shift&15)) - ml
		}
	}
}

// dequantizeQ5_K: as Q4_K, with the elements' fifth bits in bytes 16-47 (group g in
// bit g) and the others in 48-175.
func dequantizeQ5_K(dst []float32, block []byte) {
	d, dmin := float16(block), float16(block[2:])
	for group := range 8 {
		s, m := scaleMin(block[4:16], group)
		dl, ml := d*float32(s), dmin*float32(m)
		from, high, shift, to := block[48+group/2*32:][:32], block[16:48], group%2*4, dst[32*group:][:32]
		for i, b := range from {
			to[i] = float32(dl*float32(b>>shift&15|high[i]>>group&1<<4)) - ml
		}
	}
}

// dequantizeQ6_K: bytes 0-127 the elements' low four bits, 128-191 the high two,
// 192-207 signed scales, 208 d. Per half of 128 elements: two runs of 32 low bytes, whose
// low halves are elements 0-63 and high ones 64-127; 32 high bytes, whose bit pair s
// belongs to elements 32s to 32s+31.
func dequantizeQ6_K(dst []float32, block []byte) {
	d := float16(block[208:])
	for group := range 16 {
		dl := d * float32(int8(block[192+group]))
		run := group / 2 // of 32 elements
		low, high := block[run/4*64+run%2*32+group%2*16:], block[128+run/4*32+group%2*16:]
		lowShift, highShift := run%4/2*4, run%4*2
		for i := range 16 {
			q := int(low[i]>>lowShift&15|high[i]>>highShift&3<<4) - 32
			dst[16*group+i] = dl * float32(q)
		}
	}
}

// float16At writes a float16 at the beginning of block and returns what it became.
func float16At(block []byte, x float32) float32 {
	h := half.ToFloat16(x)
	binary.LittleEndian.PutUint16(block, h)
	return half.Float16(h)
}
