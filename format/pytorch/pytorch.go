// Package pytorch reads the files that torch.save writes (.bin, .pt, .pth): a zip
// archive of a pickle and of tensors' bytes. A pickle is a program; the machine here
// knows only the instructions and the few names with which torch describes tensors,
// and refuses all others by name, so nothing in a file can run. Bytes are mapped and
// never copied, other than those of a tensor that does not lie in order.
//
// model and cli/model use it. Files are checked before anything is allocated by what
// they claim: a pickle has at most MaxPickle bytes and may make MaxObjects things. A
// Set is safe for concurrent use until it is closed; results depend on the files alone.
package pytorch

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

const (
	// MaxPickle is the largest pickle that is read, in bytes.
	MaxPickle = 32 << 20
	// MaxObjects is how many things a pickle may make.
	MaxObjects = 1 << 20
	// MaxRank is the largest number of dimensions.
	MaxRank = 32
)

// ErrFormat is wrapped by every error about what a file contains.
var ErrFormat = errors.New("not a PyTorch file of tensors alone")

func formatError(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrFormat, fmt.Errorf(format, args...))
}

// storageTypes are torch's classes, with the name that safetensors has for the
// element type, and its size.
var storageTypes = map[string]struct {
	dtype string
	size  int
}{
	"DoubleStorage": {"F64", 8}, "FloatStorage": {"F32", 4}, "HalfStorage": {"F16", 2}, "BFloat16Storage": {"BF16", 2}, "LongStorage": {"I64", 8},
	"IntStorage": {"I32", 4}, "ShortStorage": {"I16", 2}, "CharStorage": {"I8", 1}, "ByteStorage": {"U8", 1}, "BoolStorage": {"BOOL", 1},
}

// Tensor is a tensor of a file.
type Tensor struct {
	Name  string
	DType string // as safetensors calls it: F32, BF16, I64
	Shape []int  // empty for a scalar
	// Stride is the distance, in elements, of neighbours along each dimension.
	Stride []int

	size int    // of an element
	data []byte // from the first element on
}

// Elements is the number of elements.
func (t Tensor) Elements() int {
	n := 1
	for _, dim := range t.Shape {
		n *= dim
	}
	return n
}

// Contiguous says whether the elements lie row after row.
func (t Tensor) Contiguous() bool {
	want := 1
	for i := len(t.Shape) - 1; i >= 0; i-- {
		if t.Shape[i] != 1 && t.Stride[i] != want {
			return t.Elements() == 0
		}
		want *= t.Shape[i]
	}
	return true
}

// Bytes returns the elements row after row: mapped where they lie so, else copied.
func (t Tensor) Bytes() []byte {
	n := t.Elements() * t.size
	if t.Contiguous() {
		return t.data[:n:n]
	}
	out := make([]byte, 0, n)
	return t.appendRows(out, 0, 0)
}

func (t Tensor) appendRows(out []byte, dim, at int) []byte {
	if dim == len(t.Shape) {
		return append(out, t.data[at*t.size:][:t.size]...)
	}
	for range t.Shape[dim] {
		out = t.appendRows(out, dim+1, at)
		at += t.Stride[dim]
	}
	return out
}

// newTensor checks a view of a storage.
func newTensor(s *storage, offset int64, shape, stride []int64) (*Tensor, error) {
	if len(shape) != len(stride) || len(shape) > MaxRank {
		return nil, formatError("a tensor has %d sizes and %d strides, want as many, at most %d", len(shape), len(stride), MaxRank)
	}
	t := &Tensor{DType: s.dtype, size: s.size, Shape: make([]int, len(shape)), Stride: make([]int, len(shape))}
	total := uint64(s.count)
	count, last := uint64(1), uint64(0) // elements; the last one's place
	fits := true
	for i := range shape {
		if shape[i] < 0 || stride[i] < 0 || shape[i] > math.MaxInt || stride[i] > math.MaxInt {
			return nil, formatError("a tensor has shape %v and strides %v", shape, stride)
		}
		t.Shape[i], t.Stride[i] = int(shape[i]), int(stride[i])
		high, n := bits.Mul64(count, uint64(shape[i]))
		top, step := bits.Mul64(uint64(max(shape[i], 1)-1), uint64(stride[i]))
		sum, carry := bits.Add64(last, step, 0)
		fits = fits && high == 0 && n <= total && top == 0 && carry == 0 && sum < total
		count, last = n, sum
	}
	if slices.Contains(shape, 0) {
		return t, nil
	}
	if !fits {
		return nil, formatError("a tensor of shape %v and strides %v does not fit its storage of %d elements (one that was expanded must be saved as its clone)", shape, stride, total)
	}
	if offset < 0 || uint64(offset) >= total || uint64(offset)+last >= total {
		return nil, formatError("a tensor of shape %v begins at element %d of a storage of %d", shape, offset, total)
	}
	t.data = s.data[int(offset)*s.size:]
	return t, nil
}
