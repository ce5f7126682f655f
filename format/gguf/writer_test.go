package gguf

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// rewrite writes a file that was read.
func rewrite(tb testing.TB, m *Metadata, tensors []Tensor) []byte {
	tb.Helper()
	var entries []KeyValue
	for _, key := range m.Keys() {
		v, _ := m.Meta(key)
		entries = append(entries, KeyValue{key, v})
	}
	var out bytes.Buffer
	w, err := NewWriter(&out, entries, tensors)
	if err != nil {
		tb.Fatal(err)
	}
	for _, t := range tensors {
		if err := w.WriteTensor(t.Data); err != nil {
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
	for _, words := range lines(t, "files.txt") {
		data := unhex(t, words[1])
		f, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		if got := rewrite(t, &f.Metadata, f.Tensors); !bytes.Equal(got, data) {
			t.Errorf("%s:\ngot  %q\nwant %q", words[0], got, data)
		}
	}
}

// TestWritesGoValues writes every kind from Go's types as the original does.
func TestWritesGoValues(t *testing.T) {
	for _, words := range lines(t, "files.txt") {
		if words[0] != "every_kind.gguf:" {
			continue
		}
		data := unhex(t, words[1])
		f, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		w, err := NewWriter(&out, []KeyValue{
			{"general.architecture", "llama"}, {"a.uint8", uint8(200)}, {"a.int8", int8(-100)}, {"a.uint16", uint16(60000)}, {"a.int16", int16(-30000)},
			{"a.uint32", uint32(4000000000)}, {"a.int32", int32(-2000000000)}, {"a.uint64", uint64(math.MaxUint64)}, {"a.int64", int64(math.MinInt64)},
			{"a.float32", float32(0.1)}, {"a.float64", 0.1}, {"a.bool", true}, {"a.string", "gr\u00fc\u00df\x00e"}, {"a.strings", []string{"", "x", "\u2581y"}},
			{"a.int32s", []int32{1, -2, 3}}, {"a.float32s", []float32{0.5, -1.5}}, {"a.bools", []bool{true, false}}, {"a.bytes", []byte{0, 255}},
		}, f.Tensors)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(data, out.Bytes()) {
			t.Errorf("got\n%q\nwant\n%q", out.Bytes(), data)
		}
		if err := w.Close(); err == nil || !strings.Contains(err.Error(), "two.weight") {
			t.Errorf("no tensor was written: %v", err)
		}
		return
	}
	t.Fatal("no file every_kind")
}

func TestWriterRejects(t *testing.T) {
	one := []Tensor{{Name: "t", Shape: []int{2}, Type: F32}}
	for _, c := range []struct {
		want    string
		entries []KeyValue
		tensors []Tensor
	}{
		{"has no value", []KeyValue{{"k", nil}}, one},
		{"values of type int are not written", []KeyValue{{"k", 1}}, one},
		{"values of type []int are not written", []KeyValue{{"k", []int{1}}}, one},
		{"metadata key \"k\"", []KeyValue{{"k", true}, {"k", true}}, one},
		{"general.alignment is 3", []KeyValue{{"general.alignment", uint32(3)}}, one},
		{"comes once", nil, append(one, one...)},
		{"no multiple of the block of 256", nil, []Tensor{{Name: "t", Shape: []int{2, 128}, Type: Q4_K}}},
		{"at most 4 dimensions", nil, []Tensor{{Name: "t", Shape: []int{1, 1, 1, 1, 1}, Type: F32}}},
	} {
		if _, err := NewWriter(&bytes.Buffer{}, c.entries, c.tensors); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want ...%s", err, c.want)
		}
	}
}
