package testkit

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"
)

// Figures are named rows of numbers, as the peers' scripts write them: a line is
// a name, then numbers; "#" begins a comment line. See model/testdata/README.md.
type Figures struct {
	path string
	rows map[string][]float64
}

// ReadFigures reads such a file. A malformed line or a name given twice fails.
func ReadFigures(tb testing.TB, path string) Figures {
	tb.Helper()
	file, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	f := Figures{path, map[string][]float64{}}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 || fields[0][0] == '#' {
			continue
		}
		row := make([]float64, len(fields)-1)
		for i, text := range fields[1:] {
			if row[i], err = strconv.ParseFloat(text, 64); err != nil {
				tb.Fatalf("%s:%d: %v", path, n, err)
			}
		}
		if _, twice := f.rows[fields[0]]; twice {
			tb.Fatalf("%s:%d: %s is given twice", path, n, fields[0])
		}
		f.rows[fields[0]] = row
	}
	if err := lines.Err(); err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	return f
}

// Row returns the numbers of a name; an unknown name fails.
func (f Figures) Row(tb testing.TB, name string) []float64 {
	tb.Helper()
	row, ok := f.rows[name]
	if !ok {
		tb.Fatalf("%s: has no row %q", f.path, name)
	}
	return row
}

// Float32 is Row rounded to float32.
func (f Figures) Float32(tb testing.TB, name string) []float32 {
	tb.Helper()
	row := f.Row(tb, name)
	out := make([]float32, len(row))
	for i, v := range row {
		out[i] = float32(v)
	}
	return out
}

// Int32 is Row as integers; a number that is none fails.
func (f Figures) Int32(tb testing.TB, name string) []int32 {
	tb.Helper()
	row := f.Row(tb, name)
	out := make([]int32, len(row))
	for i, v := range row {
		if out[i] = int32(v); float64(out[i]) != v {
			tb.Fatalf("%s: row %q: %v is no 32-bit integer", f.path, name, v)
		}
	}
	return out
}
