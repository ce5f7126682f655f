// Package runs is where the parts of a run meet: configuration, data, tokenizer,
// model, trainer, checkpoints and records, in a run folder. train, resume,
// quickstart, generate and verify are built on it. It belongs to one run of one
// command.
package runs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"github.com/aries-serpent/codexml/config"
	"github.com/aries-serpent/codexml/internal/fsatomic"
)

// The files of a run folder that this package writes.
const (
	ConfigFile    = "config.yaml"
	OverridesFile = "overrides.txt"
	TokenizerFile = "tokenizer.json"
	Checkpoints   = "checkpoints"
	cacheFolder   = "cache"
	lockFile      = "lock"
)

// Folder is a run folder.
type Folder struct {
	Dir string // absolute
	Run *config.Run

	lock *flock.Flock // held while this process trains here; nil until then
}

// Create makes the run's folder and locks it. One that exists is refused, unless
// force is set and it is a run folder in which no process trains: its files are then
// replaced.
func Create(dir string, run *config.Run, overrides []string, force bool) (*Folder, error) {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("create run: %w", err)
	case len(entries) > 0 && !force:
		return nil, fmt.Errorf("create run: %s exists and is not empty: choose another folder, or give --force to replace it", dir)
	case len(entries) > 0:
		if _, err := os.Stat(filepath.Join(dir, ConfigFile)); err != nil {
			return nil, fmt.Errorf("create run: %s exists, but is no run folder (it has no %s), so --force does not replace it: choose another folder", dir, ConfigFile)
		}
		if err := remove(dir); err != nil {
			return nil, fmt.Errorf("create run: %w", err)
		}
	}
	if err := fsatomic.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create run: %w", err)
	}
	f := &Folder{Dir: dir, Run: run}
	if err := f.Lock(); err != nil {
		return nil, fmt.Errorf("create run: %w", err)
	}
	if err := errors.Join(f.WriteConfig(), f.WriteOverrides(overrides)); err != nil {
		return nil, errors.Join(err, f.Unlock())
	}
	return f, nil
}

// remove removes a run folder in which no process trains.
func remove(dir string) error {
	old := &Folder{Dir: dir}
	if err := old.Lock(); err != nil {
		return err
	}
	if err := old.Unlock(); err != nil { // an open file cannot be removed everywhere
		return err
	}
	return fsatomic.RemoveDir(dir)
}

// Lock keeps other processes from training in the folder. The system gives the lock
// back when the process ends, however that comes about.
func (f *Folder) Lock() error {
	if f.lock != nil {
		return nil
	}
	lock := flock.New(f.Path(lockFile))
	held, err := lock.TryLock()
	if err != nil {
		return fmt.Errorf("lock %s: %w", f.Dir, err)
	}
	if !held {
		return fmt.Errorf("lock %s: another process trains in this folder: wait for it or stop it, or choose another folder", f.Dir)
	}
	f.lock = lock
	return nil
}

// Unlock lets others train in the folder.
func (f *Folder) Unlock() error {
	if f.lock == nil {
		return nil
	}
	lock := f.lock
	f.lock = nil
	return lock.Close()
}

// WriteConfig writes the resolved configuration.
func (f *Folder) WriteConfig() error { return f.write(ConfigFile, f.Run.YAML()) }

// WriteOverrides records the overrides that the command line gave.
func (f *Folder) WriteOverrides(overrides []string) error {
	text := strings.Join(overrides, "\n")
	if text != "" {
		text += "\n"
	}
	return f.write(OverridesFile, []byte(text))
}

func (f *Folder) write(name string, data []byte) error {
	return fsatomic.WriteFile(f.Path(name), 0o644, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Path is a file of the folder.
func (f *Folder) Path(name string) string { return filepath.Join(f.Dir, name) }

// Open reads a run folder's configuration, with overrides on top.
func Open(dir string, overrides []string) (*Folder, []config.Note, error) {
	if info, err := os.Stat(dir); err != nil {
		return nil, nil, fmt.Errorf("open run: %w", err)
	} else if !info.IsDir() {
		return nil, nil, fmt.Errorf("open run: %s is no folder: name the folder that train or quickstart wrote", dir)
	}
	run, notes, err := config.Load(filepath.Join(dir, ConfigFile), overrides)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("open run: %s has no %s: name the folder that train or quickstart wrote", dir, ConfigFile)
	}
	if err != nil {
		return nil, notes, err
	}
	return &Folder{Dir: dir, Run: run}, notes, nil
}
