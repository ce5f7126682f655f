// Package checkpoint holds the commands codexml checkpoint: list, show, verify,
// prune and export what a run saved.
package checkpoint

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/checkpoint"
	"github.com/aries-serpent/codexml/cli/cmdenv"
)

// New makes the command group.
func New(env *cmdenv.Env) *cobra.Command {
	return cmdenv.Group("checkpoint", "List, show, verify, prune and export what a run saved",
		newList(env, nil), newShow(env, nil), newVerify(env, nil), newPrune(env, nil), newExport(env, nil))
}

// Options are the inputs of the commands; each uses what it has flags for.
type Options struct {
	Env        *cmdenv.Env
	Path       string // a run folder, its checkpoints folder, or a checkpoint
	Checkpoint string // last, best or a step
	KeepLast   int
	KeepEvery  int
	DryRun     bool
}

// target is what Options.Path names.
type target struct {
	store *checkpoint.Store // nil where path is a checkpoint
	path  string            // of the checkpoint
}

// find looks at Path. A folder without checkpoints is bad input.
func (o *Options) find() (target, error) {
	path := o.Env.Path(o.Path)
	if _, err := os.Stat(path); err != nil {
		return target{}, cmdenv.BadInput(fmt.Errorf("find checkpoints: %w", err))
	}
	if _, err := os.Stat(filepath.Join(path, checkpoint.MetaFile)); err == nil {
		return target{path: path}, nil
	}
	if sub := filepath.Join(path, "checkpoints"); isFolder(sub) {
		path = sub
	}
	store, err := checkpoint.New(path, checkpoint.Options{Threads: o.Env.Threads})
	if err != nil {
		return target{}, err
	}
	infos, err := store.List()
	if err == nil && len(infos) == 0 {
		err = fmt.Errorf("%s: there are no checkpoints: name a run folder, its checkpoints folder, or a checkpoint", o.Path)
	}
	return target{store: store}, cmdenv.BadInput(err)
}

// store is find for commands that want all checkpoints of a run.
func (o *Options) findStore() (*checkpoint.Store, error) {
	t, err := o.find()
	if err == nil && t.store == nil {
		err = cmdenv.BadInput(fmt.Errorf("%s: want a run folder or its checkpoints folder, got a checkpoint", o.Path))
	}
	return t.store, err
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
