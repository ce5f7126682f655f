package safetensors

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

type sample struct {
	name string
	data []byte
}

// samples reads a file that testdata/interop.py wrote.
func samples(tb testing.TB, path string) (out []sample) {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, text, _ := strings.Cut(lines.Text(), ": ")
		data, err := hex.DecodeString(text)
		if err != nil {
			tb.Fatalf("%s: %s: %v", path, name, err)
		}
		out = append(out, sample{name, data})
	}
	if len(out) == 0 || lines.Err() != nil {
		tb.Fatalf("%s: %d samples, %v", path, len(out), lines.Err())
	}
	return out
}

// openBoth opens data as memory and as a file; both must agree.
func openBoth(tb testing.TB, data []byte) (*File, error) {
	tb.Helper()
	f, err := Parse(data)
	g, openErr := Open(bytes.NewReader(data), int64(len(data)))
	if (err == nil) != (openErr == nil) || err != nil && err.Error() != openErr.Error() {
		tb.Fatalf("Parse: %v, Open: %v", err, openErr)
	}
	if err != nil {
		if !errors.Is(err, ErrFormat) {
			tb.Fatalf("%v is no ErrFormat", err)
		}
		return nil, err
	}
	for _, t := range f.Tensors {
		got := make([]byte, t.End-t.Begin)
		if err := g.ReadAt(t, got, 0); err != nil || !bytes.Equal(got, f.Bytes(t)) {
			tb.Fatalf("tensor %q: read %x, %v, in memory %x", t.Name, got, err, f.Bytes(t))
		}
	}
	return f, nil
}

func TestReadsWhatTheOriginalReads(t *testing.T) {
	for _, s := range samples(t, "testdata/accepted.txt") {
		if _, err := openBoth(t, s.data); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
	}
}

func TestRefusesWhatTheOriginalRefuses(t *testing.T) {
	for _, s := range samples(t, "testdata/refused.txt") {
		if _, err := openBoth(t, s.data); err == nil {
			t.Errorf("%s was accepted", s.name)
		}
	}
}

// rewrite writes a file's tensors again, in the original's order.
func rewrite(tb testing.TB, f *File) []byte {
	tb.Helper()
	tensors := slices.Clone(f.Tensors)
	Sort(tensors)
	var out bytes.Buffer
	w, err := NewWriter(&out, tensors, f.Metadata())
	if err != nil {
		tb.Fatal(err)
	}
	for _, t := range tensors {
		if _, err := w.Write(f.Bytes(t)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// TestWritesTheOriginalsBytes: reading what the original wrote and writing it gives
// the same bytes.
func TestWritesTheOriginalsBytes(t *testing.T) {
	for _, s := range samples(t, "testdata/written.txt") {
		f, err := openBoth(t, s.data)
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		if got := rewrite(t, f); !bytes.Equal(got, s.data) {
			t.Errorf("%s:\ngot  %q\nwant %q", s.name, got, s.data)
		}
	}
}

func TestReadsValues(t *testing.T) {
	all := samples(t, "testdata/written.txt")
	f, err := openBoth(t, all[slices.IndexFunc(all, func(s sample) bool { return s.name == "small" })].data)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(f.Names()); got != "[B a b c]" {
		t.Errorf("names %s", got)
	}
	if got := f.Metadata(); len(got) != 1 || got["format"] != "pt" {
		t.Errorf("metadata %v", got)
	}
	b, ok := f.Find("b")
	if !ok || b.DType != F32 || fmt.Sprint(b.Shape) != "[2 3]" {
		t.Fatalf("b is %+v, %v", b, ok)
	}
	for i, want := range []float32{1.5, -2, 3, 4, 5, 6} {
		if got := math.Float32frombits(binary.LittleEndian.Uint32(f.Bytes(b)[4*i:])); got != want {
			t.Errorf("b[%d] = %v, want %v", i, got, want)
		}
	}
	if _, ok := f.Find("bb"); ok {
		t.Error("found a tensor that is not there")
	}
}

func TestRefusesTooManyDimensions(t *testing.T) {
	f := func(rank int, ok bool) {
		t.Helper()
		shape := strings.Repeat("1,", rank-1) + "1"
		header := fmt.Sprintf(`{"a":{"dtype":"U8","shape":[%s],"data_offsets":[0,1]}}`, shape)
		data := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header+"\x00"...)
		if _, err := openBoth(t, data); ok != (err == nil) {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
	f(MaxRank, true)
	f(MaxRank+1, false)
}

func TestWriterRejects(t *testing.T) {
	f := func(what string, metadata map[string]string, tensors ...Tensor) {
		t.Helper()
		if _, _, err := EncodeHeader(tensors, metadata); err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
	f("a name twice", nil, Tensor{Name: "a"}, Tensor{Name: "a"})
	f("the metadata's name", nil, Tensor{Name: metadataName})
	f("a name that is not UTF-8", nil, Tensor{Name: "\xff"})
	f("metadata that is not UTF-8", map[string]string{"a": "\xff"})
	f("a negative dimension", nil, Tensor{Name: "a", Shape: []int{-1}})
	f("half a byte", nil, Tensor{Name: "a", DType: F4, Shape: []int{1}})
	f("too large a product", nil, Tensor{Name: "a", DType: F32, Shape: []int{1 << 31, 1 << 31}})
	f("too large a sum", nil, Tensor{Name: "a", DType: U8, Shape: []int{math.MaxInt64}}, Tensor{Name: "b", DType: U8, Shape: []int{math.MaxInt64}})
	f("too many dimensions", nil, Tensor{Name: "a", Shape: make([]int, MaxRank+1)})
	f("too long a header", nil, Tensor{Name: strings.Repeat("x", MaxHeader)})
}

func TestWriterCounts(t *testing.T) {
	w, err := NewWriter(io.Discard, []Tensor{{Name: "a", DType: U8, Shape: []int{4}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 3)); err != nil || w.Close() == nil {
		t.Errorf("3 of 4 bytes: write %v, close says nothing", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("5 of 4 bytes were accepted")
		}
	}()
	_, _ = w.Write(make([]byte, 2))
}

func TestOpenReportsReadErrors(t *testing.T) {
	data := rewriteOf(t, "small")
	for n := range len(data) - 32 { // the last 32 bytes are the data
		if _, err := Open(bytes.NewReader(data[:n]), int64(len(data))); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%d of %d bytes: %v", n, len(data), err)
		}
	}
}

func rewriteOf(tb testing.TB, name string) []byte {
	for _, s := range samples(tb, "testdata/written.txt") {
		if s.name == name {
			return s.data
		}
	}
	tb.Fatalf("no sample %s", name)
	return nil
}

// TestMemory: headers made to ask for much get at most 4 times their size.
func TestMemory(t *testing.T) {
	const size = 1 << 18
	build := func(item func(i int) string) []byte {
		var b strings.Builder
		b.WriteString("{")
		for i := 0; b.Len() < size; i++ {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString(item(i))
		}
		b.WriteString("}")
		return append(binary.LittleEndian.AppendUint64(nil, uint64(b.Len())), b.String()...)
	}
	dims := strings.Repeat("0,", MaxRank-1) + "0"
	for name, data := range map[string][]byte{
		"short tensors": build(func(i int) string { return fmt.Sprintf(`"%x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`, i) }),
		"many dimensions": build(func(i int) string {
			return fmt.Sprintf(`"%x":{"dtype":"U8","shape":[%s],"data_offsets":[0,0]}`, i, dims)
		}),
		"escaped names": build(func(i int) string { return fmt.Sprintf(`"\n%x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`, i) }),
		"wrong at the end": build(func(i int) string {
			return fmt.Sprintf(`"%x":{"dtype":"U8","shape":[0],"data_offsets":[0,%d]}`, i, max(0, i-1000))
		}),
		"metadata": bytes.Replace(build(func(i int) string { return fmt.Sprintf(`"%x":""`, i) }), []byte("{"), []byte(`{"__metadata__":{`), 1),
	} {
		if name == "metadata" {
			data = append(data, '}')
			binary.LittleEndian.PutUint64(data, uint64(len(data)-8))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Open(bytes.NewReader(data), int64(len(data)))
		runtime.ReadMemStats(&after)
		if (err != nil) != (name == "wrong at the end") {
			t.Errorf("%s: %v", name, err)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 4*uint64(len(data))+32<<10 {
			t.Errorf("%s: %d bytes allocated for a header of %d", name, got, len(data))
		}
	}
}

// FuzzRead: no panic; what is accepted is consistent and written again is equal.
func FuzzRead(f *testing.F) {
	for _, file := range []string{"testdata/accepted.txt", "testdata/refused.txt", "testdata/written.txt"} {
		for _, s := range samples(f, file) {
			f.Add(s.data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := openBoth(t, data)
		if err != nil {
			return
		}
		at := int64(0)
		for _, tensor := range file.Tensors {
			if size, ok := tensor.Bytes(); !ok || tensor.Begin != at || size != tensor.End-tensor.Begin {
				t.Fatalf("tensor %+v after byte %d", tensor, at)
			}
			at = tensor.End
			if found, ok := file.Find(tensor.Name); !ok || found.Begin != tensor.Begin || found.End != tensor.End {
				t.Fatalf("%q is not found", tensor.Name)
			}
		}
		if at != int64(len(data))-file.DataStart() {
			t.Fatalf("tensors end at %d of %d", at, len(data))
		}
		again, err := Parse(rewrite(t, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, tensor := range file.Tensors {
			if copied, ok := again.Find(tensor.Name); !ok || !bytes.Equal(file.Bytes(tensor), again.Bytes(copied)) {
				t.Fatalf("%q changed", tensor.Name)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var tensors []Tensor
	for i := range 1000 {
		tensors = append(tensors, Tensor{Name: fmt.Sprintf("model.layers.%d.self_attn.q_proj.weight", i), DType: U8, Shape: []int{2, 3}})
	}
	header, size, err := EncodeHeader(tensors, map[string]string{"format": "pt"})
	if err != nil {
		b.Fatal(err)
	}
	data := append(header, make([]byte, size)...)
	b.SetBytes(int64(len(header)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}
