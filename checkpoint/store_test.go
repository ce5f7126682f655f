package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aries-serpent/codexml/internal/fsatomic/faultfs"
)

func withLoss(step int, loss float64) State {
	return State{Step: step, Meta: Meta{Metrics: map[string]float64{"val_loss": loss}}}
}

// present lists the checkpoints' steps, the newest first, and best.json's.
func present(tb testing.TB, s *Store) string {
	tb.Helper()
	infos, err := s.List()
	if err != nil {
		tb.Fatal(err)
	}
	var all, best []string
	for _, info := range infos {
		all = append(all, fmt.Sprint(info.Step))
	}
	for _, name := range s.bestNames() {
		best = append(best, strings.TrimPrefix(name, prefix))
	}
	return strings.Join(all, " ") + " best " + strings.Join(best, " ")
}

func TestRetention(t *testing.T) {
	f := func(o Options, want string, states ...State) {
		t.Helper()
		o.BestMetric = "val_loss"
		s := newStore(t, "", o)
		save(t, s, states...)
		if got := present(t, s); got != want {
			t.Errorf("%+v: %s, want %s", o, got, want)
		}
	}
	falling := []State{withLoss(1, 5), withLoss(2, 4), withLoss(3, 3), withLoss(4, 2), withLoss(5, 1)}
	rising := []State{withLoss(1, 1), withLoss(2, 2), withLoss(3, 3), withLoss(4, 4), withLoss(5, 5)}
	f(Options{}, "5 4 3 2 1 best 5", falling...)
	f(Options{KeepLast: 2}, "5 4 best 5", falling...)
	f(Options{KeepLast: 2}, "5 4 best 4", rising...)
	f(Options{KeepLast: 2, BestK: 1}, "5 4 1 best 1", rising...)
	f(Options{KeepLast: 1, BestK: 3}, "5 3 2 1 best 1 2 3", rising...)
	f(Options{KeepLast: 1, BestK: 2, BestMode: Max}, "5 2 1 best 1 2", falling...)
	f(Options{KeepLast: 1, BestK: 9}, "5 4 3 2 1 best 1 2 3 4 5", rising...)
	f(Options{KeepLast: 1, BestK: 1}, "3 1 best 1", withLoss(1, 2), withLoss(2, 2), withLoss(3, 2)) // of equals the earlier
	f(Options{KeepLast: 1, BestK: 2}, "4 1 best 1", withLoss(1, 2), State{Step: 2}, State{Step: 3}, State{Step: 4})
	f(Options{KeepLast: 2, BestK: 1}, "4 7 2 best 2", withLoss(2, 1), withLoss(5, 2), withLoss(7, 3), withLoss(4, 4)) // restarted from an older step
	f(Options{KeepLast: 2}, "3 2 best 2", withLoss(2, 1), withLoss(3, 1), withLoss(3, 2))                             // saved again
}

func TestNoRanking(t *testing.T) {
	s := newStore(t, "", Options{KeepLast: 1})
	save(t, s, withLoss(1, 1), withLoss(2, 2))
	if _, err := os.Stat(filepath.Join(s.Root(), bestFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v", bestFile, err)
	}
	if _, err := s.Load("best"); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "best_metric") {
		t.Errorf("best: %v", err)
	}
}

// TestProtected: what was opened last and what cannot be read is not deleted.
func TestProtected(t *testing.T) {
	s := newStore(t, "", Options{KeepLast: 1})
	save(t, s, newState(1))
	if _, err := s.Load("1"); err != nil {
		t.Fatal(err)
	}
	save(t, s, newState(2), newState(3))
	if got := present(t, s); got != "3 1 best " {
		t.Errorf("loaded 1: %s", got)
	}
	if _, err := s.Load("last"); err != nil {
		t.Fatal(err)
	}
	damage(t, s, "step-1", MetaFile, flip(0))
	save(t, s, newState(4), newState(5))
	if got := present(t, s); got != "5 3 1 best " {
		t.Errorf("loaded 3, damaged 1: %s", got)
	}
}

func TestPrune(t *testing.T) {
	f := func(keepLast, keepEvery int, kept, pruned string) {
		t.Helper()
		s := newStore(t, "", Options{BestMetric: "val_loss"})
		for step := 1; step <= 6; step++ {
			save(t, s, withLoss(step, float64(step%4)))
		}
		damage(t, s, "step-1", MetaFile, flip(0))
		before := present(t, s)
		for _, dryRun := range []bool{true, false} {
			r, err := s.Prune(keepLast, keepEvery, dryRun)
			if err != nil || fmt.Sprint(r.Kept) != kept || fmt.Sprint(r.Pruned) != pruned || r.Total != 6 || r.ProtectedLatest != "step-6" || r.DryRun != dryRun {
				t.Errorf("prune %d %d: %+v, %v", keepLast, keepEvery, r, err)
			}
			if after := present(t, s); (after == before) != (dryRun || pruned == "[]") {
				t.Errorf("prune %d %d, dry run %v: left %s", keepLast, keepEvery, dryRun, after)
			}
		}
		for _, name := range []string{"6", "best"} {
			if _, err := s.Load(name); err != nil {
				t.Error(err)
			}
		}
	}
	f(1, 0, "[step-6 step-4 step-1]", "[step-5 step-3 step-2]") // 4 is the best
	f(2, 0, "[step-6 step-5 step-4 step-1]", "[step-3 step-2]")
	f(1, 3, "[step-6 step-4 step-3 step-1]", "[step-5 step-2]")
	f(1, 1, "[step-6 step-5 step-4 step-3 step-2 step-1]", "[]")
	f(9, 0, "[step-6 step-5 step-4 step-3 step-2 step-1]", "[]")

	s := newStore(t, "", Options{})
	if r, err := s.Prune(1, 0, false); err != nil || r.Total != 0 {
		t.Errorf("nothing to prune: %+v, %v", r, err)
	}
	for _, bad := range [][2]int{{0, 0}, {-1, 0}, {1, -1}} {
		if _, err := s.Prune(bad[0], bad[1], false); err == nil {
			t.Errorf("prune %v was accepted", bad)
		}
	}
}

func TestNotFound(t *testing.T) {
	root := filepath.Join(t.TempDir(), "none")
	s := newStore(t, "", Options{})
	empty, err := New(root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	save(t, s, newState(5), newState(10))
	f := func(s *Store, which, want string) {
		t.Helper()
		if _, err := s.Load(which); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", which, err, want)
		}
	}
	f(s, "7", "one of: step-10, step-5")
	f(s, "step-7", "step-7")
	f(s, "newest", "want last, best")
	f(s, "best", "ranks none")
	f(empty, "last", root)
	f(empty, "1", "has none")
	if _, _, err := empty.loadLatest(); !errors.Is(err, ErrNotFound) {
		t.Errorf("latest of none: %v", err)
	}
	if infos, err := empty.List(); len(infos) > 0 || err != nil {
		t.Errorf("list of none: %v, %v", infos, err)
	}
	if err := empty.Recover(); err != nil {
		t.Errorf("recover none: %v", err)
	}
	if _, err := os.Stat(root); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a reader made the folder: %v", err)
	}
	if _, err := Open(filepath.Join(root, "step-3")); !errors.Is(err, ErrNotFound) {
		t.Errorf("open: %v", err)
	}
}

func TestList(t *testing.T) {
	s := newStore(t, "", Options{BestMetric: "val_loss", BestK: 1, KeepLast: 2})
	save(t, s, newState(5), newState(10))
	for _, name := range []string{"step-", "step-x", "step-07", "other", ".step-3.tmp-00000000"} {
		if err := os.Mkdir(filepath.Join(s.Root(), name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	infos, err := s.List()
	if err != nil || len(infos) != 2 {
		t.Fatalf("%+v, %v", infos, err)
	}
	a := infos[0]
	if a.Name != "step-10" || a.Step != 10 || a.Epoch != 1 || !a.Last || a.Best != 1 || a.Bytes != 328+284 || a.CreatedAt == "" || len(a.Digest) != 64 || a.Metrics["val_loss"] == 0 {
		t.Errorf("%+v", a)
	}
	if b := infos[1]; b.Name != "step-5" || b.Last || b.Best != 0 {
		t.Errorf("%+v", b)
	}
}

// TestSavesOnTheRealSystem makes the folder too, and a second store reads it.
func TestSavesOnTheRealSystem(t *testing.T) {
	root := filepath.Join(t.TempDir(), "run", "checkpoints")
	s, err := New(root, Options{KeepLast: 1})
	if err != nil {
		t.Fatal(err)
	}
	save(t, s, newState(1), newState(2))
	other, err := New(root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := other.Load("last")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, got, newState(2))
	if text := read(t, s, lastFile); text != "step-2\n" {
		t.Errorf("last is %q", text)
	}
}

// TestReadersBesideASave: lists and loads see whole checkpoints while others are
// saved and deleted.
func TestReadersBesideASave(t *testing.T) {
	root := faultfs.TempDir(t)
	writer, err := New(root, Options{KeepLast: 2, BestMetric: "val_loss", BestK: 1})
	if err != nil {
		t.Fatal(err)
	}
	save(t, writer, newState(1))
	var wait sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		wait.Go(func() {
			reader, err := New(root, Options{})
			for err == nil {
				select {
				case <-done:
					return
				default:
				}
				infos, listErr := reader.List()
				for _, info := range infos {
					if info.Problem != "" {
						t.Errorf("%s: %s", info.Name, info.Problem)
					}
				}
				err = listErr
			}
			t.Error(err)
		})
	}
	for step := 2; step < 40; step++ {
		save(t, writer, newState(step))
	}
	close(done)
	wait.Wait()
}
