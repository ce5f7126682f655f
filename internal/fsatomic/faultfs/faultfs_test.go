package faultfs

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestLosses: what was never synced is lost, by kind of loss.
func TestLosses(t *testing.T) {
	f := func(loss Loss, want string) {
		t.Helper()
		root := t.TempDir()
		sys, err := New(root)
		if err != nil {
			t.Fatal(err)
		}
		a, err := sys.Create(filepath.Join(root, "a"), 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Write([]byte("text")); err != nil {
			t.Fatal(err)
		}
		if err := sys.Reboot(loss); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(root, "a"))
		if err != nil {
			got = []byte("none")
		}
		if string(got) != want {
			t.Errorf("%s: got %q, want %q", loss, got, want)
		}
		if _, err := a.Write(nil); !errors.Is(err, ErrCrashed) {
			t.Errorf("%s: a write after the crash: %v", loss, err)
		}
		_ = a.Close()
	}
	f(Killed, "text")
	f(PowerCut, "none")
	f(NamesKept, "")
	f(ContentsLost, "")
}

func TestCrashInsideWrite(t *testing.T) {
	root := t.TempDir()
	sys, err := New(root)
	if err != nil {
		t.Fatal(err)
	}
	sys.CrashAfter = 6
	a, err := sys.Create(filepath.Join(root, "a"), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	_, first := a.Write([]byte("text"))
	n, second := a.Write([]byte("more"))
	if first != nil || !errors.Is(second, ErrCrashed) || n != 2 {
		t.Errorf("writes returned %v, %d %v", first, n, second)
	}
	_ = a.Close()
	if got, _ := os.ReadFile(filepath.Join(root, "a")); string(got) != "textmo" {
		t.Errorf("left %q", got)
	}
}
