// Package checkpoint keeps the state of a training run on disk so that nothing is
// lost: a checkpoint is a folder that is there whole or not at all, every byte of
// it is hashed, what is read is verified, and a damaged newest one gives way to the
// one before.
//
// A Store is the folder checkpoints of a run:
//
//	step-N/model.safetensors      weights, float32, sorted by name
//	step-N/optimizer.safetensors  the optimiser's state, likewise
//	step-N/meta.json              everything else, see Meta
//	last                          name of the newest, a line of text, for people and scripts
//	best.json                     {"items":[{"step","metrics","path"}, ...]}, best first
//
// The newest is the one saved last. After a restart from an older step it need not
// be the one of the highest step: meta.json counts the saves, and a checkpoint is
// saved as soon as its folder has its name.
//
// No generator state is stored: random numbers are a function of seed and step.
//
// Digests: a tensor's is the SHA-256 of its little-endian float32 bytes, a file's
// the SHA-256 of the file (what sha256sum prints), and a checkpoint's the SHA-256
// of meta.json in canonical form without its member digest. As meta.json holds the
// digests of files and tensors, that one covers the whole checkpoint. The two
// tensor files depend on names, shapes and values alone.
//
// The trainer saves and resumes; the checkpoint, generate and resume commands read.
// The package knows named tensors only. A Store may be used from several
// goroutines; one process at a time may save to a folder, any number may read.
package checkpoint

import (
	"fmt"
	"slices"
	"strings"
)

// The files of a checkpoint.
const (
	ModelFile     = "model.safetensors"
	OptimizerFile = "optimizer.safetensors"
	MetaFile      = "meta.json"
)

// Tensor is a named tensor, row-major.
type Tensor struct {
	Name  string
	Shape []int // empty for a scalar
	F32   []float32
}

// State is what a checkpoint holds.
type State struct {
	Step, Epoch int
	Weights     []Tensor
	Optimizer   []Tensor
	Meta        Meta
}

// sorted returns the tensors sorted by name, in a new slice that shares the data.
// Tensors that cannot be stored are the caller's bug.
func sorted(caller string, tensors []Tensor) []Tensor {
	out := slices.Clone(tensors)
	slices.SortFunc(out, func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	for i, t := range out {
		if i > 0 && t.Name == out[i-1].Name {
			panic(fmt.Sprintf("checkpoint: %s: tensor %q comes twice", caller, t.Name))
		}
		if n, ok := t.describe().Bytes(); !ok || n != 4*int64(len(t.F32)) {
			panic(fmt.Sprintf("checkpoint: %s: tensor %q of shape %v has %d values", caller, t.Name, t.Shape, len(t.F32)))
		}
	}
	return out
}
