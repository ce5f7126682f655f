package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/aries-serpent/codexml/format/safetensors"
)

// fileMetadata is in the header of both tensor files; transformers wants it.
var fileMetadata = map[string]string{"format": "pt"}

func (t Tensor) describe() safetensors.Tensor {
	return safetensors.Tensor{Name: t.Name, DType: safetensors.F32, Shape: t.Shape}
}

func describe(tensors []Tensor) []safetensors.Tensor {
	out := make([]safetensors.Tensor, len(tensors))
	for i, t := range tensors {
		out[i] = t.describe()
	}
	return out
}

// SHA256 is the digest, in hexadecimal, of the file in which a checkpoint would
// keep the tensors: two sets of tensors have the same digest if names, shapes and
// bits are the same.
func SHA256(tensors []Tensor) string {
	own := sorted("SHA256", tensors)
	header, _, err := safetensors.EncodeHeader(describe(own), fileMetadata)
	if err != nil {
		panic("checkpoint: SHA256: " + err.Error())
	}
	return hashFile(header, own)
}

func hashFile(header []byte, tensors []Tensor) string {
	h := sha256.New()
	h.Write(header)
	for _, t := range tensors {
		hashValues(h, t.F32)
	}
	return sum(h)
}

func hashTensor(t Tensor) string {
	h := sha256.New()
	hashValues(h, t.F32)
	return sum(h)
}

func hashValues(h hash.Hash, values []float32) {
	_ = pieces(values, func(p []byte) error { _, err := h.Write(p); return err }) // a hash never fails
}

func sum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// run does jobs on the given number of goroutines, 0 for all processors, starting
// them in order. It returns the errors of all.
func run(threads int, jobs []func() error) error {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	var (
		wait sync.WaitGroup
		next atomic.Int64
		errs = make([]error, len(jobs))
	)
	for range min(threads, len(jobs)) {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(jobs)); i = next.Add(1) - 1 {
				errs[i] = jobs[i]()
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}
