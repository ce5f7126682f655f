package gguf

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/aries-serpent/codexml/internal/half"
)

// Dequantize turns a tensor's bytes into numbers, bit for bit as the Python package
// gguf does. dst must have as many elements as data holds. A type that is not read
// is an error.
func Dequantize(dst []float32, t Type, data []byte) error {
	if !t.Readable() {
		return fmt.Errorf("%v is a type whose numbers are not read here; read are %s: take another file of the same model", t, typeNames(ReadableTypes))
	}
	if size, ok := t.RowBytes(len(dst)); !ok || size != len(data) {
		panic(fmt.Sprintf("gguf: Dequantize: %d elements of %v do not take %d bytes", len(dst), t, len(data)))
	}
	switch t {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	case F16:
		for i := range dst {
			dst[i] = float16(data[2*i:])
		}
	case BF16:
		for i := range dst {
			dst[i] = half.BFloat16(binary.LittleEndian.Uint16(data[2*i:]))
		}
	default:
		info := t.info()
		for len(dst) > 0 {
			info.dequantize(dst[:info.size], data[:info.bytes])
			dst, data = dst[info.size:], data[info.bytes:]
		}
	}
	return nil
}

// float16 reads a number at the beginning of data.
func float16(data []byte) float32 { return half.Float16(binary.LittleEndian.Uint16(data)) }

// A block of the types with 32 elements: a scale, perhaps a minimum, perhaps the
// fifth bits, then the low halves. Element i is in the low four bits of byte i,
// element i+16 in the high four.

// dequantizeQ4_0: d*(q-8).
func dequantizeQ4_0(dst []float32, block []byte) {
	d := float16(block)
	for i, b := range block[2:18] {
		dst[i] = d * float32(int(b&15)-8)
		dst[i+16] = d * float32(int(b>>4)-8)
	}
}

// dequantizeQ4_1: d*q + m.
func dequantizeQ4_1(dst []float32, block []byte) {
	d, m := float16(block), float16(block[2:])
	for i, b := range block[4:20] {
		dst[i] = float32(d*float32(b&15)) + m
		dst[i+16] = float32(d*float32(b>>4)) + m
	}
}

// dequantizeQ5_0: d*(q-16).
func dequantizeQ5_0(dst []float32, block []byte) {
	d, high := float16(block), binary.LittleEndian.Uint32(block[2:])
	for i, b := range block[6:22] {
		dst[i] = d * float32(int(uint32(b&15)|high>>i&1<<4)-16)
		dst[i+16] = d * float32(int(uint32(b>>4)|high>>(i+16)&1<<4)-16)
	}
}

// dequantizeQ5_1: d*q + m.
func dequantizeQ5_1(dst []float32, block []byte) {
	d, m, high := float16(block), float16(block[2:]), binary.LittleEndian.Uint32(block[4:])
	for i, b := range block[8:24] {
		dst[i] = float32(d*float32(uint32(b&15)|high>>i&1<<4)) + m
		dst[i+16] = float32(d*float32(uint32(b>>4)|high>>(i+16)&1<<4)) + m
	}
}

// dequantizeQ8_0: d*q.
func dequantizeQ8_0(dst []float32, block []byte) {
	d := float16(block)
	for i, b := range block[2:34] {
		dst[i] = float32(int8(b)) * d
	}
}

// levelsIQ4 are the sixteen values that IQ4_NL chooses from.
var levelsIQ4 = [16]float32{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}

// dequantizeIQ4_NL: d*levels[q].
func dequantizeIQ4_NL(dst []float32, block []byte) {
	d := float16(block)
	for i, b := range block[2:18] {
		dst[i] = d * levelsIQ4[b&15]
		dst[i+16] = d * levelsIQ4[b>>4]
	}
}
