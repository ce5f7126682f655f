// Package safetensors reads and writes the safetensors format: a length, a JSON
// header that names tensors with their type, shape and place, and their bytes. It
// knows raw bytes and nothing of numbers. What it accepts is what the Python
// package safetensors 0.8 accepts, apart from a name that comes twice and more
// than MaxRank dimensions; what it writes is what that package writes.
//
// Checkpoints, adapters and model imports use it. Reading checks all of a header
// before anything is allocated by it. A File is safe for concurrent use, a Writer
// is not. Output depends on the arguments alone.
package safetensors

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
)

const (
	// MaxHeader is the largest header, the original's limit.
	MaxHeader = 100_000_000
	// MaxRank is the largest number of dimensions.
	MaxRank = 32
)

// ErrFormat is wrapped by every error about what a file contains.
var ErrFormat = errors.New("not a valid safetensors file")

func formatError(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrFormat, fmt.Errorf(format, args...))
}

// Tensor is what a header says about a tensor.
type Tensor struct {
	Name  string
	DType DType
	Shape []int // empty for a scalar
	// Begin and End are where its bytes are, counted from the end of the header. A
	// Writer finds them itself.
	Begin, End int64
}

// Bytes is the size that type and shape ask for; false if it does not fit an int64
// or is no whole number of bytes.
func (t Tensor) Bytes() (int64, bool) {
	n := uint64(1)
	for _, dim := range t.Shape {
		if dim < 0 {
			return 0, false
		}
		high, low := bits.Mul64(n, uint64(dim))
		if high != 0 {
			return 0, false
		}
		n = low
	}
	high, low := bits.Mul64(n, uint64(t.DType.Bits()))
	if high != 0 || low/8 > math.MaxInt64 || low%8 != 0 {
		return 0, false
	}
	return int64(low / 8), true
}
