package runs

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/config"
)

func TestTwoTrainersInOneFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	first, err := Create(dir, config.Default(), nil, false)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "another process trains in this folder") {
			t.Fatalf("got %v, want a refusal", err)
		}
	}
	_, err = Create(dir, config.Default(), nil, true)
	refused(err)
	second, _, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	refused(second.Lock())
	if err := first.Unlock(); err != nil {
		t.Fatal(err)
	}
	if err := second.Lock(); err != nil {
		t.Fatalf("after the first is done: %v", err)
	}
	if err := second.Unlock(); err != nil {
		t.Fatal(err)
	}
	if third, err := Create(dir, config.Default(), nil, true); err != nil {
		t.Fatalf("a folder in which nobody trains: %v", err)
	} else if err := third.Unlock(); err != nil {
		t.Fatal(err)
	}
}
