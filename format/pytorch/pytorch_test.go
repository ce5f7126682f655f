package pytorch

import (
	"archive/zip"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func text(tb testing.TB, name string) (lines []string) {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	data, err := hex.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// dtypes are torch's names.
var dtypes = map[string]string{"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool"}

func TestReadsWhatTorchSaves(t *testing.T) {
	lines := text(t, "files.txt")
	var names, got []string
	check := func(want []string) {
		for i, lines := range got {
			if joined := strings.Join(want, "\n"); lines != joined {
				t.Errorf("%s: got\n%s\nwant\n%s", names[i], lines, joined)
			}
		}
	}
	var want []string
	for _, line := range lines {
		words := strings.Fields(line)
		if words[0] == "tensor" {
			want = append(want, strings.TrimSpace(line))
			continue
		}
		if len(want) > 0 {
			check(want)
			names, got, want = nil, nil, nil
		}
		tensors, err := Parse(unhex(t, words[2]))
		if err != nil {
			t.Fatalf("%s: %v", words[1], err)
		}
		var out []string
		for _, x := range tensors {
			shape := strings.ReplaceAll(fmt.Sprint(x.Shape), " ", ", ")
			out = append(out, strings.TrimSpace(fmt.Sprintf("tensor %s torch.%s %s %x", x.Name, dtypes[x.DType], shape, x.Bytes())))
		}
		names, got = append(names, words[1]), append(got, strings.Join(out, "\n"))
	}
	check(want)
}

func TestRefuses(t *testing.T) {
	for _, line := range text(t, "refused.txt") {
		words := strings.Split(line, "|")
		if _, err := Parse(unhex(t, words[2])); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), words[1]) {
			t.Errorf("%s: got %v, want ...%s", words[0], err, words[1])
		}
	}
}

// archived puts a pickle and a storage of eight bytes, named 0, into an archive.
func archived(tb testing.TB, pickle string, method uint16) []byte {
	tb.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range [][2]string{{"m/data.pkl", pickle}, {"m/data/0", "\x01\x02\x03\x04\x05\x06\x07\x08"}} {
		entry, err := w.CreateHeader(&zip.FileHeader{Name: f[0], Method: method})
		if err == nil {
			_, err = entry.Write([]byte(f[1]))
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// short is a short string in a pickle.
func short(s string) string { return "\x8c" + string(rune(len(s))) + s }

// oneTensor is a pickle of {"w": a view of storage 0}.
func oneTensor(elements, view string) string {
	return "\x80\x02}" + short("w") + "ctorch._utils\n_rebuild_tensor_v2\n((" + short("storage") + "ctorch\nFloatStorage\n" + short("0") + short("cpu") + elements + "tQ" + view + "\x89N" + "tRs."
}

func TestRejects(t *testing.T) {
	good := oneTensor("K\x02", "K\x00K\x02\x85K\x01\x85")
	if tensors, err := Parse(archived(t, good, zip.Store)); err != nil || len(tensors) != 1 || tensors[0].Elements() != 2 {
		t.Fatalf("%v, %v", tensors, err)
	}
	largest := "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"
	for _, c := range [][2]string{
		{"storage takes 12", oneTensor("K\x03", "K\x00K\x02\x85K\x01\x85")},
		{"describes a storage as", oneTensor(largest, "K\x00K\x02\x85K\x01\x85")},
		{"begins at element 1", oneTensor("K\x02", "K\x01K\x02\x85K\x01\x85")},
		{"begins at element 9223372036854775807", oneTensor("K\x02", largest+"K\x02\x85K\x01\x85")},
		{"does not fit", oneTensor("K\x02", "K\x00K\x02\x85K\x02\x85")},
		{"does not fit", oneTensor("K\x02", "K\x00K\x02\x85"+largest+"\x85")},
		{"does not fit", oneTensor("K\x02", "K\x00"+largest+"\x85K\x01\x85")},
		{"has shape [-1]", oneTensor("K\x02", "K\x00J\xff\xff\xff\xff\x85K\x01\x85")},
		{"does not fit", oneTensor("K\x02", "K\x00K\x02K\x02\x86K\x01K\x00\x86")},
		{"1 sizes and 2 strides", oneTensor("K\x02", "K\x00K\x02\x85K\x01K\x01\x86")},
		{"cut off", good[:len(good)-1]},
		{"empty stack", "."},
		{"no mark", "u."},
		{"builtins.eval", "cbuiltins\neval\n."},
		{"__builtin__.exec", short("__builtin__") + short("exec") + "\x93."},
		{"instruction 0x69", "i."},
		{"instruction 0x81", "\x81."},
		{"has not made", "h\x07."},
		{"arguments that it does not take", "ccollections\nOrderedDict\n(K\x01tR."},
	} {
		if _, err := Parse(archived(t, c[1], zip.Store)); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), c[0]) {
			t.Errorf("%q: got %v, want ...%s", c[1], err, c[0])
		}
	}
	if _, err := Parse(archived(t, good, zip.Deflate)); err == nil || !strings.Contains(err.Error(), "is compressed") {
		t.Errorf("compressed: %v", err)
	}
}

func TestOpenSet(t *testing.T) {
	folder := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("one", archived(t, oneTensor("K\x02", "K\x00K\x02\x85K\x01\x85"), zip.Store))
	index := write("pytorch_model.bin.index.json", []byte(`{"weight_map":{"w":"one"}}`))
	s, err := OpenSet(index)
	if err != nil {
		t.Fatal(err)
	}
	if x, ok := s.Find("w"); !ok || fmt.Sprint(s.Names()) != "[w]" || !bytes.Equal(x.Bytes(), []byte{1, 2, 3, 4, 5, 6, 7, 8}) {
		t.Errorf("%v", s.Names())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	write("pytorch_model.bin.index.json", []byte(`{"weight_map":{"w":"one","v":"one"}}`))
	if _, err := OpenSet(index); err == nil || !strings.Contains(err.Error(), `tensor "v" is not in one`) {
		t.Errorf("a missing tensor: %v", err)
	}
}

// FuzzPickle: no pickle crashes, or allocates beyond what its size allows.
func FuzzPickle(f *testing.F) {
	for _, line := range text(f, "files.txt") {
		words := strings.Fields(line)
		if words[0] != "file" {
			continue
		}
		data := unhex(f, words[2])
		r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			f.Fatal(err)
		}
		a, err := newArchive(r, data)
		if err != nil {
			f.Fatal(err)
		}
		pickle, err := a.read("data.pkl", -1)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(pickle)
	}
	f.Add([]byte(oneTensor("K\x02", "K\x00K\x02\x85K\x01\x85")))
	f.Fuzz(func(t *testing.T, pickle []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m := &machine{data: pickle, storages: map[string]*storage{}, open: func(_ string, size int64) ([]byte, error) {
			if size > 1<<10 {
				return nil, formatError("too large")
			}
			return make([]byte, size), nil
		}}
		root, err := m.run()
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > uint64(2000*len(pickle)+1<<20) {
			t.Fatalf("%d bytes allocated for a pickle of %d", used, len(pickle))
		}
		if err == nil {
			var tensors []Tensor
			tensors, err = collect(root)
			for _, x := range tensors {
				x.Bytes()
			}
		}
		if err != nil && !errors.Is(err, ErrFormat) {
			t.Fatalf("%v is no ErrFormat", err)
		}
	})
}

// FuzzParse: no file crashes.
func FuzzParse(f *testing.F) {
	for _, line := range text(f, "files.txt") {
		if words := strings.Fields(line); words[0] == "file" {
			f.Add(unhex(f, words[2]))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tensors, err := Parse(data)
		if err != nil && !errors.Is(err, ErrFormat) {
			t.Fatalf("%v is no ErrFormat", err)
		}
		for _, x := range tensors {
			x.Bytes()
		}
	})
}
