package gguf

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// lines reads a file that testdata/original.py wrote, a slice of words for each line.
func lines(tb testing.TB, name string) (out [][]string) {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		out = append(out, strings.Fields(line))
	}
	if len(out) == 0 {
		tb.Fatalf("%s is empty", name)
	}
	return out
}

func unhex(tb testing.TB, text string) []byte {
	tb.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func namedType(tb testing.TB, name string) Type {
	tb.Helper()
	t, ok := ParseType(name)
	if !ok {
		tb.Fatalf("no type %s", name)
	}
	return t
}

func floats(data []byte) []float32 {
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}

func floatBytes(x []float32) (out []byte) {
	for _, v := range x {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
	}
	return out
}

func dequantized(tb testing.TB, t Type, data []byte) []float32 {
	tb.Helper()
	out := make([]float32, len(data)/t.BlockBytes()*t.BlockSize())
	if err := Dequantize(out, t, data); err != nil {
		tb.Fatal(err)
	}
	return out
}

func quantized(tb testing.TB, t Type, x []float32) []byte {
	tb.Helper()
	out := make([]byte, len(x)/t.BlockSize()*t.BlockBytes())
	if err := Quantize(out, t, x); err != nil {
		tb.Fatal(err)
	}
	return out
}

func TestDequantizeIsTheOriginals(t *testing.T) {
	for _, words := range lines(t, "blocks.txt") {
		typ, want := namedType(t, words[0]), unhex(t, words[2])
		if got := floatBytes(dequantized(t, typ, unhex(t, words[1]))); !bytes.Equal(got, want) {
			t.Errorf("%v: block %s\ngot  %v\nwant %v", typ, words[1], floats(got), floats(want))
		}
	}
}

func TestQuantizeIsTheOriginals(t *testing.T) {
	for _, words := range lines(t, "numbers.txt") {
		typ, x := namedType(t, words[0]), floats(unhex(t, words[1]))
		if got := hex.EncodeToString(quantized(t, typ, x)); got != words[2] {
			t.Errorf("%v: %v\ngot  %s\nwant %s", typ, x, got, words[2])
		}
	}
}

// generate is original.py's random_bytes.
func generate(n int, seed uint64) []byte {
	out := make([]byte, n)
	for i := range out {
		seed = seed*6364136223846793005 + 1442695040888963407
		out[i] = byte(seed >> 56)
	}
	return out
}

// halves are the places of float16 numbers in a block.
var halves = map[Type][]int{F16: {0}, Q8_0: {0}, Q4_0: {0}, Q4_1: {0, 2}, Q5_0: {0}, Q5_1: {0, 2}, Q2_K: {80, 82}, Q3_K: {108}, Q4_K: {0, 2}, Q5_K: {0, 2}, Q6_K: {208}, IQ4_NL: {0}}

// randomBlocks is original.py's blocks.
func randomBlocks(t Type, count int, seed uint64) []byte {
	size := t.BlockBytes()
	data := generate(count*size, seed)
	for row := range count {
		block := data[row*size:][:size]
		for _, at := range halves[t] {
			if block[at+1]&0x7c == 0x7c {
				block[at+1] &= 0xbf
			}
		}
		if t == F32 || t == BF16 {
			block[size-1] &= 0xbf
		}
	}
	return data
}

// randomNumbers is original.py's numbers.
func randomNumbers(count int, seed uint64) []float32 {
	raw := generate(2*count, seed)
	out := make([]float32, count)
	for i := range out {
		x := float32(int16(binary.LittleEndian.Uint16(raw[2*i:]))) / 32768
		row := i / 32
		x *= float32(math.Ldexp(1, row%24-16))
		if row%7 == 3 {
			x = float32(math.RoundToEven(float64(x*4))) / 4
		}
		if row%11 == 5 {
			x = 0
		}
		out[i] = x + 0 // no -0: the original's least of both zeros is either
	}
	return out
}

// TestManyBlocks compares thousands of blocks by their hash.
func TestManyBlocks(t *testing.T) {
	for _, words := range lines(t, "hashes.txt") {
		typ := namedType(t, words[0])
		count, err := strconv.Atoi(words[2])
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		if words[1] == "dequantize" {
			got = floatBytes(dequantized(t, typ, randomBlocks(typ, count, 3)))
		} else {
			got = quantized(t, typ, randomNumbers(32*count, 4))
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(got)); sum != words[3] {
			t.Errorf("%v: %s %d blocks: SHA-256 %s, want %s", typ, words[1], count, sum, words[3])
		}
	}
}

// originalFiles writes the files of original.py into a folder.
func originalFiles(tb testing.TB) (folder string, names []string) {
	tb.Helper()
	folder = tb.TempDir()
	for _, words := range lines(tb, "files.txt") {
		name := strings.TrimSuffix(words[0], ":")
		names = append(names, name)
		if err := os.WriteFile(filepath.Join(folder, name), unhex(tb, words[1]), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return folder, names
}

// describe writes what original.py's describe does.
func describe(tb testing.TB, m *Metadata, tensors []Tensor) string {
	tb.Helper()
	var out strings.Builder
	for _, key := range m.Keys() {
		v, ok := m.Meta(key)
		if !ok {
			tb.Fatalf("%s is listed and not found", key)
		}
		kind := v.Kind().String()
		if v.Kind() == KindArray {
			kind += " of " + v.Elem().String()
		}
		values, ok := v.Any().([]any)
		if !ok {
			values = []any{v.Any()}
		}
		fmt.Fprintf(&out, "  meta %s %s", key, kind)
		for _, x := range values {
			out.WriteByte(' ')
			switch x := x.(type) {
			case string:
				fmt.Fprintf(&out, "%x", x)
			case bool:
				out.WriteString(map[bool]string{false: "0", true: "1"}[x])
			case float32:
				fmt.Fprintf(&out, "%x", binary.LittleEndian.AppendUint64(nil, math.Float64bits(float64(x))))
			case float64:
				fmt.Fprintf(&out, "%x", binary.LittleEndian.AppendUint64(nil, math.Float64bits(x)))
			default:
				fmt.Fprint(&out, x)
			}
		}
		out.WriteByte('\n')
	}
	for _, t := range tensors {
		fmt.Fprintf(&out, "  tensor %s %v %s %x\n", t.Name, t.Type, strings.ReplaceAll(fmt.Sprint(t.Shape), " ", ", "), floatBytes(dequantized(tb, t.Type, t.Data)))
	}
	return out.String()
}

// TestReadsWhatTheOriginalReads reads every file, a part of a split one for itself.
func TestReadsWhatTheOriginalReads(t *testing.T) {
	folder, names := originalFiles(t)
	var got strings.Builder
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		f, err := Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got.WriteString(name + "\n" + describe(t, &f.Metadata, f.Tensors))
	}
	want, err := os.ReadFile("testdata/values.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}
