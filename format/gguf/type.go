package gguf

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// Type is an element type of a tensor, by its number in the format.
type Type uint32

// The types. Those without a comment are read; see Readable and Writable.
const (
	F32    Type = 0
	F16    Type = 1
	Q4_0   Type = 2
	Q4_1   Type = 3
	Q5_0   Type = 6
	Q5_1   Type = 7
	Q8_0   Type = 8
	Q2_K   Type = 10
	Q3_K   Type = 11
	Q4_K   Type = 12
	Q5_K   Type = 13
	Q6_K   Type = 14
	IQ4_NL Type = 20
	I8     Type = 24 // listed, not numbers of a model
	I16    Type = 25 // listed, not numbers of a model
	I32    Type = 26 // listed, not numbers of a model
	I64    Type = 27 // listed, not numbers of a model
	F64    Type = 28 // listed, not read
	BF16   Type = 30
)

// superBlock is the number of elements in a block of the K types.
const superBlock = 256

type typeInfo struct {
	name       string
	size       int // elements in a block; 0: the type does not exist
	bytes      int // of a block
	dequantize func(dst []float32, block []byte)
	quantize   func(block []byte, src []float32)
}

// types is indexed by Type. A name without a size is a type that llama.cpp had and
// took back.
var types = [...]typeInfo{
	F32: {"F32", 1, 4, nil, nil}, F16: {"F16", 1, 2, nil, nil}, BF16: {"BF16", 1, 2, nil, nil},
	Q4_0: {"Q4_0", 32, 18, dequantizeQ4_0, quantizeQ4_0}, Q4_1: {"Q4_1", 32, 20, dequantizeQ4_1, quantizeQ4_1},
	4: {name: "Q4_2"}, 5: {name: "Q4_3"},
	Q5_0: {"Q5_0", 32, 22, dequantizeQ5_0, nil}, Q5_1: {"Q5_1", 32, 24, dequantizeQ5_1, nil},
	Q8_0: {"Q8_0", 32, 34, dequantizeQ8_0, quantizeQ8_0}, 9: {name: "Q8_1", size: 32, bytes: 40},
	Q2_K: {"Q2_K", superBlock, 84, dequantizeQ2_K, nil}, Q3_K: {"Q3_K", superBlock, 110, dequantizeQ3_K, nil},
	Q4_K: {"Q4_K", superBlock, 144, dequantizeQ4_K, quantizeQ4_K}, Q5_K: {"Q5_K", superBlock, 176, dequantizeQ5_K, nil},
	Q6_K: {"Q6_K", superBlock, 210, dequantizeQ6_K, quantizeQ6_K}, 15: {name: "Q8_K", size: superBlock, bytes: 292},
	16: {name: "IQ2_XXS", size: superBlock, bytes: 66}, 17: {name: "IQ2_XS", size: superBlock, bytes: 74}, 18: {name: "IQ3_XXS", size: superBlock, bytes: 98},
	19: {name: "IQ1_S", size: superBlock, bytes: 50}, IQ4_NL: {"IQ4_NL", 32, 18, dequantizeIQ4_NL, nil}, 21: {name: "IQ3_S", size: superBlock, bytes: 110},
	22: {name: "IQ2_S", size: superBlock, bytes: 82}, 23: {name: "IQ4_XS", size: superBlock, bytes: 136},
	I8: {name: "I8", size: 1, bytes: 1}, I16: {name: "I16", size: 1, bytes: 2}, I32: {name: "I32", size: 1, bytes: 4}, I64: {name: "I64", size: 1, bytes: 8},
	F64: {name: "F64", size: 1, bytes: 8}, 29: {name: "IQ1_M", size: superBlock, bytes: 56},
	31: {name: "Q4_0_4_4"}, 32: {name: "Q4_0_4_8"}, 33: {name: "Q4_0_8_8"},
	34: {name: "TQ1_0", size: superBlock, bytes: 54}, 35: {name: "TQ2_0", size: superBlock, bytes: 66},
	36: {name: "IQ4_NL_4_4"}, 37: {name: "IQ4_NL_4_8"}, 38: {name: "IQ4_NL_8_8"},
	39: {name: "MXFP4", size: 32, bytes: 17}, 40: {name: "NVFP4", size: 64, bytes: 36}, 41: {name: "Q1_0", size: 128, bytes: 18},
}

func (t Type) info() typeInfo {
	if int(t) >= len(types) {
		return typeInfo{}
	}
	return types[t]
}

// String is the type's name in llama.cpp.
func (t Type) String() string {
	if name := t.info().name; name != "" {
		return name
	}
	return fmt.Sprintf("type %d", uint32(t))
}

// ParseType finds a type by its name, in upper or lower case.
func ParseType(name string) (Type, bool) {
	for i, info := range types {
		if info.size > 0 && strings.EqualFold(info.name, name) {
			return Type(i), true
		}
	}
	return 0, false
}

// BlockSize is the number of elements that are stored together: 1 for plain types.
func (t Type) BlockSize() int { return t.info().size }

// BlockBytes is the number of bytes of a block.
func (t Type) BlockBytes() int { return t.info().bytes }

// Readable says whether Dequantize reads the type.
func (t Type) Readable() bool { return t.plain() || t.info().dequantize != nil }

// Writable says whether Quantize writes the type.
func (t Type) Writable() bool { return t.plain() || t.info().quantize != nil }

// plain says whether an element stands for itself.
func (t Type) plain() bool { return t == F32 || t == F16 || t == BF16 }

// Readable and writable types, for messages and help.
var (
	ReadableTypes = typesThat(Type.Readable)
	WritableTypes = typesThat(Type.Writable)
)

func typesThat(can func(Type) bool) (out []Type) {
	for i := range types {
		if can(Type(i)) {
			out = append(out, Type(i))
		}
	}
	return out
}

// typeNames joins types' names.
func typeNames(list []Type) string {
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = t.String()
	}
	return strings.Join(names, " ")
}

// RowBytes is the size of n elements that lie side by side; false if they are no
// whole number of blocks or the size does not fit.
func (t Type) RowBytes(n int) (int, bool) {
	info := t.info()
	if n < 0 || info.size == 0 || n%info.size != 0 {
		return 0, false
	}
	high, low := bits.Mul64(uint64(n/info.size), uint64(info.bytes))
	return int(low), high == 0 && low <= math.MaxInt
}

// size is the number of bytes of a tensor.
func (t Tensor) size() (int, error) {
	if t.Type.info().size == 0 {
		return 0, fmt.Errorf("tensor %.100q is of %v, which is not known here; known types: %s", t.Name, t.Type, typeNames(ReadableTypes))
	}
	last := 1
	if n := len(t.Shape); n > 0 {
		last = t.Shape[n-1]
	}
	row, ok := t.Type.RowBytes(last)
	if !ok {
		return 0, fmt.Errorf("tensor %.100q: %v of shape %v: the last dimension is no multiple of the block of %d elements", t.Name, t.Type, t.Shape, t.Type.BlockSize())
	}
	for _, dim := range t.Shape[:max(0, len(t.Shape)-1)] {
		high, low := bits.Mul64(uint64(row), uint64(dim))
		if dim < 0 || high != 0 || low > math.MaxInt {
			return 0, fmt.Errorf("tensor %.100q: %v of shape %v has more bytes than this machine has addresses", t.Name, t.Type, t.Shape)
		}
		row = int(low)
	}
	return row, nil
}
