//go:build interop

package gguf

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aries-serpent/codexml/internal/fsatomic"
	"github.com/aries-serpent/codexml/internal/testkit"
)

// peerTensor is what bench/peers/gguf_read.py says of a tensor.
type peerTensor struct {
	Name, Type string
	Shape      []int
	SHA256     string
}

// everyType writes a file with a matrix of each type that is written.
func everyType(t *testing.T, path string) {
	t.Helper()
	var tensors []Tensor
	for i, kind := range WritableTypes {
		x := bell(256*64, uint64(i)+1)
		tensors = append(tensors, Tensor{Name: "blk." + kind.String(), Shape: []int{16, 4, 256}, Type: kind, Data: quantized(t, kind, x)})
	}
	err := fsatomic.WriteFile(path, 0o644, func(out io.Writer) error {
		w, err := NewWriter(out, []KeyValue{{"general.architecture", "llama"}, {"general.alignment", uint32(64)}, {"x", []string{"a", ""}}}, tensors)
		for i := 0; i < len(tensors) && err == nil; i++ {
			err = w.WriteTensor(tensors[i].Data)
		}
		if err == nil {
			err = w.Close()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestInteropReads: the original reads what we write, all types, and gets the numbers
// that we get, bit for bit. CODEXML_GGUF names a further file to compare.
func TestInteropReads(t *testing.T) {
	paths := []string{filepath.Join(t.TempDir(), "types.gguf")}
	everyType(t, paths[0])
	if more := os.Getenv("CODEXML_GGUF"); more != "" {
		paths = append(paths, more)
	}
	var answers [][]peerTensor
	testkit.Peer(t, "gguf_read.py", paths, &answers)
	for i, path := range paths {
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(answers[i]) != len(f.Tensors) {
			t.Fatalf("%s: %d tensors, the original reads %d", path, len(f.Tensors), len(answers[i]))
		}
		for j, want := range answers[i] {
			got := f.Tensors[j]
			sum := fmt.Sprintf("%x", sha256.Sum256(floatBytes(dequantized(t, got.Type, got.Data))))
			if got.Name != want.Name || got.Type.String() != want.Type || !slices.Equal(got.Shape, want.Shape) || sum != want.SHA256 {
				t.Errorf("%s: got %s %v %v %s, the original %+v", path, got.Name, got.Type, got.Shape, sum, want)
			}
		}
		t.Logf("%s: %d tensors", path, len(f.Tensors))
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestInteropCommittedFiles: the committed files are what the original says today.
// -update rewrites them.
func TestInteropCommittedFiles(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command("../../bench/peers/python", "testdata/original.py", dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	for _, name := range []string{"blocks.txt", "numbers.txt", "hashes.txt", "files.txt", "values.txt"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		testkit.Golden(t, filepath.Join("testdata", name), string(got))
	}
}
