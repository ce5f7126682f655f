package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aries-serpent/codexml/format/gguf"
	"github.com/aries-serpent/codexml/format/safetensors"
	"github.com/aries-serpent/codexml/internal/mmap"
)

// Source is a file, or several, of named tensors. Its methods may be called from
// several goroutines at a time.
type Source interface {
	// Names lists the tensors, sorted.
	Names() []string
	// Find returns a tensor, if it is there.
	Find(name string) (SourceTensor, bool)
	// Close gives the files back; no tensor may be read afterwards.
	Close() error
}

// SourceTensor is a tensor of a Source.
type SourceTensor struct {
	Name  string
	Shape []int  // row-major
	Type  string // as the file calls its numbers
	// Bytes is what it takes in the file.
	Bytes int64
	// Refused says why its numbers cannot be read, or is nil.
	Refused error
	// Read fills dst, as long as the tensor.
	Read func(dst []float32) error
}

// tensors is a Source of a sorted list.
type tensors struct {
	list  []SourceTensor
	close []func() error
}

// Names implements Source.
func (s *tensors) Names() []string {
	names := make([]string, len(s.list))
	for i, t := range s.list {
		names[i] = t.Name
	}
	return names
}

// Find implements Source.
func (s *tensors) Find(name string) (SourceTensor, bool) {
	i, ok := slices.BinarySearchFunc(s.list, name, func(t SourceTensor, name string) int { return strings.Compare(t.Name, name) })
	if !ok {
		return SourceTensor{}, false
	}
	return s.list[i], true
}

// Close implements Source.
func (s *tensors) Close() error {
	var errs []error
	for _, f := range s.close {
		errs = append(errs, f())
	}
	s.close = nil
	return errors.Join(errs...)
}

func (s *tensors) sort() {
	slices.SortFunc(s.list, func(a, b SourceTensor) int { return strings.Compare(a.Name, b.Name) })
}

// prefix puts a prefix on all names but those for which whole is true, unless some
// have it: a base model's, which are saved without it.
func (s *tensors) prefix(prefix string, whole func(name string) bool) {
	for _, t := range s.list {
		if strings.HasPrefix(t.Name, prefix) {
			return
		}
	}
	for i, t := range s.list {
		if !whole(t.Name) {
			s.list[i].Name = prefix + t.Name
		}
	}
	s.sort()
}

// safetensorsTypes are the types of the format whose numbers are read.
var safetensorsTypes = map[safetensors.DType]gguf.Type{safetensors.F32: gguf.F32, safetensors.F16: gguf.F16, safetensors.BF16: gguf.BF16}

// openSafetensors maps a file.
func openSafetensors(path string) (*tensors, error) {
	data, unmap, err := mmap.Open(path)
	if err != nil {
		return nil, err
	}
	s := &tensors{close: []func() error{unmap}}
	f, err := safetensors.Parse(data)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), s.Close())
	}
	for _, t := range f.Tensors {
		x := SourceTensor{Name: t.Name, Shape: t.Shape, Type: t.DType.String(), Bytes: t.End - t.Begin}
		if kind, ok := safetensorsTypes[t.DType]; ok {
			x.Read = func(dst []float32) error { return gguf.Dequantize(dst, kind, f.Bytes(t)) }
		} else {
			x.Refused = fmt.Errorf("numbers of type %v are not read; F32, F16 and BF16 are", t.DType)
		}
		s.list = append(s.list, x)
	}
	s.sort()
	return s, nil
}

// ggufSource is an open GGUF file as a Source.
func ggufSource(f *gguf.File) *tensors {
	s := &tensors{close: []func() error{f.Close}}
	for _, t := range f.Tensors {
		x := SourceTensor{Name: t.Name, Shape: t.Shape, Type: t.Type.String(), Bytes: int64(len(t.Data))}
		if t.Type.Readable() {
			x.Read = func(dst []float32) error { return gguf.Dequantize(dst, t.Type, t.Data) }
		} else {
			x.Refused = fmt.Errorf("numbers of type %v are not read", t.Type)
		}
		s.list = append(s.list, x)
	}
	s.sort()
	return s
}
