// Package tensor holds the engine's storage: element types, row-major matrices
// and the arena that a training step takes them from. It knows no layers and no
// names. An Arena belongs to one goroutine; everything here is deterministic.
package tensor

import "fmt"

// DType is an element type.
type DType uint8

const (
	F32  DType = iota // float32
	BF16              // bfloat16, kept in uint16
)

// Size is the number of bytes of an element.
func (d DType) Size() int { return []int{4, 2}[d] }

func (d DType) String() string { return []string{"float32", "bfloat16"}[d] }

// ParseDType reads the name of an element type; the usual short names are accepted.
func ParseDType(name string) (DType, error) {
	switch name {
	case "float32", "fp32", "float", "f32":
		return F32, nil
	case "bfloat16", "bf16":
		return BF16, nil
	}
	return 0, fmt.Errorf("dtype: want float32 or bfloat16, got %q", name)
}

// Tensor is a row-major matrix of Rows x Cols elements, without gaps. Exactly one
// of F32 and BF16 is set, by DType; the zero Tensor is empty.
type Tensor struct {
	DType      DType
	Rows, Cols int
	F32        []float32
	BF16       []uint16
}

// Len is the number of elements.
func (t Tensor) Len() int { return t.Rows * t.Cols }

// IsZero says whether t holds nothing.
func (t Tensor) IsZero() bool { return t.F32 == nil && t.BF16 == nil }

// Slice returns rows [lo, hi), sharing storage.
func (t Tensor) Slice(lo, hi int) Tensor {
	if lo < 0 || hi < lo || hi > t.Rows {
		panic(fmt.Sprintf("tensor: Slice: rows %d:%d of %d", lo, hi, t.Rows))
	}
	s := t
	s.Rows = hi - lo
	if t.DType == F32 {
		s.F32 = t.F32[lo*t.Cols : hi*t.Cols]
	} else {
		s.BF16 = t.BF16[lo*t.Cols : hi*t.Cols]
	}
	return s
}

// FromF32 wraps data as rows x cols float32.
func FromF32(data []float32, rows, cols int) Tensor {
	return Tensor{DType: F32, Rows: rows, Cols: cols, F32: data[:rows*cols]}
}
