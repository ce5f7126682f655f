package runs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aries-serpent/codexml/checkpoint"
	"github.com/aries-serpent/codexml/cli/cmdenv"
)

// Resume goes on from the newest intact checkpoint of the run. Data or a tokenizer
// that are not those of the checkpoint are refused unless allowChanged is set.
func (j *Job) Resume(allowChanged bool) (step int, err error) {
	if err := j.Store.Recover(); err != nil {
		return 0, err
	}
	return j.resumeNewest(j.Store, j.Folder.Dir, allowChanged)
}

// ResumeFrom begins the run with the state of another: path is its folder or one of
// its checkpoints. The run goes on at the checkpoint's step, which it saves as its
// own first.
func (j *Job) ResumeFrom(path string, allowChanged bool) (step int, err error) {
	if step, err = j.take(path, allowChanged); err != nil {
		return 0, err
	}
	_, err = j.save(j.Progress)
	return step, err
}

// take restores the state of a run or of one checkpoint.
func (j *Job) take(path string, allowChanged bool) (step int, err error) {
	if _, err := os.Stat(filepath.Join(path, ConfigFile)); err == nil {
		other, err := checkpoint.New(filepath.Join(path, Checkpoints), checkpoint.Options{Threads: j.env.Threads})
		if err != nil {
			return 0, cmdenv.BadInput(err)
		}
		return j.resumeNewest(other, path, allowChanged)
	}
	c, err := checkpoint.Open(path)
	if err == nil {
		err = j.restore(c, allowChanged)
	}
	return j.resumed(path, err)
}

// resumeNewest restores the newest checkpoint of a store that is intact.
func (j *Job) resumeNewest(store *checkpoint.Store, name string, allowChanged bool) (int, error) {
	_, skipped, err := store.LoadLatest(func(c *checkpoint.Checkpoint) error { return j.restore(c, allowChanged) })
	for _, s := range skipped {
		j.warnings = append(j.warnings, fmt.Sprintf("%v: going on from the one before", s.Err))
		j.env.Note("warning: %v: going on from the one before", s.Err)
	}
	return j.resumed(name, err)
}

func (j *Job) resumed(name string, err error) (int, error) {
	switch {
	case errors.Is(err, checkpoint.ErrNotFound), errors.Is(err, checkpoint.ErrCorrupt):
		return 0, cmdenv.BadInput(fmt.Errorf("resume %s: %w", name, err))
	case err != nil:
		return 0, cmdenv.BadInput(err)
	}
	j.startStep, j.startTokens = j.Next, j.Tokens
	return j.Next, nil
}

// restore takes a checkpoint's state, if its inputs are those of this run.
func (j *Job) restore(c *checkpoint.Checkpoint, allowChanged bool) (err error) {
	if err := j.unchanged(c.Meta, allowChanged); err != nil {
		return fmt.Errorf("resume %s: %w", c.Path, err)
	}
	j.Progress, err = j.Restore(c)
	return err
}

// unchanged compares the run's inputs with those of a checkpoint.
func (j *Job) unchanged(m checkpoint.Meta, allow bool) error {
	var changed []string
	for _, x := range []struct{ what, was, is string }{
		{"the training data (data.source_path)", m.DataSHA256, j.Inputs.Train.TextSHA256()},
		{"the tokenizer", m.TokenizerSHA256, j.Inputs.Train.TokenizerSHA256()},
	} {
		if x.was != x.is {
			changed = append(changed, fmt.Sprintf("%s changed: it has SHA-256 %s, the checkpoint was trained with %s", x.what, x.is, x.was))
		}
	}
	switch {
	case len(changed) == 0:
		return nil
	case allow:
		j.Note("warning: %s", strings.Join(changed, "; "))
		return nil
	}
	return fmt.Errorf("%s: restore it, or give --allow-changed", strings.Join(changed, "; "))
}
