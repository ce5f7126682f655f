package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// damage changes a file of a store; the change gets its bytes.
func damage(tb testing.TB, s *Store, name, file string, change func(data []byte) []byte) {
	tb.Helper()
	path := filepath.Join(s.Root(), name, file)
	data, err := os.ReadFile(path)
	if err == nil {
		data = change(data)
	}
	if err == nil {
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

func flip(at int) func([]byte) []byte {
	return func(data []byte) []byte { data[at] ^= 4; return data }
}

// TestDamageIsFound changes every byte of every file, one at a time: each change is
// reported, and the checkpoint before is used.
func TestDamageIsFound(t *testing.T) {
	s := newStore(t, "", Options{})
	before, newest := newState(1), newState(2)
	save(t, s, before, newest)
	for _, file := range []string{ModelFile, OptimizerFile, MetaFile} {
		size := len(read(t, s, "step-2", file))
		for at := range size {
			damage(t, s, "step-2", file, flip(at))
			err := s.Verify("2")
			var corrupt *CorruptError
			// A changed version number is a version that this code does not know.
			if version := file == MetaFile && errors.Is(err, ErrVersion); !version && !errors.As(err, &corrupt) {
				t.Fatalf("%s, byte %d: %v", file, at, err)
			}
			if corrupt != nil && corrupt.Faults[0].File != file {
				t.Fatalf("%s, byte %d: reported as %v", file, at, err)
			}
			if at%37 == 0 && corrupt != nil {
				got, skipped, err := s.loadLatest()
				if err != nil || len(skipped) != 1 || skipped[0].Path != filepath.Join(s.Root(), "step-2") || len(skipped[0].Err.Faults) == 0 {
					t.Fatalf("%s, byte %d: load: %v, skipped %v", file, at, err, skipped)
				}
				wantSame(t, got, before)
			}
			damage(t, s, "step-2", file, flip(at))
		}
	}
	got, skipped, err := s.loadLatest()
	if err != nil || len(skipped) > 0 {
		t.Fatalf("repaired: %v, %v", err, skipped)
	}
	wantSame(t, got, newest)
}

func TestFaultsAreNamed(t *testing.T) {
	f := func(what string, want []string, change func(s *Store)) {
		t.Helper()
		s := newStore(t, "", Options{})
		save(t, s, newState(2))
		change(s)
		err := s.Verify("2")
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), filepath.Join(s.Root(), "step-2")) {
			t.Errorf("%s: %v", what, err)
			return
		}
		var corrupt *CorruptError
		errors.As(err, &corrupt)
		var got []string
		for _, fault := range corrupt.Faults {
			got = append(got, fault.String())
		}
		if len(got) != len(want) {
			t.Errorf("%s: faults %q, want %q", what, got, want)
			return
		}
		for i := range want {
			if !strings.Contains(got[i], want[i]) {
				t.Errorf("%s: fault %q, want %q", what, got[i], want[i])
			}
		}
	}
	last := func(data []byte) []byte { data[len(data)-1]++; return data }
	remove := func(file string) func(*Store) {
		return func(s *Store) { _ = os.Remove(filepath.Join(s.Root(), "step-2", file)) }
	}
	cut := func(data []byte) []byte { return data[:len(data)-1] }
	f("a weight", []string{"model.safetensors: sha256 is ", "model.safetensors: tensor scale: sha256 is "}, func(s *Store) { damage(t, s, "step-2", ModelFile, last) })
	f("both files", []string{"model.safetensors: sha256", "tensor scale", "optimizer.safetensors: sha256", "tensor head.weight.exp_avg"}, func(s *Store) {
		damage(t, s, "step-2", ModelFile, last)
		damage(t, s, "step-2", OptimizerFile, last)
	})
	f("a file cut", []string{"model.safetensors: has 327 bytes, meta.json says 328"}, func(s *Store) { damage(t, s, "step-2", ModelFile, cut) })
	f("a file gone", []string{"optimizer.safetensors: "}, remove(OptimizerFile))
	f("meta.json gone", []string{"meta.json: is missing"}, remove(MetaFile))
	f("meta.json empty", []string{"meta.json: invalid JSON"}, func(s *Store) { damage(t, s, "step-2", MetaFile, func([]byte) []byte { return nil }) })
	f("meta.json edited", []string{"digest is "}, func(s *Store) {
		damage(t, s, "step-2", MetaFile, func(data []byte) []byte { return []byte(strings.Replace(string(data), `"epoch": 0`, `"epoch": 1`, 1)) })
	})
	f("another name", []string{"is of step 3, the folder of step 2"}, func(s *Store) {
		damage(t, s, "step-2", MetaFile, func(data []byte) []byte { return reseal(t, data, `"step": 2`, `"step": 3`) })
	})
	f("a renamed tensor", []string{"header are not those that meta.json names"}, func(s *Store) {
		damage(t, s, "step-2", MetaFile, func(data []byte) []byte { return reseal(t, data, `"name": "scale"`, `"name": "scald"`) })
	})
	f("a file without a record", []string{"meta.json: has no record of optimizer.safetensors"}, func(s *Store) {
		damage(t, s, "step-2", MetaFile, func(data []byte) []byte {
			return reseal(t, data, `"file": "optimizer.safetensors"`, `"file": "other.safetensors"`)
		})
	})
}

// reseal replaces text in meta.json and makes its digest right again.
func reseal(tb testing.TB, data []byte, old, replacement string) []byte {
	tb.Helper()
	if strings.Count(string(data), old) != 1 {
		tb.Fatalf("%d times %s in %s", strings.Count(string(data), old), old, data)
	}
	text := strings.Replace(string(data), old, replacement, 1)
	digest, err := digestOf([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	at := strings.Index(text, `"digest": "`) + len(`"digest": "`)
	return []byte(text[:at] + digest + text[at+64:])
}

func TestVersions(t *testing.T) {
	f := func(version string, want error) {
		t.Helper()
		s := newStore(t, "", Options{})
		save(t, s, newState(1), newState(2))
		damage(t, s, "step-2", MetaFile, func(data []byte) []byte {
			return reseal(t, data, `"schema_version": "1.0"`, `"schema_version": "`+version+`", "later": [{"x":null}]`)
		})
		got, _, err := s.loadLatest()
		if !errors.Is(err, want) || err == nil && got.Step != 2 {
			t.Errorf("version %s: step %d, %v", version, got.Step, err)
		}
	}
	f("1.0", nil)
	f("1.7", nil)
	f("2.0", ErrVersion) // it is not damaged: nothing older is taken instead
	f("0.9", ErrVersion)
	f("10.0", ErrVersion)
}

func TestAllDamaged(t *testing.T) {
	s := newStore(t, "", Options{})
	save(t, s, newState(1), newState(2))
	damage(t, s, "step-1", ModelFile, flip(300))
	damage(t, s, "step-2", MetaFile, flip(0))
	_, skipped, err := s.loadLatest()
	if !errors.Is(err, ErrCorrupt) || len(skipped) != 2 || !strings.Contains(err.Error(), "none of the 2") {
		t.Errorf("got %v, skipped %v", err, skipped)
	}
}

// TestDamagedNewestAfterRestart: the file last tells which of the unreadable ones
// was the newest.
func TestDamagedNewestAfterRestart(t *testing.T) {
	s := newStore(t, "", Options{})
	save(t, s, newState(5), newState(9), newState(6))
	damage(t, s, "step-6", MetaFile, flip(0))
	got, skipped, err := s.loadLatest()
	if err != nil || len(skipped) != 1 || got.Step != 9 {
		t.Errorf("step %d, skipped %v, %v", got.Step, skipped, err)
	}
	damage(t, s, "step-5", MetaFile, flip(0)) // an old one is not tried
	if _, skipped, err := s.loadLatest(); err != nil || len(skipped) != 1 {
		t.Errorf("skipped %v, %v", skipped, err)
	}
	infos, err := s.List()
	if err != nil || len(infos) != 3 || infos[0].Problem == "" || infos[1].Problem != "" || infos[2].Problem == "" {
		t.Errorf("list %+v, %v", infos, err)
	}
}

func TestOtherErrorsEndTheSearch(t *testing.T) {
	s := newStore(t, "", Options{})
	save(t, s, newState(1), newState(2))
	calls := 0
	_, _, err := s.LoadLatest(func(c *Checkpoint) error { calls++; return c.ReadInto(nil, nil) })
	var mismatch *MismatchError
	if !errors.As(err, &mismatch) || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

func TestUnreadableLast(t *testing.T) {
	for _, text := range []string{"", "step-7", "../step-1", "step-01", strings.Repeat("x", 1000), "\x00"} {
		s := newStore(t, "", Options{})
		save(t, s, newState(1), newState(2))
		damage(t, s, "", lastFile, func([]byte) []byte { return []byte(text) })
		if got, skipped, err := s.loadLatest(); err != nil || got.Step != 2 || len(skipped) > 0 {
			t.Errorf("last is %.10q: step %d, %v, %v", text, got.Step, skipped, err)
		}
	}
}

func TestManyFaultsAreCounted(t *testing.T) {
	e := &CorruptError{Path: "p"}
	for i := range 8 {
		e.Faults = append(e.Faults, Fault{File: "f", Tensor: fmt.Sprint(i), Problem: "x"})
	}
	if got := e.Error(); !strings.HasSuffix(got, "f: tensor 4: x; and 3 more") {
		t.Error(got)
	}
}
