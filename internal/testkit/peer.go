package testkit

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Peer runs a script of bench/peers with the pinned Python packages, gives it in
// as JSON on standard input and reads its standard output as JSON into out. Only
// interop tests call it: the first call on a machine installs the packages.
func Peer(tb testing.TB, script string, in, out any) {
	tb.Helper()
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		tb.Fatal("the test does not know where its source is")
	}
	peers := filepath.Join(filepath.Dir(here), "..", "..", "bench", "peers")
	stdin, err := json.Marshal(in)
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(peers, "python"), filepath.Join(peers, script))
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &stderr
	stdout, err := cmd.Output()
	if err != nil {
		tb.Fatalf("%s: %v\n%s", script, err, stderr.Bytes())
	}
	if err := json.Unmarshal(stdout, out); err != nil {
		tb.Fatalf("%s: %v in %.200q", script, err, stdout)
	}
}
