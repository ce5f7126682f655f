//go:build interop

package normalize

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aries-serpent/codexml/internal/testkit"
)

// The committed files are what the originals say today. -update rewrites them.
func TestInteropCommittedFiles(t *testing.T) {
	python := testkit.Python(t, "tokenizers==0.23.3", "sentencepiece==0.2.3")
	dir := filepath.Join(t.TempDir(), "testdata")
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "original.py")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	for _, name := range []string{"characters.txt", "testdata/codepoints.sha256", "testdata/cases.jsonl", "testdata/spm.sha256", "testdata/spm.jsonl"} {
		got, err := os.ReadFile(filepath.Join(filepath.Dir(dir), name))
		if err != nil {
			t.Fatal(err)
		}
		testkit.Golden(t, name, string(got))
	}
}
