package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/format/safetensors"
	"github.com/aries-serpent/codexml/internal/fsatomic/faultfs"
)

// allocated is the number of bytes that call allocates.
func allocated(call func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// allowance is what reading allocates for any file: buffers, errors, the metrics.
const allowance = 64 << 10

// goodMeta is the text of a meta.json with everything in it.
func goodMeta(tb testing.TB) []byte {
	tb.Helper()
	s := newStore(tb, "", Options{BestMetric: "val_loss"})
	state := newState(3)
	state.Meta.ConfigSnapshot = []byte(`{"a":{"b":[1,2.5,"x"]}}`)
	state.Meta.Notes, state.Meta.Environment = "note", []byte(`{"go":"1.26"}`)
	save(tb, s, state)
	return []byte(read(tb, s, "step-3", MetaFile))
}

// sealed completes the members of a meta.json with version and digest.
func sealed(tb testing.TB, members string) []byte {
	tb.Helper()
	text := `{"schema_version":"1.0","digest": "` + strings.Repeat("0", 64) + `",` + members + `}`
	digest, err := digestOf([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return []byte(strings.Replace(text, strings.Repeat("0", 64), digest, 1))
}

// TestMetaMemory: texts made to ask for much get at most 4 times their size.
func TestMetaMemory(t *testing.T) {
	const size = 1 << 18
	repeat := func(open, item, end string) string {
		return open + strings.Repeat(item+",", size/(len(item)+1)) + item + end
	}
	hash := strings.Repeat("0", 64)
	file := `"files":[{"file":"f","bytes":1,"sha256":"` + hash + `","tensors":[`
	dims := strings.Repeat("1,", 31) + "1"
	var names strings.Builder
	for i := 0; names.Len() < size; i++ {
		fmt.Fprintf(&names, `"%x":1,`, i)
	}
	for name, members := range map[string]string{
		"tensors":    repeat(file, `{"name":"","dtype":"","shape":[],"sha256":"`+hash+`"}`, `]}]`),
		"dimensions": repeat(file, `{"name":"","dtype":"","shape":[`+dims+`],"sha256":"`+hash+`"}`, `]}]`),
		"no tensors": repeat(file, `{}`, `]}]`),
		"files":      repeat(`"files":[`, `{}`, `]`),
		"metrics":    `"metrics":{` + names.String() + `"":1}`,
		"unknown":    `"other":{` + names.String() + `"":1}`,
		"lists":      repeat(`"extra":{"x":[`, `[]`, `]}`),
		"snapshot":   `"config_snapshot":{` + names.String() + `"":1}`,
		"a string":   `"notes":"` + strings.Repeat(`\n`, size/2) + `"`,
	} {
		text := sealed(t, members)
		var err error
		got := allocated(func() { _, err = parseMeta(bytes.Clone(text)) }) // the clone stands for the file's text
		if refused := name == "no tensors" || name == "files" || name == "metrics"; refused != (err != nil) {
			t.Errorf("%s: %v", name, err)
		}
		if got > 4*int64(len(text))+allowance {
			t.Errorf("%s: %d bytes allocated for a text of %d", name, got, len(text))
		}
	}
}

// TestSaveDoesNotCopy: saving and reading into tensors that are there allocates
// little, whatever their size.
func TestSaveDoesNotCopy(t *testing.T) {
	if !littleEndian {
		t.Skip("this machine converts")
	}
	s, err := New(faultfs.TempDir(t), Options{}) // without faultfs, which keeps copies
	if err != nil {
		t.Fatal(err)
	}
	state := State{Weights: []Tensor{{"w", []int{4 << 20}, make([]float32, 4<<20)}}}
	if got := allocated(func() { save(t, s, state) }); got > 1<<20 {
		t.Errorf("Save allocated %d bytes for 16 MiB", got)
	}
	c, err := s.Open("0")
	if err != nil {
		t.Fatal(err)
	}
	if got := allocated(func() { err = c.ReadInto(state.Weights, nil) }); err != nil || got > 1<<20 {
		t.Errorf("ReadInto allocated %d bytes for 16 MiB, %v", got, err)
	}
	if got := allocated(func() { err = c.Verify() }); err != nil || got > 1<<20 {
		t.Errorf("Verify allocated %d bytes for 16 MiB, %v", got, err)
	}
}

// FuzzMeta: no panic, no allocation beyond 4 times the text, and what is accepted
// has the digest it says.
func FuzzMeta(f *testing.F) {
	good := goodMeta(f)
	f.Add(good)
	f.Add([]byte(`{}`))
	f.Add(sealed(f, `"step":1,"metrics":{"a":1e308},"metric_value":-0.0,"extra":{"\ud83d\ude00":null}`))
	f.Add(sealed(f, `"files":[{"file":"x","bytes":9223372036854775807,"sha256":"`+strings.Repeat("f", 64)+`","tensors":[]}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var m Meta
		var err error
		if got := allocated(func() { m, err = parseMeta(text) }); got > 3*int64(len(text))+allowance { // 3: the text is there already
			t.Fatalf("%d bytes allocated for a text of %d", got, len(text))
		}
		if err != nil {
			// Make it pass the digest, so that what lies behind is reached too.
			if at := bytes.Index(text, []byte(`"digest": "`)); at >= 0 && len(text) >= at+75 {
				if digest, err := digestOf(text); err == nil {
					text = append(append(bytes.Clone(text[:at+11]), digest...), text[at+75:]...)
					_, _ = parseMeta(text)
				}
			}
			return
		}
		if digest, err := digestOf(text); err != nil || digest != m.Digest {
			t.Fatalf("accepted with digest %s, got %s, %v", m.Digest, digest, err)
		}
	})
}

// FuzzCheckpoint reads folders with any tensor files in them, under a meta.json
// that says of them what is true.
func FuzzCheckpoint(f *testing.F) {
	s := newStore(f, "", Options{})
	save(f, s, newState(3))
	model := []byte(read(f, s, "step-3", ModelFile))
	f.Add(model, []byte(read(f, s, "step-3", OptimizerFile)))
	f.Add([]byte{}, model)
	dir := faultfs.TempDir(f)
	f.Fuzz(func(t *testing.T, model, optimizer []byte) {
		m := Meta{SchemaVersion: SchemaVersion, Files: []FileRecord{trueRecord(ModelFile, model), trueRecord(OptimizerFile, optimizer)}}
		meta, err := m.encode()
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range map[string][]byte{MetaFile: meta, ModelFile: model, OptimizerFile: optimizer} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		size := int64(len(meta) + len(model) + len(optimizer))
		got := allocated(func() {
			var c *Checkpoint
			if c, err = Open(dir); err == nil {
				_, err = c.Read()
			}
		})
		if got > 4*size+8*allowance { // buffers of several files and tensors
			t.Fatalf("%d bytes allocated for files of %d", got, size)
		}
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatal(err)
		}
		if good := sortedFloat32(model) && sortedFloat32(optimizer); good != (err == nil) {
			t.Fatalf("sorted float32 files: %v, but: %v", good, err)
		}
	})
}

// trueRecord describes a tensor file, as far as it is one.
func trueRecord(name string, data []byte) FileRecord {
	hash := sha256.Sum256(data)
	r := FileRecord{File: name, Bytes: int64(len(data)), SHA256: hex.EncodeToString(hash[:])}
	f, err := safetensors.Parse(data)
	if err != nil {
		return r
	}
	for _, t := range f.Tensors {
		hash := sha256.Sum256(f.Bytes(t))
		r.Tensors = append(r.Tensors, TensorRecord{t.Name, t.DType.String(), t.Shape, hex.EncodeToString(hash[:])})
	}
	return r
}

// sortedFloat32 says whether data is a file of float32 tensors, sorted by name.
func sortedFloat32(data []byte) bool {
	f, err := safetensors.Parse(data)
	if err != nil {
		return false
	}
	return slices.IsSorted(names(f.Tensors)) && !slices.ContainsFunc(f.Tensors, func(t safetensors.Tensor) bool { return t.DType != safetensors.F32 })
}

func FuzzBest(f *testing.F) {
	f.Add([]byte(`{"metric_key":"x","items":[{"step":1,"metrics":{"x":1},"path":"step-1"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		names, err := parseBest(text)
		for _, name := range names {
			if _, ok := stepOf(name); !ok && err == nil {
				t.Fatalf("accepted the name %q", name)
			}
		}
	})
}

// BenchmarkSave, BenchmarkReadInto and BenchmarkVerify move 500 MB, a third of it
// weights, as with AdamW.
func BenchmarkSave(b *testing.B) {
	s, state := benchmarkState(b)
	for b.Loop() {
		save(b, s, state)
	}
}

func BenchmarkReadInto(b *testing.B) {
	s, state := benchmarkState(b)
	save(b, s, state)
	for b.Loop() {
		c, err := s.Open("last")
		if err == nil {
			err = c.ReadInto(state.Weights, state.Optimizer)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	s, state := benchmarkState(b)
	save(b, s, state)
	for b.Loop() {
		if err := s.Verify("last"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDisk is the bound: writing and syncing as many bytes.
func BenchmarkDisk(b *testing.B) {
	dir := b.TempDir()
	data := make([]byte, 500_000_000)
	for i := range data {
		data[i] = byte(i * i >> 7)
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		f, err := os.Create(filepath.Join(dir, "f"))
		if err == nil {
			_, err = io.Copy(f, bytes.NewReader(data))
		}
		if err == nil {
			err = f.Sync()
		}
		if err != nil {
			b.Fatal(err)
		}
		_ = f.Close()
	}
}

func benchmarkState(b *testing.B) (*Store, State) {
	s, err := New(b.TempDir(), Options{KeepLast: 1})
	if err != nil {
		b.Fatal(err)
	}
	var state State
	const parts, n = 50, 500_000_000 / 4 / 3 / 50
	for i := range parts {
		for j, to := range []*[]Tensor{&state.Weights, &state.Optimizer, &state.Optimizer} {
			values := make([]float32, n)
			for k := range values {
				values[k] = float32(k ^ i)
			}
			*to = append(*to, Tensor{fmt.Sprintf("layers.%d.weight.%d", i, j), []int{n}, values})
		}
	}
	b.SetBytes(4 * 3 * parts * n)
	return s, state
}
