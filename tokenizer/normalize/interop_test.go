//go:build interop

package normalize

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/internal/testkit"
)

// pinned are the versions of the originals that the committed files come from.
const pinned = "0.23.3 0.2.3"

// The committed files are what the originals say today. -update rewrites them.
func TestInteropCommittedFiles(t *testing.T) {
	python := os.Getenv("CODEXML_PYTHON")
	if python == "" {
		python = "python3"
	}
	out, err := exec.Command(python, "-c", "import tokenizers, sentencepiece; print(tokenizers.__version__, sentencepiece.__version__)").CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != pinned {
		t.Skipf("%s: want tokenizers and sentencepiece %s (name a python that has them in CODEXML_PYTHON), got %s", python, pinned, got)
	}
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
