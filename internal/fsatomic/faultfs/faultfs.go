// Package faultfs is a fsatomic.System for tests: it works on a real folder, fails
// where it is told to, crashes at any operation or byte, and shows what a power
// cut would have left. An FS may be used from several goroutines; operations are
// numbered in the order in which they start.
package faultfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/aries-serpent/codexml/internal/fsatomic"
)

// ErrCrashed is what every operation returns after the crash.
var ErrCrashed = errors.New("faultfs: crashed")

// Op is one operation of the code under test.
type Op struct {
	Number int    // from 1
	Kind   string // create, write, sync, close, mkdir, rename, syncdir, remove
	Path   string // below the root, with slashes; of a rename, the source
	Bytes  int    // of a write
}

// FS is the file system. Set the fields before its first use.
type FS struct {
	// Fail is asked before each operation; an error makes it fail without effect.
	Fail func(Op) error
	// Short is asked before each write for how many bytes to write; fewer than
	// Op.Bytes makes the write short, and without an error as only a broken file would.
	Short func(Op) int
	// CrashAt is the number of the operation that does not happen any more, nor do
	// those after it; 0 is never.
	CrashAt int
	// CrashAfter crashes inside the write that would exceed this number of bytes
	// written in all; below 0 is never. New sets -1.
	CrashAfter int64

	mu      sync.Mutex
	root    string
	tree    *node
	ops     []Op
	written int64
	crashed bool
}

// node is a file or folder as a running system sees it (live) and as the disk has
// it (durable).
type node struct {
	dir           bool
	live, durable map[string]*node
	data          []byte // of a file: durable contents
}

func newDir() *node { return &node{dir: true, live: map[string]*node{}, durable: map[string]*node{}} }

// New returns a file system whose root is an existing folder. What is in it counts
// as being on the disk.
func New(root string) (*FS, error) {
	tree, err := scan(root)
	return &FS{root: root, tree: tree, CrashAfter: -1}, err
}

func scan(dir string) (*node, error) {
	n := newDir()
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		child := &node{}
		if e.IsDir() {
			child, err = scan(path)
		} else {
			child.data, err = os.ReadFile(path)
		}
		if err != nil {
			return nil, err
		}
		n.live[e.Name()], n.durable[e.Name()] = child, child
	}
	return n, nil
}

// Ops lists the operations so far.
func (f *FS) Ops() []Op {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Op(nil), f.ops...)
}

// Written is the number of bytes written so far.
func (f *FS) Written() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.written
}

// do runs one operation under the lock unless it has to fail.
func (f *FS) do(kind, path string, bytes int, run func(op Op) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.crashed {
		return ErrCrashed
	}
	op := Op{Number: len(f.ops) + 1, Kind: kind, Path: f.rel(path), Bytes: bytes}
	f.ops = append(f.ops, op)
	if op.Number == f.CrashAt {
		f.crashed = true
		return ErrCrashed
	}
	if f.Fail != nil {
		if err := f.Fail(op); err != nil {
			return &fs.PathError{Op: kind, Path: path, Err: err}
		}
	}
	return run(op)
}

func (f *FS) rel(path string) string {
	rel, err := filepath.Rel(f.root, path)
	if err != nil || strings.HasPrefix(rel, "..") {
		panic(fmt.Sprintf("faultfs: %s is outside the root %s", path, f.root))
	}
	return filepath.ToSlash(rel)
}

// find returns the live node of a path below the root; nil if there is none.
func (f *FS) find(path string) *node {
	n := f.tree
	if rel := f.rel(path); rel != "." {
		for _, part := range strings.Split(rel, "/") {
			if n = n.live[part]; n == nil {
				return nil
			}
		}
	}
	return n
}

// Create is fsatomic.System's.
func (f *FS) Create(path string, perm fs.FileMode) (fsatomic.File, error) {
	var out fsatomic.File
	err := f.do("create", path, 0, func(Op) error {
		real, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
		if err != nil {
			return err
		}
		n := &node{}
		f.find(filepath.Dir(path)).live[filepath.Base(path)] = n
		out = &file{fs: f, node: n, path: path, real: real}
		return nil
	})
	return out, err
}

// Mkdir is fsatomic.System's.
func (f *FS) Mkdir(path string, perm fs.FileMode) error {
	return f.do("mkdir", path, 0, func(Op) error {
		if err := os.Mkdir(path, perm); err != nil {
			return err
		}
		f.find(filepath.Dir(path)).live[filepath.Base(path)] = newDir()
		return nil
	})
}

// Rename is fsatomic.System's.
func (f *FS) Rename(from, to string) error {
	return f.do("rename", from, 0, func(Op) error {
		if err := os.Rename(from, to); err != nil {
			return err
		}
		source := f.find(filepath.Dir(from))
		n := source.live[filepath.Base(from)]
		delete(source.live, filepath.Base(from))
		f.find(filepath.Dir(to)).live[filepath.Base(to)] = n
		return nil
	})
}

// SyncDir is fsatomic.System's.
func (f *FS) SyncDir(path string) error {
	return f.do("syncdir", path, 0, func(Op) error {
		n := f.find(path)
		if n == nil {
			return fs.ErrNotExist
		}
		n.durable = map[string]*node{}
		for name, child := range n.live {
			n.durable[name] = child
		}
		return nil
	})
}

// RemoveAll is fsatomic.System's. It counts as one operation per file and folder,
// deepest first, so that a crash can leave part of a folder.
func (f *FS) RemoveAll(path string) error {
	if entries, err := os.ReadDir(path); err == nil {
		for _, e := range entries {
			if err := f.RemoveAll(filepath.Join(path, e.Name())); err != nil {
				return err
			}
		}
	}
	return f.do("remove", path, 0, func(Op) error {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		if parent := f.find(filepath.Dir(path)); parent != nil {
			delete(parent.live, filepath.Base(path))
		}
		return nil
	})
}

type file struct {
	fs   *FS
	node *node
	path string
	real *os.File
}

func (f *file) Write(p []byte) (int, error) {
	n := 0
	err := f.fs.do("write", f.path, len(p), func(op Op) (err error) {
		keep, crash := len(p), false
		if f.fs.Short != nil {
			keep = f.fs.Short(op)
		}
		if left := f.fs.CrashAfter - f.fs.written; f.fs.CrashAfter >= 0 && int64(keep) > left {
			keep, crash = int(left), true
		}
		n, err = f.real.Write(p[:keep])
		f.fs.written += int64(n)
		if crash {
			f.fs.crashed = true
			return ErrCrashed
		}
		return err
	})
	return n, err
}

func (f *file) Sync() error {
	return f.fs.do("sync", f.path, 0, func(Op) (err error) {
		f.node.data, err = os.ReadFile(f.real.Name())
		return err
	})
}

// Close lets go of the real file whatever is injected.
func (f *file) Close() error {
	closeErr := f.real.Close()
	return f.fs.do("close", f.path, 0, func(Op) error { return closeErr })
}
