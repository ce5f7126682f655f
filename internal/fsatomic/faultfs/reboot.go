package faultfs

import (
	"os"
	"path/filepath"
)

// Loss says what a crash takes with it.
type Loss int

const (
	// Killed: the process ended, the system went on. Everything written is there.
	Killed Loss = iota
	// PowerCut: only what was synced is there.
	PowerCut
	// NamesKept: names reached the disk by themselves, unsynced contents did not
	// (the classic renamed empty file).
	NamesKept
	// ContentsLost: names of the folder at the root's level reached the disk,
	// unsynced entries of folders below did not.
	ContentsLost
)

// Losses are all of them.
var Losses = []Loss{Killed, PowerCut, NamesKept, ContentsLost}

func (l Loss) String() string {
	return []string{"killed", "power cut", "names kept", "contents lost"}[l]
}

// Reboot makes the root what a crash now would leave. The FS is of no use after it.
func (f *FS) Reboot(loss Loss) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.crashed = true
	if loss == Killed {
		return nil
	}
	entries, err := os.ReadDir(f.root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(f.root, e.Name())); err != nil {
			return err
		}
	}
	return restore(f.tree, f.root, loss, 0)
}

func restore(n *node, dir string, loss Loss, depth int) error {
	entries := n.durable
	if loss == NamesKept || loss == ContentsLost && depth == 0 {
		entries = n.live
	}
	for name, child := range entries {
		path := filepath.Join(dir, name)
		if !child.dir {
			if err := os.WriteFile(path, child.data, 0o644); err != nil {
				return err
			}
			continue
		}
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
		if err := restore(child, path, loss, depth+1); err != nil {
			return err
		}
	}
	return nil
}
