// Package fsatomic writes files and folders so that a reader, a crash or a full
// disk never meets half of one: what is new is written under a temporary name in
// the same folder, synced, and renamed into place, and the folder is synced too.
// When a call returns nil, what it wrote survives a power cut; when it returns an
// error, the name leads to what was there before (or, if only the last sync
// failed, to all of the new).
//
// Whatever codexml writes and later relies on goes through here: checkpoints,
// tokenizers, configurations. Calls on different paths may run at the same time.
// One process at a time should write to a folder: Clean takes the temporaries of
// any other for leftovers.
package fsatomic

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// bufferSize joins small writes; larger ones pass through uncopied.
const bufferSize = 64 << 10

// Writer writes through a System. The zero Writer writes to the real one, as the
// functions of the package do.
type Writer struct{ System System }

func (w Writer) system() System {
	if w.System == nil {
		return osSystem{}
	}
	return w.System
}

// WriteFile makes path a file with what fill writes, replacing an older one. perm
// is subject to the umask. If fill or anything else fails, path stays as it was.
func WriteFile(path string, perm fs.FileMode, fill func(w io.Writer) error) error {
	return Writer{}.WriteFile(path, perm, fill)
}

// WriteFile is the package's WriteFile on the writer's System.
func (w Writer) WriteFile(path string, perm fs.FileMode, fill func(w io.Writer) error) error {
	if err := w.writeFile(path, perm, fill); err != nil {
		return fmt.Errorf("write file %s: %w", path, err)
	}
	return nil
}

func (w Writer) writeFile(path string, perm fs.FileMode, fill func(w io.Writer) error) error {
	sys := w.system()
	var f File
	temp, err := reserve(path, mark, func(name string) (err error) {
		f, err = sys.Create(name, perm)
		return err
	})
	if err != nil {
		return err
	}
	published := false
	defer func() {
		if !published {
			_ = sys.RemoveAll(temp) // the first failure is the one to report
		}
	}()
	if err := fillAndSync(f, fill); err != nil {
		return err
	}
	if err := sys.Rename(temp, path); err != nil {
		return err
	}
	published = true
	return sys.SyncDir(filepath.Dir(path))
}

// fillAndSync fills a new file, brings it to the disk and closes it.
func fillAndSync(f File, fill func(w io.Writer) error) error {
	open := true
	defer func() {
		if open { // fill panicked
			_ = f.Close()
		}
	}()
	buf := bufio.NewWriterSize(wholeWriter{f}, bufferSize)
	err := fill(buf)
	if err == nil {
		err = buf.Flush()
	}
	if err == nil {
		err = f.Sync() // never tried again: after a failed sync the pages may be gone
	}
	open = false
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// wholeWriter turns a short write without an error into one.
type wholeWriter struct{ f io.Writer }

func (w wholeWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

// Temporary names are "." + base + mark + 8 hex digits: hidden, beside the
// target, and telling what they are leftovers of.
const (
	mark    = ".tmp-" // being written, or being deleted
	oldMark = ".old-" // a folder that is being replaced
)

// reserve calls try with temporary names for path until one is not taken, and
// returns that one.
func reserve(path, mark string, try func(name string) error) (string, error) {
	dir, base := filepath.Split(path)
	for range 100 {
		name := fmt.Sprintf("%s.%s%s%08x", dir, base, mark, rand.Uint32())
		if err := try(name); !errors.Is(err, fs.ErrExist) {
			return name, err
		}
	}
	return "", fmt.Errorf("no free temporary name for %s: %w", base, fs.ErrExist)
}

// MkdirAll makes the folder path with its parents, as os.MkdirAll does, and
// syncs the folders that hold new ones.
func MkdirAll(path string, perm fs.FileMode) error { return Writer{}.MkdirAll(path, perm) }

// MkdirAll is the package's MkdirAll on the writer's System.
func (w Writer) MkdirAll(path string, perm fs.FileMode) error {
	sys := w.system()
	if info, err := os.Stat(path); err == nil {
		if info.IsDir() {
			return nil
		}
		return fmt.Errorf("make folder %s: there is a file of that name", path)
	}
	parent := filepath.Dir(path)
	if parent == path {
		return fmt.Errorf("make folder %s: the file system's root is missing", path)
	}
	if err := w.MkdirAll(parent, perm); err != nil {
		return err
	}
	err := sys.Mkdir(path, perm)
	if errors.Is(err, fs.ErrExist) {
		return nil // someone else was faster
	}
	if err == nil {
		err = sys.SyncDir(parent)
	}
	if err != nil {
		return fmt.Errorf("make folder %s: %w", path, err)
	}
	return nil
}
