package model

import (
	"github.com/aries-serpent/codexml/format/pytorch"
	"github.com/aries-serpent/codexml/format/safetensors"
)

// openPytorch maps a file of torch.save, or the files that an index names.
func openPytorch(path string) (*tensors, error) {
	set, err := pytorch.OpenSet(path)
	if err != nil {
		return nil, err
	}
	s := &tensors{close: []func() error{set.Close}}
	for _, name := range set.Names() {
		t, _ := set.Find(name)
		dtype, _ := safetensors.ParseDType(t.DType) // its names are those
		x := SourceTensor{Name: name, Shape: t.Shape, Type: t.DType, Bytes: int64(t.Elements()) * dtype.Bits() / 8}
		x.Read = func(dst []float32) error { return safetensors.ToFloat32(dst, dtype, t.Bytes()) }
		if !dtype.Float() {
			x.Refused = safetensors.ToFloat32(nil, dtype, nil)
		}
		s.list = append(s.list, x)
	}
	return s, nil
}
