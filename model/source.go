package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aries-serpent/codexml/format/gguf"
	"github.com/aries-serpent/codexml/format/pytorch"
	"github.com/aries-serpent/codexml/format/safetensors"
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
	// Data is what the file has, row after row, where it is mapped so; else nil.
	Data []byte
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

// openSafetensors maps a file, or the files that an index names.
func openSafetensors(path string) (*tensors, error) {
	set, err := safetensors.OpenSet(path)
	if err != nil {
		return nil, err
	}
	s := &tensors{close: []func() error{set.Close}}
	for _, name := range set.Names() {
		t, data, _ := set.Find(name)
		x := SourceTensor{Name: name, Shape: t.Shape, Type: t.DType.String(), Bytes: t.End - t.Begin, Data: data}
		x.Read = func(dst []float32) error { return safetensors.ToFloat32(dst, t.DType, data) }
		if !t.DType.Float() {
			x.Refused = safetensors.ToFloat32(nil, t.DType, nil)
		}
		s.list = append(s.list, x)
	}
	return s, nil
}

// openPyTorch maps a file of torch.save, or the files that an index names.
func openPyTorch(path string) (*tensors, error) {
	set, err := pytorch.OpenSet(path)
	if err != nil {
		return nil, err
	}
	s := &tensors{close: []func() error{set.Close}}
	for _, name := range set.Names() {
		t, _ := set.Find(name)
		x := SourceTensor{Name: name, Shape: t.Shape, Type: t.DType}
		kind, ok := safetensors.ParseDType(t.DType)
		if x.Bytes = int64(t.Elements()) * kind.Bits() / 8; !ok || !kind.Float() {
			x.Refused = fmt.Errorf("%s is no floating-point type", t.DType)
		}
		x.Read = func(dst []float32) error { return safetensors.ToFloat32(dst, kind, t.Bytes()) }
		if t.Contiguous() {
			x.Data = t.Bytes()
		}
		s.list = append(s.list, x)
	}
	return s, nil
}

// ggufSource is an open GGUF file as a Source.
func ggufSource(f *gguf.File) *tensors {
	s := &tensors{close: []func() error{f.Close}}
	for _, t := range f.Tensors {
		x := SourceTensor{Name: t.Name, Shape: t.Shape, Type: t.Type.String(), Bytes: int64(len(t.Data)), Data: t.Data}
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
