package faultfs

import (
	"os"
	"testing"
)

// TempDir is tb.TempDir in memory, where the system has such a place: tests of
// crashes make and delete thousands of small files.
func TempDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "faultfs-")
	if err != nil {
		return tb.TempDir()
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	return dir
}
