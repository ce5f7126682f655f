package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/aries-serpent/codexml/internal/half"
)

// ParseDType finds an element type by its name in a header, such as BF16.
func ParseDType(name string) (DType, bool) { return parseDType([]byte(name)) }

// Float says whether ToFloat32 reads the type.
func (d DType) Float() bool { return d == F64 || d == F32 || d == F16 || d == BF16 }

// ToFloat32 turns elements into float32 numbers: exactly, but that F64 is rounded.
// dst must have as many elements as data holds. A type that is no plain
// floating-point number is an error.
func ToFloat32(dst []float32, d DType, data []byte) error {
	if !d.Float() {
		return unreadable(d)
	}
	if int64(len(data)) != int64(len(dst))*d.Bits()/8 {
		panic(fmt.Sprintf("safetensors: ToFloat32: %d elements of %v do not take %d bytes", len(dst), d, len(data)))
	}
	switch d {
	case F64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:])))
		}
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	case F16:
		for i := range dst {
			dst[i] = half.Float16(binary.LittleEndian.Uint16(data[2*i:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = half.BFloat16(binary.LittleEndian.Uint16(data[2*i:]))
		}
	}
	return nil
}

func unreadable(d DType) error {
	switch d {
	case F8E4M3, F8E5M2, F8E4M3FNUZ, F8E5M2FNUZ, F8E8M0, F6E2M3, F6E3M2, F4:
		return fmt.Errorf("%v: weights of 8 bits and fewer in floating point are not read: take the model in BF16, F16 or F32, or a GGUF file", d)
	}
	return fmt.Errorf("%v is no floating-point type: want F64, F32, F16 or BF16", d)
}

// FromFloat32 turns numbers into elements, F32, F16 or BF16, nearest even. A number
// that a float16 cannot hold is an error.
func FromFloat32(dst []byte, d DType, src []float32) error {
	if d != F32 && d != F16 && d != BF16 {
		return fmt.Errorf("%v is not written from float32: want F32, F16 or BF16", d)
	}
	if int64(len(dst)) != int64(len(src))*d.Bits()/8 {
		panic(fmt.Sprintf("safetensors: FromFloat32: %d elements of %v do not take %d bytes", len(src), d, len(dst)))
	}
	for i, x := range src {
		switch d {
		case F32:
			binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(x))
		case BF16:
			binary.LittleEndian.PutUint16(dst[2*i:], half.ToBFloat16(x))
		case F16:
			h := half.ToFloat16(x)
			if h&0x7fff == 0x7c00 && !math.IsInf(float64(x), 0) {
				return fmt.Errorf("element %d is %v, F16 holds numbers from -65504 to 65504: take BF16 or F32", i, x)
			}
			binary.LittleEndian.PutUint16(dst[2*i:], h)
		}
	}
	return nil
}
