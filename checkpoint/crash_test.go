package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aries-serpent/codexml/internal/fsatomic"
	"github.com/aries-serpent/codexml/internal/fsatomic/faultfs"
)

// interrupted is a save to be interrupted: the store before it, and what is saved.
// Metrics make the first checkpoint the best, so that retention has to delete one.
type interrupted struct {
	name   string
	before []State
	saved  State
}

func interruptions() []interrupted {
	with := func(step int, loss float64) State {
		state := newState(step)
		state.Meta.Metrics = map[string]float64{"val_loss": loss}
		return state
	}
	again := with(9, 0.4)
	again.Weights[0].F32[0]++
	return []interrupted{
		{"first", nil, with(1, 1)},
		{"new, deleting one", []State{with(1, 0.1), with(5, 0.5), with(9, 0.4)}, with(13, 0.3)},
		{"new best", []State{with(1, 0.1), with(5, 0.5), with(9, 0.4)}, with(13, 0.01)},
		{"replacing", []State{with(5, 0.5), with(9, 0.6)}, again},
		{"after a restart", []State{with(5, 0.5), with(9, 0.6), with(6, 0.1)}, with(7, 0.2)},
	}
}

var crashOptions = Options{KeepLast: 2, BestK: 1, BestMetric: "val_loss"}

// start makes the store before the save and saves with faults armed.
func (i interrupted) start(tb testing.TB, arm func(*faultfs.FS)) (root string, sys *faultfs.FS, err error) {
	tb.Helper()
	root = faultfs.TempDir(tb)
	save(tb, newStore(tb, root, crashOptions), i.before...)
	sys, err = faultfs.New(root)
	if err != nil {
		tb.Fatal(err)
	}
	arm(sys)
	options := crashOptions
	options.System = sys
	_, err = newStore(tb, root, options).Save(i.saved)
	return root, sys, err
}

// outcome loads what is left and says whether it is the saved state. Anything but
// that state or the one before, whole, fails the test.
func (i interrupted) outcome(tb testing.TB, root, when string) (saved bool) {
	tb.Helper()
	s := newStore(tb, root, crashOptions)
	if err := s.Recover(); err != nil {
		tb.Fatalf("%s: recover: %v", when, err)
	}
	got, skipped, err := s.loadLatest()
	if len(i.before) == 0 && errors.Is(err, ErrNotFound) {
		return false
	}
	if err != nil || len(skipped) > 0 {
		tb.Fatalf("%s: load: %v, skipped %v", when, err, skipped)
	}
	want := i.saved
	if saved = SHA256(got.Weights) == SHA256(want.Weights); !saved {
		if len(i.before) == 0 {
			tb.Fatalf("%s: loaded something else", when)
		}
		want = i.before[len(i.before)-1]
	}
	wantSame(tb, got, want)
	i.wantSound(tb, s, when)
	return saved
}

// wantSound verifies all that is in the store: every checkpoint is whole, and last
// and best lead to one.
func (i interrupted) wantSound(tb testing.TB, s *Store, when string) {
	tb.Helper()
	infos, err := s.List()
	if err != nil {
		tb.Fatalf("%s: %v", when, err)
	}
	for _, info := range infos {
		if err := s.Verify(info.Name); err != nil {
			tb.Fatalf("%s: %v", when, err)
		}
	}
	if len(i.before) > 0 {
		if _, err := s.Load("best"); err != nil {
			tb.Fatalf("%s: best: %v", when, err)
		}
	}
	entries, err := os.ReadDir(s.Root())
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range entries {
		if fsatomic.IsTemporary(e.Name()) {
			tb.Fatalf("%s: left behind %s", when, e.Name())
		}
	}
}

// loadLatest is LoadLatest of everything.
func (s *Store) loadLatest() (State, []Skipped, error) {
	var state State
	_, skipped, err := s.LoadLatest(func(c *Checkpoint) (err error) { state, err = c.Read(); return err })
	return state, skipped, err
}

// TestCrashLosesAtMostThatSave crashes a save at every operation and at many bytes,
// with every kind of loss.
func TestCrashLosesAtMostThatSave(t *testing.T) {
	for _, i := range interruptions() {
		t.Run(i.name, func(t *testing.T) {
			root, sys, err := i.start(t, func(*faultfs.FS) {})
			if err != nil || !i.outcome(t, root, "no crash") {
				t.Fatalf("without a crash: %v", err)
			}
			ops, written := sys.Ops(), sys.Written()
			for n := range len(ops) + 1 {
				for _, loss := range faultfs.Losses {
					root, sys, err := i.start(t, func(f *faultfs.FS) { f.CrashAt = n + 1 })
					i.afterCrash(t, root, sys, loss, err, fmt.Sprintf("crash at operation %d, %s", n+1, loss))
				}
			}
			for b := int64(0); b < written; b += 1 + written/30 {
				root, sys, err := i.start(t, func(f *faultfs.FS) { f.CrashAfter = b })
				i.afterCrash(t, root, sys, faultfs.Killed, err, fmt.Sprintf("killed after byte %d", b))
			}
		})
	}
}

func (i interrupted) afterCrash(t *testing.T, root string, sys *faultfs.FS, loss faultfs.Loss, saveErr error, when string) {
	t.Helper()
	if err := sys.Reboot(loss); err != nil {
		t.Fatal(err)
	}
	// Readers that do not recover find something whole too.
	reader := newStore(t, root, crashOptions)
	if _, skipped, err := reader.loadLatest(); (err != nil || len(skipped) > 0) && !errors.Is(err, ErrNotFound) {
		t.Fatalf("%s: a reader: %v, skipped %v", when, err, skipped)
	}
	if saved := i.outcome(t, root, when); !saved && saveErr == nil {
		t.Fatalf("%s: Save returned nil, but the checkpoint is not there", when)
	}
}

// TestFailedOperations fails each operation of a save once: the save says so, and
// what is left is the state before or the one saved.
func TestFailedOperations(t *testing.T) {
	for _, i := range interruptions() {
		t.Run(i.name, func(t *testing.T) {
			_, sys, err := i.start(t, func(*faultfs.FS) {})
			if err != nil {
				t.Fatal(err)
			}
			for n := range sys.Ops() {
				root, _, err := i.start(t, func(f *faultfs.FS) {
					f.Fail = func(op faultfs.Op) error {
						if op.Number == n+1 {
							return syscall.ENOSPC
						}
						return nil
					}
				})
				if !errors.Is(err, syscall.ENOSPC) {
					t.Fatalf("operation %d failed, Save returned %v", n+1, err)
				}
				saved := i.outcome(t, root, fmt.Sprintf("operation %d failed", n+1))
				if strings.Contains(err.Error(), "is saved, but") && !saved {
					t.Fatalf("operation %d failed: %v, but it is not there", n+1, err)
				}
			}
		})
	}
}

// TestFullDisk fails every write from some byte on, as a full disk does.
func TestFullDisk(t *testing.T) {
	i := interruptions()[1]
	var total int64
	for limit := int64(0); limit == 0 || limit < total; limit += 97 {
		root, sys, err := i.start(t, func(f *faultfs.FS) {
			room := limit
			if limit == 0 {
				room = 1 << 30
			}
			f.Fail = func(op faultfs.Op) error {
				if room -= int64(op.Bytes); op.Kind == "write" && room < 0 {
					return syscall.ENOSPC
				}
				return nil
			}
		})
		if limit == 0 {
			total = sys.Written()
			continue
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("room for %d of %d bytes: Save returned %v", limit, total, err)
		}
		i.outcome(t, root, fmt.Sprintf("room for %d bytes", limit))
		if matches, _ := filepath.Glob(filepath.Join(root, ".*")); len(matches) > 0 {
			t.Fatalf("room for %d bytes: left %v", limit, matches)
		}
	}
}

// TestSaveAfterCrash: a store that crashed goes on.
func TestSaveAfterCrash(t *testing.T) {
	for _, i := range interruptions() {
		for _, at := range []int{3, 8, 14, 18} {
			root, sys, _ := i.start(t, func(f *faultfs.FS) { f.CrashAt = at })
			if err := sys.Reboot(faultfs.Killed); err != nil {
				t.Fatal(err)
			}
			s := newStore(t, root, crashOptions)
			save(t, s, i.saved) // without Recover
			if !i.outcome(t, root, "saved again") {
				t.Errorf("%s: crash at %d: the second save is not there", i.name, at)
			}
		}
	}
}
