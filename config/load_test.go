package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"github.com/aries-serpent/codexml/internal/testkit"
)

// TestLoad runs the cases in testdata/load: a file, overrides one a line, and
// what comes of them: notes, then problems or what differs from the default.
func TestLoad(t *testing.T) {
	for _, path := range testkit.Cases(t, filepath.Join("testdata", "load"), ".txt") {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			parts := map[string]string{}
			for _, f := range archive.Files {
				parts[f.Name] = string(f.Data)
			}
			got := outcome(t, parts["run.yaml"], slices.Collect(nonEmptyLines(parts["overrides"])))
			for i := range archive.Files {
				if archive.Files[i].Name == "want" {
					archive.Files[i].Data = []byte(got)
				}
			}
			testkit.Golden(t, path, string(txtar.Format(archive)))
		})
	}
}

func nonEmptyLines(text string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for line := range strings.Lines(text) {
			if line = strings.TrimSuffix(line, "\n"); line != "" && !yield(line) {
				return
			}
		}
	}
}

// outcome loads a run and describes what came of it.
func outcome(t *testing.T, file string, overrides []string) string {
	r, notes, err := Parse("run.yaml", []byte(file), overrides)
	var b strings.Builder
	for _, n := range notes {
		fmt.Fprintln(&b, "note:", n)
	}
	if err != nil {
		var problems Problems
		if !errors.As(err, &problems) {
			t.Fatalf("%T is not Problems: %v", err, err)
		}
		for _, p := range problems {
			fmt.Fprintln(&b, "problem:", p)
		}
		return b.String()
	}
	for _, c := range Diff(Default(), r) {
		fmt.Fprintln(&b, c)
	}
	again(t, r)
	return b.String()
}

// again demands that the run's YAML loads to the same run without a note.
func again(t testing.TB, r *Run) {
	t.Helper()
	back, notes, err := Parse("config.yaml", r.YAML(), nil)
	if err != nil || len(notes) > 0 {
		t.Fatalf("load the resolved config: %v %v\n%s", err, notes, r.YAML())
	}
	if diff := Diff(r, back); len(diff) > 0 {
		t.Fatalf("the resolved config loads with changes: %v", diff)
	}
	if r.Hash() != back.Hash() {
		t.Fatal("the resolved config has another hash")
	}
}

func TestLoadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.yaml")
	if err := os.WriteFile(path, []byte("\ufefftraining: {seed: 3}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, _, err := Load(path, []string{"training.epochs=4", "model.bias=true"})
	if err != nil || r.Training.Seed != 3 || r.Training.Epochs != 4 {
		t.Fatalf("%v %v", r, err)
	}
	if got := r.Overridden(); !slices.Equal(got, []string{"model.bias", "training.epochs"}) {
		t.Errorf("overridden: %v", got)
	}
	if _, _, err := Load(path+"x", nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestUnpermitted(t *testing.T) {
	stored := Default()
	next, _, err := Parse("run.yaml", []byte("seed: 1\n"), []string{"training.epochs=3"})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(Unpermitted(stored, next)); got != "[training.seed: 42 -> 1]" {
		t.Errorf("unpermitted: %s", got)
	}
	if got := fmt.Sprint(Diff(stored, next)); got != "[training.seed: 42 -> 1 training.epochs: 1 -> 3]" {
		t.Errorf("diff: %s", got)
	}
}

// TestLoadHuge feeds files at the bound of size that are as costly as can be.
func TestLoadHuge(t *testing.T) {
	fill := func(unit string) string { return strings.Repeat(unit, maxBytes/len(unit)) }
	const mostMemory = 96 << 20
	for name, file := range map[string]string{
		"brackets": fill("["), "braces": fill("{"), "dashes": fill("- "), "questions": fill("? "), "tags": "a: " + fill("!a ")[:maxBytes/2],
		"anchors": "a: " + fill("&a ")[:maxBytes/2], "keys": fill("a: 1\n"), "list": fill("- a\n"), "flow": "[" + fill("a,")[:maxBytes/2] + "]",
		"fewer keys": strings.Repeat("a: 1\n", maxTokens/3-1), "comments": fill("#\n"), "long": "a: " + fill("x")[3:], "lines": fill("\n"),
		"too long": fill("x") + "x", "not text": "a: \xff",
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := Parse("run.yaml", []byte(file), nil)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > mostMemory {
			t.Errorf("%s: %d MiB were allocated for %d bytes", name, used>>20, len(file))
		}
		if name != "comments" && name != "lines" && err == nil {
			t.Errorf("%s: it was accepted", name)
		}
	}
}

// TestYAMLRoundTrip writes and reads arbitrary values, valid or not.
func TestYAMLRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Default()
		r.Training.OutputDir = rapid.String().Draw(t, "output_dir")
		r.Training.Seed = rapid.Int64Range(0, 1<<32-1).Draw(t, "seed")
		r.Training.LearningRate = rapid.Float64Range(1e-30, 10).Draw(t, "learning_rate")
		r.Model.Bias = rapid.Bool().Draw(t, "bias")
		r.Optimizer.Betas = []float64{rapid.Float64Range(0, 0.99).Draw(t, "beta"), 0.5}
		back, _, err := Parse("config.yaml", r.YAML(), nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, r.YAML())
		}
		if diff := Diff(r, back); len(diff) > 0 {
			t.Fatalf("%v", diff)
		}
	})
}

func TestPresetsLoad(t *testing.T) {
	for _, preset := range []string{"nano", "small", "gpt2-124m"} {
		r, _, err := Parse("", nil, []string{"model.preset=" + preset})
		if err != nil {
			t.Fatal(err)
		}
		again(t, r)
	}
}

func TestMigrate(t *testing.T) {
	defer func(before []migration) { migrations = before }(migrations)
	migrations = []migration{
		{"0.8", "0.9", func(root *node) {
			root.entries = append(root.entries, entry{key: "epochs", value: &node{kind: kindInt, text: "3"}})
		}},
		{"0.9", "1.0", func(root *node) {
			root.entries = append(root.entries, entry{key: "seed", value: &node{kind: kindInt, text: "9"}})
		}},
	}
	r, notes, err := Parse("run.yaml", []byte("config_version: 0.8\n"), nil)
	if err != nil || r.Training.Seed != 9 || r.Training.Epochs != 3 || r.ConfigVersion != Version {
		t.Fatalf("%+v %v", r, err)
	}
	if len(notes) != 4 || notes[0].String() != "run.yaml:1:17: config_version 0.8 was migrated to 0.9" {
		t.Errorf("notes: %v", notes)
	}
}

func TestNearest(t *testing.T) {
	for _, c := range []struct{ word, want string }{
		{"batch_sise", "batch_size"}, {"sede", "seed"}, {"seed", "seed"}, {"xxxx", ""}, {"", ""}, {"epoch", "epochs"}, {strings.Repeat("e", 100), ""},
	} {
		if got := Nearest(c.word, []string{"batch_size", "seed", "epochs"}); got != c.want {
			t.Errorf("%q: got %q, want %q", c.word, got, c.want)
		}
	}
}

func TestResolve(t *testing.T) {
	for text, want := range map[string]kind{
		"": kindNull, "~": kindNull, "null": kindNull, "nUll": kindString, "true": kindBool, "False": kindBool, "yes": kindString, "0": kindInt, "-12": kindInt,
		"+3": kindInt, "012": kindString, "0x1F": kindString, "1e3": kindFloat, "3E-4": kindFloat, ".5": kindFloat, "1.": kindFloat, "01.5": kindString,
		"0.5": kindFloat, ".inf": kindString, ".nan": kindString, "1_000": kindString, "-": kindString, ".": kindString, "1.2.3": kindString, "e3": kindString,
	} {
		if got := resolve(text); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	paths, err := filepath.Glob(filepath.Join("testdata", "load", "*.txt"))
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data, "training.seed=3")
	}
	f.Add([]byte(nil), "optimizer={name: sgd}")
	f.Fuzz(func(t *testing.T, file []byte, override string) {
		r, _, err := Parse("run.yaml", file, []string{override})
		if err == nil {
			again(t, r)
			return
		}
		var problems Problems
		if !errors.As(err, &problems) || len(problems) == 0 {
			t.Fatalf("%T is not Problems: %v", err, err)
		}
	})
}
