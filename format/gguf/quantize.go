package gguf

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/aries-serpent/codexml/internal/half"
)

// maxHalf is the largest float16.
const maxHalf = 65504

// Quantize turns numbers into a tensor's bytes. dst must have as many bytes as src
// takes. Numbers that the type cannot hold (not finite, or beyond a float16, which
// scales are) are an error, and so is a type that is not written. Q8_0, Q4_0 and Q4_1
// come out as the Python package gguf writes them, Q4_K and Q6_K by a search of our own.
func Quantize(dst []byte, t Type, src []float32) error {
	if !t.Writable() {
		return fmt.Errorf("%v is not written; written are %s", t, typeNames(WritableTypes))
	}
	if size, ok := t.RowBytes(len(src)); !ok || size != len(dst) {
		panic(fmt.Sprintf("gguf: Quantize: %d elements of %v do not take %d bytes", len(src), t, len(dst)))
	}
	if t != F32 && t != BF16 {
		for i, x := range src {
			if !(x >= -maxHalf && x <= maxHalf) {
				return fmt.Errorf("element %d is %v, %v holds numbers from -%d to %d: keep this tensor in F32", i, x, t, maxHalf, maxHalf)
			}
		}
	}
	switch t {
	case F32:
		for i, x := range src {
			binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(x))
		}
	case F16:
		for i, x := range src {
			binary.LittleEndian.PutUint16(dst[2*i:], half.ToFloat16(x))
		}
	case BF16:
		for i, x := range src {
			binary.LittleEndian.PutUint16(dst[2*i:], half.ToBFloat16(x))
		}
	default:
		info := t.info()
		for len(src) > 0 {
			info.quantize(dst[:info.bytes], src[:info.size])
			dst, src = dst[info.bytes:], src[info.size:]
		}
	}
	return nil
}

// inverse is 1/d, or 0 where that has no use: d is 0, or so small that it becomes 0
// as a float16.
func inverse(d float32) float32 {
	if id := 1 / d; !math.IsInf(float64(id), 0) {
		return id
	}
	return 0
}

// largest returns the element with the largest absolute value, the first of several.
func largest(src []float32) float32 {
	x := src[0]
	for _, v := range src[1:] {
		if abs(v) > abs(x) {
			x = v
		}
	}
	return x
}

func abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

// quantizeQ8_0 scales by the largest element to -127..127.
func quantizeQ8_0(block []byte, src []float32) {
	d := abs(largest(src)) / 127
	id := inverse(d)
	float16At(block, d)
	for i, x := range src {
		block[2+i] = byte(int8(roundAway(x * id)))
	}
}

// roundAway rounds to the nearest whole number, halves away from zero.
func roundAway(x float32) int {
	n := int(abs(x) + 0.5)
	if abs(x) < 0.5 { // 0.49999997 + 0.5 is 1
		n = 0
	}
	if x < 0 {
		return -n
	}
	return n
}

// quantizeQ4_0 makes the largest element -8.
func quantizeQ4_0(block []byte, src []float32) {
	d := largest(src) / -8
	id := inverse(d)
	float16At(block, d)
	packHalves(block[2:18], src, func(x float32) byte { return byte(min(15, int(float32(x*id)+8.5))) })
}

// quantizeQ4_1 spreads 0..15 between the least and the greatest element.
func quantizeQ4_1(block []byte, src []float32) {
	low, high := src[0], src[0]
	for _, x := range src {
		low, high = min(low, x), max(high, x)
	}
	d := (high - low) / 15
	id := inverse(d)
	float16At(block, d)
	float16At(block[2:], low)
	packHalves(block[4:20], src, func(x float32) byte { return byte(min(15, int(float32((x-low)*id)+0.5))) })
}

// packHalves writes 32 elements of four bits.
func packHalves(dst []byte, src []float32, quant func(float32) byte) {
	for i := range dst {
		dst[i] = quant(src[i]) | quant(src[i+16])<<4
	}
}
