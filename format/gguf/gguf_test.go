package gguf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestOpensSplitFiles(t *testing.T) {
	folder, _ := originalFiles(t)
	for _, part := range []int{1, 2, 3} {
		f, err := Open(PartPath(filepath.Join(folder, "split"), part, 3))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for i, tensor := range f.Tensors {
			names = append(names, tensor.Name)
			if got := dequantized(t, tensor.Type, tensor.Data); !slices.Equal(got, slices.Repeat([]float32{float32(i)}, 4)) {
				t.Errorf("%s is %v", tensor.Name, got)
			}
		}
		if fmt.Sprint(names) != "[t0 t1 t2 t3 t4]" || len(f.Paths) != 3 {
			t.Errorf("tensors %v of %v", names, f.Paths)
		}
		if arch, err := f.Text("general.architecture"); arch != "llama" || err != nil {
			t.Errorf("architecture %q, %v", arch, err)
		}
		if _, ok := f.Find("t4"); !ok {
			t.Error("t4 is not found")
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if f, err := Open(PartPath(filepath.Join(folder, "split_header"), 1, 3)); err != nil || len(f.Tensors) != 2 {
		t.Errorf("a first part without tensors: %v", err)
	}
}

func TestRejectsSplitFiles(t *testing.T) {
	fail := func(want string, change func(path func(int) string) (open string)) {
		t.Helper()
		folder, _ := originalFiles(t)
		open := change(func(part int) string { return PartPath(filepath.Join(folder, "split"), part, 3) })
		if _, err := Open(open); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want ...%s", err, want)
		}
	}
	move := func(from, to string) {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	fail("no such file", func(path func(int) string) string { move(path(2), path(9)); return path(1) })
	fail("it was renamed", func(path func(int) string) string {
		move(path(3), path(9))
		move(path(2), path(3))
		move(path(9), path(2))
		return path(1)
	})
	fail("want a name like", func(path func(int) string) string { move(path(1), path(1)+".gguf"); return path(1) + ".gguf" })
	fail("comes twice", func(path func(int) string) string {
		data, err := os.ReadFile(path(2))
		if err == nil {
			err = os.WriteFile(path(2), bytes.ReplaceAll(data, []byte("t2"), []byte("t1")), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		return path(1)
	})
}

// fileOf writes a file of one tensor as a list of little-endian numbers and strings,
// so that a test can lie with any of them.
func fileOf(parts ...any) []byte {
	out := []byte(magic)
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			out = appendText(out, p)
		case []byte:
			out = append(out, p...)
		case uint32:
			out = binary.LittleEndian.AppendUint32(out, p)
		case int:
			out = binary.LittleEndian.AppendUint64(out, uint64(p))
		case uint64:
			out = binary.LittleEndian.AppendUint64(out, p)
		default:
			panic(fmt.Sprintf("%T", p))
		}
	}
	return out
}

// pad fills up to the data and appends size bytes.
func pad(file []byte, size int) []byte {
	return append(file, make([]byte, int(padding(int64(len(file)), DefaultAlignment))+size)...)
}

func TestRejects(t *testing.T) {
	v3, f32 := uint32(3), uint32(F32)
	for _, c := range []struct {
		want string
		data []byte
	}{
		{"the file has 0 more", nil},
		{`begins with "GGML"`, []byte("GGML0000000000000000000000000")},
		{"the version takes 4 bytes", []byte("GGUF\x03")},
		{"version 1,", fileOf(uint32(1), 0, 0)},
		{"version 4,", fileOf(uint32(4), 0, 0)},
		{"big-endian", fileOf(uint32(3<<24), 0, 0)},
		{"number of tensors 1 is", fileOf(v3, 1, 0)},
		{"number of tensors 9223372036854775808 is", fileOf(v3, uint64(1<<63), 0)},
		{"metadata entries 18446744073709551615 is", fileOf(v3, 0, uint64(math.MaxUint64))},
		{"a metadata key takes 9223372036854775807 bytes", fileOf(v3, 0, 1, math.MaxInt64, make([]byte, 64))},
		{`metadata "k" at byte 37: not a valid GGUF file: value of unknown kind 13`, fileOf(v3, 0, 1, "k", uint32(13), 0)},
		{"a string takes 9223372036854775807 bytes", fileOf(v3, 0, 1, "k", uint32(KindString), math.MaxInt64)},
		{"array of unknown kind 99", fileOf(v3, 0, 1, "k", uint32(KindArray), uint32(99), 0)},
		{"an array's length 4611686018427387904 is", fileOf(v3, 0, 1, "k", uint32(KindArray), uint32(KindUint32), 1<<62)},
		{"an array's length 2 is", fileOf(v3, 0, 1, "k", uint32(KindArray), uint32(KindString), 2, 0)},
		{"more than 8 deep", fileOf(v3, 0, 1, "k", uint32(KindArray), bytes.Repeat(fileOf(uint32(KindArray), 1)[4:], 9), uint32(0), 0)},
		{`metadata "k" comes twice`, fileOf(v3, 0, 2, "k", uint32(KindUint8), []byte{1}, "k", uint32(KindUint8), []byte{1})},
		{"general.alignment is 0", fileOf(v3, 0, 1, "general.alignment", uint32(KindUint32), uint32(0))},
		{"general.alignment is 24", fileOf(v3, 0, 1, "general.alignment", uint32(KindUint32), uint32(24))},
		{"general.alignment: want a whole number, got string", fileOf(v3, 0, 1, "general.alignment", uint32(KindString), "32")},
		{"5 dimensions", fileOf(v3, 1, 0, "t", uint32(5), make([]byte, 64))},
		{"4294967295 dimensions", fileOf(v3, 1, 0, "t", uint32(math.MaxUint32), make([]byte, 64))},
		{"dimension 9223372036854775808 is too large", fileOf(v3, 1, 0, "t", uint32(1), uint64(1<<63), f32, 0)},
		{"type 99, which is not known", pad(fileOf(v3, 1, 0, "t", uint32(1), 1, uint32(99), 0), 4)},
		{"Q4_0_4_4, which is not known", pad(fileOf(v3, 1, 0, "t", uint32(1), 32, uint32(31), 0), 18)},
		{"has more bytes than", pad(fileOf(v3, 1, 0, "t", uint32(2), 1<<32, 1<<32, f32, 0), 4)},
		{"no multiple of the block of 32", pad(fileOf(v3, 1, 0, "t", uint32(2), 31, 32, uint32(Q8_0), 0), 1054)},
		{"takes 8 bytes at 0, the file has 4 bytes", pad(fileOf(v3, 1, 0, "t", uint32(1), 2, f32, 0), 4)},
		{"at 32, the file has 32", pad(fileOf(v3, 1, 0, "t", uint32(1), 2, f32, 32), 32)},
		{"at 9223372036854775808, the file", pad(fileOf(v3, 1, 0, "t", uint32(1), 2, f32, uint64(1<<63)), 32)},
		{"byte 4 of the data, want a multiple of 32", pad(fileOf(v3, 1, 0, "t", uint32(1), 1, f32, 4), 32)},
		{`"u" and "t" overlap`, pad(fileOf(v3, 2, 0, "u", uint32(1), 9, f32, 0, "t", uint32(1), 1, f32, 32), 64)},
		{`tensor "t" comes twice`, pad(fileOf(v3, 2, 0, "t", uint32(1), 1, f32, 0, "t", uint32(1), 1, f32, 32), 64)},
	} {
		_, err := Parse(c.data)
		if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want ...%s", err, c.want)
		}
	}
}

// TestCutOffFiles: no beginning of a file is accepted, nor crashes.
func TestCutOffFiles(t *testing.T) {
	for _, words := range lines(t, "files.txt")[:3] {
		data := unhex(t, words[1])
		f, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		for n := range data {
			_, err := Parse(data[:n:n])
			if err == nil && len(f.Tensors) > 0 && n < len(data)-DefaultAlignment*2 {
				t.Fatalf("%s: %d of %d bytes are accepted", words[0], n, len(data))
			}
		}
	}
}

func TestMetadataSaysWhatIsWrong(t *testing.T) {
	f, err := Parse(fileOf(uint32(3), 0, 3, "n", uint32(KindUint64), uint64(1<<63), "s", uint32(KindString), "x", "a", uint32(KindArray), uint32(KindUint8), 2, []byte{3, 4}))
	if err != nil {
		t.Fatal(err)
	}
	check := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want ...%s", err, want)
		}
	}
	_, err = f.Int("n")
	check(err, "metadata n: 9223372036854775808 is too large")
	_, err = f.Int("s")
	check(err, "metadata s: want a whole number, got string")
	_, err = f.Strings("a")
	check(err, "metadata a: want an array of strings, got array of uint8")
	_, err = f.Bool("a")
	check(err, "metadata a: want a bool, got array of uint8")
	if _, err = f.Floats("gone"); !errors.Is(err, ErrMissing) {
		t.Errorf("got %v, want ErrMissing", err)
	}
	if x, err := f.Floats("a"); err != nil || !slices.Equal(x, []float64{3, 4}) {
		t.Errorf("a is %v, %v", x, err)
	}
	if x, err := f.Float("n"); err != nil || x != 1<<63 {
		t.Errorf("n is %v, %v", x, err)
	}
}

// FuzzParse: what is accepted can be read whole, and nothing is allocated that the
// file's size does not justify.
func FuzzParse(f *testing.F) {
	for _, words := range lines(f, "files.txt") {
		f.Add(unhex(f, words[1]))
	}
	f.Add(fileOf(uint32(3), 0, 1, "k", uint32(KindArray), uint32(KindArray), 2, uint32(KindUint8), 1, []byte{7}, uint32(KindString), 1, "x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		file, err := Parse(data)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > uint64(4*len(data)+1<<16) {
			t.Fatalf("%d bytes allocated for a file of %d", used, len(data))
		}
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("%v is no ErrFormat", err)
			}
			return
		}
		for _, key := range file.Keys() {
			v, _ := file.Meta(key)
			v.Any()
			_, _ = v.Strings()
			_, _ = v.Floats()
			_, _ = v.Ints()
		}
		for _, tensor := range file.Tensors {
			if tensor.Elements() < 1<<20 && tensor.Type.Readable() {
				dequantized(t, tensor.Type, tensor.Data)
			}
		}
	})
}
