package fsatomic

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// IsTemporary says whether a base name is one that this package gives to what is
// not finished. Readers of a folder skip these.
func IsTemporary(name string) bool {
	_, _, ok := temporary(name)
	return ok
}

// temporary splits a temporary name into the target's name and the mark.
func temporary(name string) (target, kind string, ok bool) {
	const digits = 8
	for _, kind := range []string{mark, oldMark} {
		at := len(name) - digits - len(kind)
		if at > 1 && name[0] == '.' && name[at:at+len(kind)] == kind && strings.Trim(name[at+len(kind):], "0123456789abcdef") == "" {
			return name[1:at], kind, true
		}
	}
	return "", "", false
}

// Clean removes what interrupted writes left in a folder and returns the names it
// removed. A folder whose replacement was interrupted gets its name back. Only the
// one process that writes to the folder may call it, while it is not writing.
func Clean(dir string) ([]string, error) { return Writer{}.Clean(dir) }

// Clean is the package's Clean on the writer's System.
func (w Writer) Clean(dir string) ([]string, error) {
	sys := w.system()
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("clean folder: %w", err)
	}
	var removed []string
	for _, e := range entries {
		target, kind, ok := temporary(e.Name())
		if !ok {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if kind == oldMark {
			restored, err := restore(sys, path, filepath.Join(dir, target))
			if err != nil {
				return removed, fmt.Errorf("clean folder %s: %w", dir, err)
			}
			if restored {
				continue
			}
		}
		if err := sys.RemoveAll(path); err != nil {
			return removed, fmt.Errorf("clean folder %s: %w", dir, err)
		}
		removed = append(removed, e.Name())
	}
	return removed, nil
}

// restore gives a folder set aside its name back, unless the new one has it.
func restore(sys System, old, path string) (bool, error) {
	if _, err := os.Lstat(path); err == nil {
		return false, nil
	}
	if err := sys.Rename(old, path); err != nil {
		return false, err
	}
	return true, sys.SyncDir(filepath.Dir(path))
}
