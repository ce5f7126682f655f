package testkit

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Python returns an interpreter that has the given packages, NAME==VERSION:
// CODEXML_PYTHON, or the python3 on the PATH. Without them the test is skipped, which
// the step interop of .ci/run takes for a failure.
func Python(tb testing.TB, packages ...string) string {
	tb.Helper()
	python := os.Getenv("CODEXML_PYTHON")
	if python == "" {
		python = "python3"
	}
	for _, p := range packages {
		name, want, _ := strings.Cut(p, "==")
		out, err := exec.Command(python, "-c", "import importlib.metadata as m; print(m.version('"+name+"'))").Output()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			tb.Skipf("%s has %s %q, want %s (pip install %s, and name its python in CODEXML_PYTHON): %v", python, name, got, want, p, err)
		}
	}
	return python
}
