package mmap

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, want := range []string{"", "x", strings.Repeat("page", 4096)} {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		image, unmap, err := Open(path)
		if err != nil || string(image) != want {
			t.Fatalf("%d bytes, %v, want %d", len(image), err, len(want))
		}
		if err := unmap(); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := Open(filepath.Dir(path)); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("a folder: %v", err)
	}
	if _, _, err := Open(path + "x"); !os.IsNotExist(err) {
		t.Errorf("nothing: %v", err)
	}
}
