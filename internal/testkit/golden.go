package testkit

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files of the package under test")

// Updating says whether -update was given: for goldens that a test writes itself.
func Updating() bool { return *update }

// Golden compares got with the text in path, line by line, or writes it there
// when -update is given. A golden that is missing fails.
func Golden(tb testing.TB, path, got string) {
	tb.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			tb.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		tb.Fatalf("%v: go test -update writes it", err)
	}
	if message := firstLine(got, string(want)); message != "" {
		tb.Fatalf("%s: %s\nif the change is meant, go test -update rewrites the file: read its diff", path, message)
	}
}

// firstLine describes the first line in which got and want differ, "" if none.
func firstLine(got, want string) string {
	if got == want {
		return ""
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		switch {
		case i >= len(g):
			return "line " + strconv.Itoa(i+1) + " is missing, want " + strconv.Quote(w[i])
		case i >= len(w):
			return "line " + strconv.Itoa(i+1) + " is too many: " + strconv.Quote(g[i])
		case g[i] != w[i]:
			return "line " + strconv.Itoa(i+1) + "\n got  " + strconv.Quote(g[i]) + "\n want " + strconv.Quote(w[i])
		}
	}
	return ""
}

// Cases lists the files in dir whose names end in suffix, sorted, so that adding
// a case is adding a file. An empty folder fails.
func Cases(tb testing.TB, dir, suffix string) []string {
	tb.Helper()
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		tb.Fatal(err)
	}
	var paths []string
	for _, e := range entries {
		if !e.IsDir() && strings.HasSuffix(e.Name(), suffix) {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	if len(paths) == 0 {
		tb.Fatalf("%s: no file ends in %q", dir, suffix)
	}
	return paths
}
