//go:build interop

package regex

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/oniguruma.jsonl by the original")

// The committed matches are what the original says today.
func TestInteropCommittedMatches(t *testing.T) {
	python := os.Getenv("CODEXML_PYTHON")
	if python == "" {
		python = "python3"
	}
	version, err := exec.Command(python, "-c", "import tokenizers; print(tokenizers.__version__)").Output()
	if err != nil || string(bytes.TrimSpace(version)) != "0.23.3" {
		t.Skipf("%s has no tokenizers 0.23.3 (name another in CODEXML_PYTHON): %v %s", python, err, version)
	}
	cmd := exec.Command(python, "original.py")
	cmd.Dir = "testdata"
	got, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	if *update {
		if err := os.WriteFile("testdata/oniguruma.jsonl", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/oniguruma.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("testdata/oniguruma.jsonl is not what the original says: look, then run with -update")
	}
}
