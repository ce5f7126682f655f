package fsatomic_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/aries-serpent/codexml/internal/fsatomic"
	"github.com/aries-serpent/codexml/internal/fsatomic/faultfs"
)

func fill(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

// fillDir writes a file of some size, a nested one and an empty one.
func fillDir(text string) func(*fsatomic.Dir) error {
	return func(d *fsatomic.Dir) error {
		return errors.Join(
			d.WriteFile("a", 0o644, fill(strings.Repeat(text, 100))),
			d.WriteFile("sub/deep/b", 0o644, fill(text)),
			d.WriteFile("sub/empty", 0o644, fill("")))
	}
}

// snapshot lists a folder's files with their contents, temporaries left out.
func snapshot(t *testing.T, root string) string {
	t.Helper()
	var out strings.Builder
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if fsatomic.IsTemporary(d.Name()) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			fmt.Fprintf(&out, "%s/\n", filepath.ToSlash(rel))
			return nil
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(&out, "%s %d %.20s\n", filepath.ToSlash(rel), len(data), data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func wantNoTemporaries(t *testing.T, root string) {
	t.Helper()
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if fsatomic.IsTemporary(e.Name()) {
			t.Errorf("left behind: %s", e.Name())
		}
	}
}

// actions are the writes under test; each turns the state of setup into another.
var actions = []struct {
	name  string
	setup func(root string) error
	run   func(w fsatomic.Writer, root string) error
}{
	{"new file", func(string) error { return nil },
		func(w fsatomic.Writer, root string) error {
			return w.WriteFile(filepath.Join(root, "f"), 0o644, fill("new"))
		}},
	{"replaced file", func(root string) error { return os.WriteFile(filepath.Join(root, "f"), []byte("older"), 0o644) },
		func(w fsatomic.Writer, root string) error {
			return w.WriteFile(filepath.Join(root, "f"), 0o644, fill("new"))
		}},
	{"new folder", func(string) error { return nil },
		func(w fsatomic.Writer, root string) error {
			return w.WriteDir(filepath.Join(root, "d"), fillDir("new"))
		}},
	{"replaced folder", writeOlder,
		func(w fsatomic.Writer, root string) error {
			return w.WriteDir(filepath.Join(root, "d"), fillDir("new"))
		}},
	{"removed folder", writeOlder,
		func(w fsatomic.Writer, root string) error { return w.RemoveDir(filepath.Join(root, "d")) }},
}

// writeOlder makes the folder that an action replaces, without the real disk's syncs.
func writeOlder(root string) error {
	sys, err := faultfs.New(root)
	if err != nil {
		return err
	}
	return fsatomic.Writer{System: sys}.WriteDir(filepath.Join(root, "d"), fillDir("older"))
}

// run prepares a root, lets set arm the faults, and runs the action. It returns the
// states before and after, and the action's error.
func run(t *testing.T, i int, arm func(*faultfs.FS)) (root, before string, sys *faultfs.FS, err error) {
	t.Helper()
	root = faultfs.TempDir(t)
	if err := actions[i].setup(root); err != nil {
		t.Fatal(err)
	}
	before = snapshot(t, root)
	sys, err = faultfs.New(root)
	if err != nil {
		t.Fatal(err)
	}
	arm(sys)
	return root, before, sys, actions[i].run(fsatomic.Writer{System: sys}, root)
}

func nothing(*faultfs.FS) {}

// TestCrashAnywhere crashes at every operation and every byte. What is left is the
// old state or the new one, and the new one once the call has returned nil.
func TestCrashAnywhere(t *testing.T) {
	for i, action := range actions {
		t.Run(action.name, func(t *testing.T) {
			root, before, sys, err := run(t, i, nothing)
			if err != nil {
				t.Fatal(err)
			}
			wantNoTemporaries(t, root)
			after := snapshot(t, root)
			if after == before {
				t.Fatal("the action does nothing")
			}
			var arms []func(*faultfs.FS)
			for n := range len(sys.Ops()) + 1 {
				arms = append(arms, func(f *faultfs.FS) { f.CrashAt = n + 1 })
			}
			for b := int64(0); b < sys.Written(); b = b + b/2 + 1 {
				arms = append(arms, func(f *faultfs.FS) { f.CrashAfter = b })
			}
			for _, arm := range arms {
				for _, loss := range faultfs.Losses {
					root, _, sys, err := run(t, i, arm)
					if rebootErr := sys.Reboot(loss); rebootErr != nil {
						t.Fatal(rebootErr)
					}
					if _, cleanErr := fsatomic.Clean(root); cleanErr != nil {
						t.Fatal(cleanErr)
					}
					wantNoTemporaries(t, root)
					if got := snapshot(t, root); got != after && (got != before || err == nil) {
						ops := sys.Ops()
						t.Fatalf("crash at %+v, %s: call returned %v, left\n%s", ops[len(ops)-1], loss, err, got)
					}
				}
			}
		})
	}
}

// TestFailureAnywhere fails each operation once: the call returns that error, the
// old state is there or all of the new, and nothing temporary stays.
func TestFailureAnywhere(t *testing.T) {
	for i, action := range actions {
		t.Run(action.name, func(t *testing.T) {
			root, before, sys, err := run(t, i, nothing)
			if err != nil {
				t.Fatal(err)
			}
			after := snapshot(t, root)
			for _, op := range sys.Ops() {
				root, _, _, err := run(t, i, func(f *faultfs.FS) {
					f.Fail = func(o faultfs.Op) error {
						if o.Number == op.Number {
							return syscall.ENOSPC
						}
						return nil
					}
				})
				if !errors.Is(err, syscall.ENOSPC) {
					t.Errorf("%+v failed, the call returned %v", op, err)
				}
				// A folder set aside stays for Clean while it is not sure that its name is taken or gone.
				if sure := op.Kind != "remove" && (op.Kind != "syncdir" || op.Path != "."); sure {
					wantNoTemporaries(t, root)
				}
				if got := snapshot(t, root); got != before && got != after {
					t.Errorf("%+v failed and left\n%s", op, got)
				}
			}
		})
	}
}

func TestShortWriteIsAnError(t *testing.T) {
	for i, action := range actions[:4] {
		root, before, _, err := run(t, i, func(f *faultfs.FS) { f.Short = func(op faultfs.Op) int { return op.Bytes / 2 } })
		if !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%s: got %v, want a short write", action.name, err)
		}
		if got := snapshot(t, root); got != before {
			t.Errorf("%s: left\n%s", action.name, got)
		}
		wantNoTemporaries(t, root)
	}
}

func TestShortLargeWriteIsAnError(t *testing.T) {
	root := t.TempDir()
	sys, err := faultfs.New(root)
	if err != nil {
		t.Fatal(err)
	}
	sys.Short = func(op faultfs.Op) int { return op.Bytes - 1 }
	big := make([]byte, 1<<20)
	err = fsatomic.Writer{System: sys}.WriteFile(filepath.Join(root, "f"), 0o644, func(w io.Writer) error {
		_, err := w.Write(big)
		return err
	})
	if !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v, want a short write", err)
	}
}

// TestFillErrors: whatever error fill returns comes back once, the path stays.
func TestFillErrors(t *testing.T) {
	for _, cause := range []error{errors.New("mine"), fs.ErrExist, fs.ErrNotExist} {
		root := t.TempDir()
		calls := 0
		err := fsatomic.WriteFile(filepath.Join(root, "f"), 0o644, func(io.Writer) error { calls++; return cause })
		if !errors.Is(err, cause) || calls != 1 {
			t.Errorf("WriteFile: fill returned %v: got %v after %d calls", cause, err, calls)
		}
		err = fsatomic.WriteDir(filepath.Join(root, "d"), func(d *fsatomic.Dir) error { calls++; return cause })
		if !errors.Is(err, cause) || calls != 2 {
			t.Errorf("WriteDir: fill returned %v: got %v after %d calls", cause, err, calls)
		}
		if entries, _ := os.ReadDir(root); len(entries) != 0 {
			t.Errorf("fill returned %v: left %v", cause, entries)
		}
	}
}

func TestFillPanics(t *testing.T) {
	root := t.TempDir()
	f := func(call func()) {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
			if entries, _ := os.ReadDir(root); len(entries) != 0 {
				t.Errorf("left %v", entries)
			}
		}()
		call()
	}
	f(func() { _ = fsatomic.WriteFile(filepath.Join(root, "f"), 0o644, func(io.Writer) error { panic("no") }) })
	f(func() { _ = fsatomic.WriteDir(filepath.Join(root, "d"), func(*fsatomic.Dir) error { panic("no") }) })
}

func TestWriteFileOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	big := bytes.Repeat([]byte("0123456789"), 50_000)
	for _, data := range [][]byte{nil, []byte("x"), big} {
		if err := fsatomic.WriteFile(path, 0o600, func(w io.Writer) error { _, err := w.Write(data); return err }); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, data) {
			t.Errorf("wrote %d bytes, read %d, %v", len(data), len(got), err)
		}
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestMissingFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "f")
	if err := fsatomic.WriteFile(path, 0o644, fill("x")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("WriteFile: %v", err)
	}
	if err := fsatomic.WriteDir(path, fillDir("x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("WriteDir: %v", err)
	}
	if err := fsatomic.RemoveDir(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("RemoveDir: %v", err)
	}
	if _, err := fsatomic.Clean(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Clean: %v", err)
	}
}

func TestMkdirAllSyncsParents(t *testing.T) {
	root := t.TempDir()
	sys, err := faultfs.New(root)
	if err != nil {
		t.Fatal(err)
	}
	w := fsatomic.Writer{System: sys}
	for range 2 {
		if err := w.MkdirAll(filepath.Join(root, "a", "b", "c"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := sys.Reboot(faultfs.PowerCut); err != nil {
		t.Fatal(err)
	}
	if got, want := snapshot(t, root), "./\na/\na/b/\na/b/c/\n"; got != want {
		t.Errorf("after a power cut:\n%swant\n%s", got, want)
	}
	if err := os.WriteFile(filepath.Join(root, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := fsatomic.MkdirAll(filepath.Join(root, "file", "x"), 0o755); err == nil {
		t.Error("made a folder below a file")
	}
}

func TestIsTemporary(t *testing.T) {
	f := func(name string, want bool) {
		t.Helper()
		if got := fsatomic.IsTemporary(name); got != want {
			t.Errorf("IsTemporary(%q) = %v", name, got)
		}
	}
	f(".step-1.tmp-0123abcd", true)
	f(".step-1.old-0123abcd", true)
	f(".a.tmp-x.tmp-0123abcd", true)
	f("step-1.tmp-0123abcd", false)
	f(".step-1.tmp-0123abcg", false)
	f(".step-1.tmp-0123ab", false)
	f("..tmp-0123abcd", false)
	f(".tmp-0123abcd", false)
	f("", false)
	f("step-1", false)
}

func TestCleanLeavesTheRest(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"keep", ".hidden", ".keep.tmp-00000001", ".keep.old-00000002"} {
		if err := os.WriteFile(filepath.Join(root, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	removed, err := fsatomic.Clean(root)
	if err != nil || fmt.Sprint(removed) != "[.keep.old-00000002 .keep.tmp-00000001]" {
		t.Errorf("Clean: %v, %v", removed, err)
	}
	if got, want := snapshot(t, root), "./\n.hidden 0 \nkeep 0 \n"; got != want {
		t.Errorf("left\n%s", got)
	}
}

func TestDirRejectsOutsidePaths(t *testing.T) {
	_ = fsatomic.WriteDir(filepath.Join(t.TempDir(), "d"), func(d *fsatomic.Dir) error {
		for _, name := range []string{"", ".", "..", "../x", "/x", "a/../../x"} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%q was accepted", name)
					}
				}()
				_ = d.WriteFile(name, 0o644, fill(""))
			}()
		}
		return nil
	})
}
