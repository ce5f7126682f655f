package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Path finds a checkpoint's folder: "last", "best", a step (500 or step-500), or
// the path of a checkpoint anywhere. It does not open it.
func (s *Store) Path(which string) (string, error) {
	switch which {
	case "last":
		infos, err := s.newestFirst()
		if err != nil {
			return "", err
		}
		return infos[0].Path, nil
	case "best":
		best := s.bestNames()
		if len(best) == 0 {
			return "", fmt.Errorf("%w: %s ranks none: no metric was measured, or best_metric is not set", ErrNotFound, filepath.Join(s.root, bestFile))
		}
		return filepath.Join(s.root, best[0]), nil
	}
	name := which
	if step, err := strconv.Atoi(which); err == nil && step >= 0 {
		name = nameOf(step)
	}
	path := which
	if _, ok := stepOf(name); ok {
		path = filepath.Join(s.root, name)
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("%w: %s: want last, best, a path, or one of: %s", ErrNotFound, which, s.choices())
	} else if err != nil {
		return "", fmt.Errorf("find checkpoint: %w", err)
	}
	return path, nil
}

// choices names the newest checkpoints for a message.
func (s *Store) choices() string {
	steps, err := s.steps()
	if err != nil || len(steps) == 0 {
		return "(" + s.root + " has none)"
	}
	names := make([]string, len(steps))
	for i, step := range steps {
		names[i] = nameOf(step)
	}
	return few(names, ", ")
}

// newestFirst lists the checkpoints; none is an ErrNotFound.
func (s *Store) newestFirst() ([]Info, error) {
	infos, err := s.list()
	if err == nil && len(infos) == 0 {
		err = fmt.Errorf("%w: there is none in %s", ErrNotFound, s.root)
	}
	return infos, err
}

// Open opens a checkpoint by any name that Path takes. Save never deletes the one
// opened last.
func (s *Store) Open(which string) (*Checkpoint, error) {
	path, err := s.Path(which)
	if err != nil {
		return nil, err
	}
	return s.open(path)
}

func (s *Store) open(path string) (*Checkpoint, error) {
	c, err := Open(path)
	if err != nil {
		return nil, err
	}
	c.threads = s.options.Threads
	if filepath.Dir(path) == s.root {
		s.mu.Lock()
		s.loaded = filepath.Base(path)
		s.mu.Unlock()
	}
	return c, nil
}

// Load reads a checkpoint by any name that Path takes, verified.
func (s *Store) Load(which string) (State, error) {
	c, err := s.Open(which)
	if err != nil {
		return State{}, err
	}
	return c.Read()
}

// Skipped is a checkpoint that LoadLatest could not use.
type Skipped struct {
	Path string
	Err  *CorruptError
}

// LoadLatest loads the newest checkpoint that is intact, and says which newer ones
// are damaged and how. load reads what it wants of a checkpoint: ReadInto, as a
// rule. Whatever error it returns other than ErrCorrupt ends the search.
func (s *Store) LoadLatest(load func(c *Checkpoint) error) (*Checkpoint, []Skipped, error) {
	infos, err := s.newestFirst()
	if err != nil {
		return nil, nil, err
	}
	var skipped []Skipped
	for _, info := range infos {
		c, err := s.open(info.Path)
		if err == nil {
			err = load(c)
		}
		var corrupt *CorruptError
		if errors.As(err, &corrupt) {
			skipped = append(skipped, Skipped{info.Path, corrupt})
			continue
		}
		if err != nil {
			return nil, skipped, err
		}
		return c, skipped, nil
	}
	problems := make([]string, len(skipped))
	for i, skip := range skipped {
		problems[i] = skip.Err.Error()
	}
	return nil, skipped, fmt.Errorf("%w: none of the %d in %s is intact: %s", ErrCorrupt, len(skipped), s.root, strings.Join(problems, "; "))
}

// Verify reads a whole checkpoint and compares every hash. It is the same as Open
// and Checkpoint.Verify, but protects nothing.
func (s *Store) Verify(which string) error {
	path, err := s.Path(which)
	if err != nil {
		return err
	}
	c, err := Open(path)
	if err != nil {
		return err
	}
	c.threads = s.options.Threads
	return c.Verify()
}
