package fsatomic

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
)

const dirPerm = 0o755

// Dir is a folder being written by WriteDir. Its methods may be called from
// several goroutines.
type Dir struct {
	sys  System
	path string

	mu   sync.Mutex
	subs map[string]bool // sub-folders made
}

// Path is the folder's temporary path.
func (d *Dir) Path() string { return d.path }

// WriteFile writes and syncs a new file of the folder. The name may have
// sub-folders, separated by slashes, which are made.
func (d *Dir) WriteFile(name string, perm fs.FileMode, fill func(w io.Writer) error) error {
	if !fs.ValidPath(name) || name == "." {
		panic(fmt.Sprintf("fsatomic: Dir.WriteFile: %q is not a path inside the folder", name))
	}
	if err := d.mkdirs(path.Dir(name)); err != nil {
		return err
	}
	f, err := d.sys.Create(filepath.Join(d.path, filepath.FromSlash(name)), perm)
	if err == nil {
		err = fillAndSync(f, fill)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func (d *Dir) mkdirs(sub string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mkdirsLocked(sub)
}

func (d *Dir) mkdirsLocked(sub string) error {
	if sub == "." || d.subs[sub] {
		return nil
	}
	if err := d.mkdirsLocked(path.Dir(sub)); err != nil {
		return err
	}
	if err := d.sys.Mkdir(filepath.Join(d.path, filepath.FromSlash(sub)), dirPerm); err != nil {
		return err
	}
	d.subs[sub] = true
	return nil
}

// sync brings the entries of the folder and its sub-folders to the disk.
func (d *Dir) sync() error {
	for sub := range d.subs {
		if err := d.sys.SyncDir(filepath.Join(d.path, filepath.FromSlash(sub))); err != nil {
			return err
		}
	}
	return d.sys.SyncDir(d.path)
}

// WriteDir makes path a folder with what fill writes into it, replacing an older
// folder of that name. If fill or anything else fails, path stays as it was.
//
// Replacing takes two renames; a crash between them leaves nothing at path and
// both folders under temporary names. Clean then puts the old one back.
func WriteDir(path string, fill func(d *Dir) error) error { return Writer{}.WriteDir(path, fill) }

// WriteDir is the package's WriteDir on the writer's System.
func (w Writer) WriteDir(path string, fill func(d *Dir) error) error {
	if err := w.writeDir(path, fill); err != nil {
		return fmt.Errorf("write folder %s: %w", path, err)
	}
	return nil
}

func (w Writer) writeDir(path string, fill func(d *Dir) error) error {
	sys := w.system()
	temp, err := reserve(path, mark, func(name string) error { return sys.Mkdir(name, dirPerm) })
	if err != nil {
		return err
	}
	published := false
	defer func() {
		if !published {
			_ = sys.RemoveAll(temp) // the first failure is the one to report
		}
	}()
	d := &Dir{sys: sys, path: temp, subs: map[string]bool{}}
	if err := fill(d); err != nil {
		return err
	}
	if err := d.sync(); err != nil {
		return err
	}
	published, err = publish(sys, temp, path)
	return err
}

// publish renames the finished folder temp to path and says whether it is there.
func publish(sys System, temp, path string) (bool, error) {
	old := ""
	if _, err := os.Lstat(path); err == nil {
		if old, err = reserve(path, oldMark, func(name string) error { return sys.Rename(path, name) }); err != nil {
			return false, err
		}
	}
	if err := sys.Rename(temp, path); err != nil {
		if old != "" {
			err = errors.Join(err, sys.Rename(old, path))
		}
		return false, err
	}
	if err := sys.SyncDir(filepath.Dir(path)); err != nil {
		return true, err
	}
	if old != "" {
		return true, sys.RemoveAll(old)
	}
	return true, nil
}

// RemoveDir deletes a folder so that a crash leaves it whole or gone: it gets a
// temporary name first.
func RemoveDir(path string) error { return Writer{}.RemoveDir(path) }

// RemoveDir is the package's RemoveDir on the writer's System.
func (w Writer) RemoveDir(path string) error {
	sys := w.system()
	temp, err := reserve(path, mark, func(name string) error { return sys.Rename(path, name) })
	if err == nil {
		// Synced before the contents go, or a power cut could bring the name back without them.
		if err = sys.SyncDir(filepath.Dir(path)); err == nil {
			err = sys.RemoveAll(temp)
		}
	}
	if err != nil {
		return fmt.Errorf("remove folder %s: %w", path, err)
	}
	return nil
}
