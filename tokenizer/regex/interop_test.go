//go:build interop

package regex

import (
	"os/exec"
	"testing"

	"github.com/aries-serpent/codexml/internal/testkit"
)

// The committed matches are what the original says today. -update rewrites them.
func TestInteropCommittedMatches(t *testing.T) {
	cmd := exec.Command(testkit.Python(t, "tokenizers==0.23.3"), "original.py")
	cmd.Dir = "testdata"
	got, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	testkit.Golden(t, "testdata/oniguruma.jsonl", string(got))
}
