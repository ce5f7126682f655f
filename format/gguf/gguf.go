// Package gguf reads and writes GGUF, the file format of llama.cpp: typed metadata
// and named tensors, many of them quantised. Versions 2 and 3 are read, 3 is
// written. It turns quantised blocks into float32 numbers and back; what the
// numbers mean is its callers' business (model, tokenizer, cli/model).
//
// Files are mapped: opening costs the same at any size, and tensors' bytes are
// never copied. Everything that a file claims is checked before anything is
// allocated by it. What is dequantised equals, bit for bit, what the Python package
// gguf 0.19 gives. A File is safe for concurrent use until it is closed, a Writer is
// not. Output depends on the arguments alone.
package gguf

import (
	"errors"
	"fmt"
)

const (
	magic = "GGUF"
	// Version is the version that is written.
	Version = 3
	// DefaultAlignment is where tensors begin, in bytes, if the metadata does not say.
	DefaultAlignment = 32
	// MaxRank is the largest number of dimensions, ggml's limit.
	MaxRank = 4
)

// ErrFormat is wrapped by every error about what a file contains.
var ErrFormat = errors.New("not a valid GGUF file")

// ErrMissing is wrapped where metadata that is asked for is not there.
var ErrMissing = errors.New("metadata is missing")

func formatError(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrFormat, fmt.Errorf(format, args...))
}

// Tensor is a tensor of a file.
type Tensor struct {
	Name string
	// Shape is row-major, the outermost dimension first: the reverse of the file's
	// order. A quantised block lies within the last dimension. Empty for a scalar.
	Shape []int
	Type  Type
	// Data are its bytes, in the mapped file. A Writer takes them from elsewhere.
	Data []byte
}

// Elements is the number of elements.
func (t Tensor) Elements() int {
	n := 1
	for _, dim := range t.Shape {
		n *= dim
	}
	return n
}
