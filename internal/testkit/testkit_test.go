package testkit

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"
)

// fatal is a testing.TB whose Fatal and Fatalf panic with the TB itself.
type fatal struct{ testing.TB }

func (f *fatal) Helper()               {}
func (f *fatal) Fatal(...any)          { panic(f) }
func (f *fatal) Fatalf(string, ...any) { panic(f) }

// fails says whether use ends its test.
func fails(use func(testing.TB)) (failed bool) {
	tb := new(fatal)
	defer func() {
		if r := recover(); r == tb {
			failed = true
		} else if r != nil {
			panic(r)
		}
	}()
	use(tb)
	return false
}

// beyond points at element i of data, which may lie outside it.
func beyond[T any](data []T, i int) *T {
	return (*T)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(data)), i*int(unsafe.Sizeof(data[0]))))
}

func TestGuardedSeesEveryByte(t *testing.T) {
	for _, n := range []int{0, 1, 7, 33} {
		for offset := range 5 {
			data, check := Guarded[float32](t, n, offset)
			if len(data) != n {
				t.Fatalf("%d elements, want %d", len(data), n)
			}
			for i := range data {
				data[i] = 1
			}
			check()
		}
	}
	for _, at := range []int{-1, 5} {
		failed := fails(func(tb testing.TB) {
			data, check := Guarded[uint16](tb, 5, 3)
			*beyond(data, at) = 0
			check()
		})
		if !failed {
			t.Errorf("a write at %d of 5 went unseen", at)
		}
	}
}

func TestSameBits(t *testing.T) {
	nan := float32(math.NaN())
	SameBits(t, "equal", []float32{1, nan, 0}, []float32{1, nan, 0})
	for name, pair := range map[string][2][]float32{
		"sign of zero": {{0}, {float32(math.Copysign(0, -1))}},
		"length":       {{0}, {0, 0}},
		"payload":      {{nan}, {math.Float32frombits(0x7fc00001)}},
	} {
		if !fails(func(tb testing.TB) { SameBits(tb, name, pair[0], pair[1]) }) {
			t.Errorf("%s: not seen", name)
		}
	}
}

func TestClose(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	f := func(got, want, abs, rel float64, ok bool) {
		t.Helper()
		failed := fails(func(tb testing.TB) { Close(tb, "x", []float64{got}, []float64{want}, abs, rel) })
		if failed == ok {
			t.Errorf("Close(%g, %g, %g, %g): failed %v", got, want, abs, rel, failed)
		}
	}
	f(1, 1.1, 0.2, 0, true)
	f(1, 1.1, 0.05, 0, false)
	f(100, 101, 0, 0.02, true)
	f(inf, inf, 0, 0, true)
	f(inf, -inf, 1, 1, false)
	f(nan, nan, 0, 0, true)
	f(nan, 1, 1e9, 1, false)
	f(1, nan, 1e9, 1, false)
	f(1, 1, 0, 0, true)
	f(1, 2, 0, 0, false)
}

func TestGoldenNamesTheLine(t *testing.T) {
	if got := firstLine("a\nb\n", "a\nc\n"); !strings.Contains(got, "line 2") {
		t.Errorf("first difference: %q, want line 2", got)
	}
	if got := firstLine("a", "a"); got != "" {
		t.Errorf("equal texts: %q", got)
	}
	if *update {
		return
	}
	if !fails(func(tb testing.TB) { Golden(tb, filepath.Join(t.TempDir(), "none"), "") }) {
		t.Error("a missing golden passed")
	}
}

func TestFigures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.txt")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("# made by hand\n\nloss 1.5 2\nids 3 4\n")
	f := ReadFigures(t, path)
	SameBits(t, "loss", f.Float32(t, "loss"), []float32{1.5, 2})
	SameBits(t, "ids", f.Int32(t, "ids"), []int32{3, 4})
	for name, use := range map[string]func(testing.TB){
		"unknown": func(tb testing.TB) { f.Row(tb, "gone") },
		"integer": func(tb testing.TB) { f.Int32(tb, "loss") },
	} {
		if !fails(use) {
			t.Errorf("%s: passed", name)
		}
	}
	for _, bad := range []string{"x 1 y\n", "x 1\nx 2\n"} {
		write(bad)
		if !fails(func(tb testing.TB) { ReadFigures(tb, path) }) {
			t.Errorf("%q was read", bad)
		}
	}
}

// The values are those that torch_common.py prints for the same salt.
func TestHash(t *testing.T) {
	got := make([]float32, 4)
	Hash(got, 7, 2)
	want := []float32{-0.8063451, -0.5713285, 0.5628994, 0.9885625}
	Close(t, "hash", got, want, 1e-6, 0)
}
