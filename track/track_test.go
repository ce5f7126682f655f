package track

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aries-serpent/codexml/internal/testkit"
)

// clock is a fixed time east of Greenwich: records must not show the zone.
func clock() time.Time {
	return time.Date(2026, 1, 31, 13, 5, 6, 7_890_000, time.FixedZone("", 3600))
}

func open(t *testing.T, dir string, opts Options) *Run {
	t.Helper()
	opts.RunID, opts.Now = "run-1", clock
	r, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func log1(t *testing.T, r Tracker, metrics ...Metric) {
	t.Helper()
	if err := r.LogMetrics(metrics...); err != nil {
		t.Fatal(err)
	}
}

func loss(step int) Metric {
	return Metric{Step: step, Split: "train", Name: "loss", Value: 1 / float64(step+1)}
}

func read(t *testing.T, dir string) []Record {
	t.Helper()
	var all []Record
	for r, err := range ReadMetrics(dir) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func steps(records []Record) string {
	var s []string
	for _, r := range records {
		s = append(s, fmt.Sprint(r.Step))
	}
	return strings.Join(s, " ")
}

func text(t testing.TB, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestRecords holds the written bytes: key order, spelling, timestamps.
func TestRecords(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, Options{})
	log1(t, r, loss(0), Metric{Step: 10, Split: "validation", Name: "bits_per_byte", Value: 2.25, Data: "go <std>", Tags: map[string]any{"z": 1, "a": "x&y"}})
	log1(t, r, Metric{Step: 11, Split: "train", Name: "grad_norm", Value: math.Inf(-1)},
		Metric{Step: 11, Split: "train", Name: "grad_hist", Detail: &Descriptor{Type: "histogram", Version: "1", Shape: []int{3}, Payload: []int{1, 2, 3}}})
	if err := r.LogParams(Params{
		Argv: []string{"codexml", "train", "-c", "run.yaml"}, Options: map[string]any{"threads": 2, "config": "run.yaml"},
		Config:  struct{ Training struct{ Seed int } }{struct{ Seed int }{42}},
		Derived: map[string]any{"steps": 100},
	}); err != nil {
		t.Fatal(err)
	}
	if err := r.LogParams(Params{Metadata: map[string]any{"note": "empty"}}); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, name := range []string{MetricsFile, ManifestFile, ParamsFile} {
		fmt.Fprintf(&got, "-- %s --\n%s", name, text(t, dir, name))
	}
	testkit.Golden(t, "testdata/records.txt", got.String())
}

func TestReadMetricsReturnsWhatWasLogged(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, Options{})
	want := []Metric{
		loss(0), {Step: 1, Split: "test", Name: "ppl", Value: 1e300, Data: "d", Tags: map[string]any{"a": "b"}},
		{Step: 2, Split: "train", Name: "loss", Value: math.Inf(1)}, {Step: 2, Split: "train", Name: "loss", Value: math.Inf(-1)}, {Step: 2, Split: "train", Name: "loss", Value: math.NaN()},
		{Step: 3, Split: "train", Name: "x", Value: math.Copysign(0, -1)}, {Step: 3, Split: "train", Name: "x", Value: math.SmallestNonzeroFloat64},
	}
	log1(t, r, want...)
	log1(t, r, Metric{Step: 4, Split: "train", Name: "table", Detail: &Descriptor{Type: "table", Version: "1"}})
	got := read(t, dir)
	if len(got) != len(want)+1 {
		t.Fatalf("%d records, want %d", len(got), len(want)+1)
	}
	for i, w := range want {
		g := got[i]
		if g.Step != w.Step || g.Split != w.Split || g.Name != w.Name || g.Data != w.Data || math.Float64bits(g.Value) != math.Float64bits(w.Value) || len(g.Tags) != len(w.Tags) {
			t.Errorf("record %d: got %+v, want %+v", i, g.Metric, w)
		}
		if g.RunID != "run-1" || !g.Time.Equal(clock().Truncate(time.Millisecond)) {
			t.Errorf("record %d: run %s at %v", i, g.RunID, g.Time)
		}
	}
	if id := got[len(want)].ManifestID; len(id) != 32 || !strings.Contains(text(t, dir, ManifestFile), id) {
		t.Errorf("manifest id %q is not in the manifest", id)
	}
}

func TestLogMetricsRejects(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, Options{})
	f := func(m Metric, want string) {
		t.Helper()
		if err := r.LogMetrics(loss(0), m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f(Metric{Step: -1, Split: "train", Name: "loss"}, `metric "loss": step -1 is negative`)
	f(Metric{Name: "loss"}, "split is empty")
	f(Metric{Split: "train"}, "name is empty")
	f(Metric{Split: "train", Name: "x", Tags: map[string]any{"non_finite": 1}}, "reserved")
	f(Metric{Split: "train", Name: "x", Tags: map[string]any{"f": func() {}}}, "unsupported type")
	if got := text(t, dir, MetricsFile); got != "" {
		t.Errorf("part of a bad batch was written: %s", got)
	}
}

func TestOpenCutsATornLine(t *testing.T) {
	for _, torn := range []string{"", "{", `{"step":1`, strings.Repeat("x", 9000)} {
		dir := t.TempDir()
		r := open(t, dir, Options{})
		log1(t, r, loss(0), loss(1))
		r.Close()
		path := filepath.Join(dir, MetricsFile)
		whole := text(t, path)
		if err := os.WriteFile(path, []byte(whole+torn), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := steps(read(t, dir)); got != "0 1" {
			t.Errorf("torn %.10q: read steps %s, want 0 1", torn, got)
		}
		log1(t, open(t, dir, Options{}), loss(2))
		if got := text(t, path); !strings.HasPrefix(got, whole) || strings.Count(got, "\n") != 3 {
			t.Errorf("torn %.10q: the file is now\n%s", torn, got)
		}
		if got := steps(read(t, dir)); got != "0 1 2" {
			t.Errorf("torn %.10q: read steps %s, want 0 1 2", torn, got)
		}
	}
}

// A crash can end the file at any byte: the records before it stay.
func TestEveryCutIsRead(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, Options{})
	log1(t, r, loss(0), loss(1), loss(2))
	r.Close()
	path := filepath.Join(dir, MetricsFile)
	whole := text(t, path)
	for n := range len(whole) {
		if err := os.WriteFile(path, []byte(whole[:n]), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, want := len(read(t, dir)), strings.Count(whole[:n], "\n"); got != want {
			t.Fatalf("cut at %d: %d records, want %d", n, got, want)
		}
	}
}

func TestReadMetricsRejects(t *testing.T) {
	good := `{"$schema":"x","schema_version":"v1","timestamp":"2026-01-31T12:00:00.000Z","run_id":"r","step":0,"split":"train","metric":"loss","value":1,"dataset":null,"tags":{}}`
	f := func(old, new, want string) {
		t.Helper()
		bad := strings.Replace(good, old, new, 1)
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, MetricsFile), []byte(good+"\n\n"+bad+"\n"+good+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range ReadMetrics(dir) {
			if n++; n == 1 && err != nil {
				t.Fatal(err)
			}
			if n == 2 && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), MetricsFile+": line 3: ")) {
				t.Errorf("%s: got %v, want %q", new, err, want)
			}
		}
		if n != 2 {
			t.Errorf("%s: %d items, want 2", new, n)
		}
	}
	f(`{`, `[`, "invalid character")
	f(`"v1"`, `"v2"`, `schema_version is "v2", want "v1"`)
	f(`"step":0,`, ``, "step is missing")
	f(`"step":0`, `"step":0.5`, "step")
	f(`"split":"train"`, `"split":""`, "split is empty")
	f(`"metric":"loss",`, ``, "name is empty")
	f(`"2026-01-31T12:00:00.000Z"`, `"yesterday"`, "ISO-8601")
	f(`"2026-01-31T12:00:00.000Z"`, `1769860800`, "timestamp")
	f(`"value":1`, `"value":null`, "value is null")
}

func TestReadMetricsOfAMissingFolder(t *testing.T) {
	for _, err := range ReadMetrics(filepath.Join(t.TempDir(), "no")) {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
		return
	}
	t.Error("no error")
}

func TestRotation(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, Options{MaxBytes: 700, Backups: 3})
	for i := range 20 {
		log1(t, r, loss(i))
	}
	r.Close()
	names, _ := filepath.Glob(filepath.Join(dir, MetricsFile+"*"))
	if len(names) != 4 {
		t.Fatalf("files: %v, want the log and 3 backups", names)
	}
	for _, name := range names {
		if size := len(text(t, name)); size > 700 {
			t.Errorf("%s has %d bytes, want at most 700", name, size)
		}
	}
	got := read(t, dir)
	if first, last := got[0].Step, got[len(got)-1].Step; last != 19 || len(got) != last-first+1 || !slices.IsSortedFunc(got, func(a, b Record) int { return a.Step - b.Step }) {
		t.Errorf("steps: %s, want a run that ends with 19", steps(got))
	}
	if err := os.Remove(filepath.Join(dir, MetricsFile+".2")); err != nil { // as a crash while rotating leaves it
		t.Fatal(err)
	}
	log1(t, open(t, dir, Options{MaxBytes: 700, Backups: 3}), loss(20))
	if got := read(t, dir); got[len(got)-1].Step != 20 {
		t.Errorf("after a gap the last step is %d, want 20", got[len(got)-1].Step)
	}
}

func TestRotationWithoutBackups(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, Options{MaxBytes: 1, Backups: -1})
	log1(t, r, loss(0))
	log1(t, r, loss(1))
	if got := steps(read(t, dir)); got != "1" {
		t.Errorf("steps %s, want 1", got)
	}
}

// full is a disk that takes room bytes more.
type full struct {
	file
	room int
}

func (f *full) WriteAt(p []byte, at int64) (int, error) {
	n, err := f.file.WriteAt(p[:min(len(p), f.room)], at)
	if f.room -= n; err == nil && n < len(p) {
		err = errors.New("disk full")
	}
	return n, err
}

func TestAFullDiskLeavesWholeLines(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, Options{})
	log1(t, r, loss(0))
	before := text(t, dir, MetricsFile)
	real := r.metrics.f
	r.metrics.f = &full{real, 100}
	if err := r.LogMetrics(loss(1), loss(2)); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Fatalf("got %v", err)
	}
	if got := text(t, dir, MetricsFile); got != before {
		t.Errorf("the file is now\n%s", got)
	}
	r.metrics.f = real
	log1(t, r, loss(3))
	if got := steps(read(t, dir)); got != "0 3" {
		t.Errorf("steps %s, want 0 3", got)
	}
}

func TestConcurrentWriters(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir, Options{MaxBytes: 4096, Backups: 100})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 50 {
				if err := r.LogMetrics(loss(w*50+i), loss(w*50+i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	count := map[int]int{}
	for _, rec := range read(t, dir) {
		count[rec.Step]++
	}
	for i := range 200 {
		if count[i] != 2 {
			t.Errorf("step %d was read %d times, want 2", i, count[i])
		}
	}
}

func TestClosedTrackerFails(t *testing.T) {
	r := open(t, t.TempDir(), Options{})
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{r.LogMetrics(loss(0)), r.LogParams(Params{}), r.Sync()} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("got %v", err)
		}
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no permission bits")
	}
	dir := t.TempDir()
	open(t, dir, Options{})
	for _, name := range []string{MetricsFile, ParamsFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v, want mode 0600", name, info, err)
		}
	}
}

func TestNewRunID(t *testing.T) {
	a, b := NewRunID(), NewRunID()
	if len(a) != 36 || a == b || a[14] != '4' || !strings.Contains("89ab", a[19:20]) {
		t.Errorf("run ids %s, %s", a, b)
	}
}

func TestNullTakesEverything(t *testing.T) {
	var n Tracker = Null{}
	if err := errors.Join(n.LogMetrics(Metric{}), n.LogParams(Params{}), n.Sync(), n.Close()); err != nil || n.RunID() != "" {
		t.Errorf("%v %q", err, n.RunID())
	}
}

// FuzzParseMetric: no panic, and what is read is what would be written.
func FuzzParseMetric(f *testing.F) {
	for _, line := range strings.Split(strings.TrimSpace(text(f, "testdata/records.txt")), "\n") {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := parseMetric(line)
		if err != nil || r.ManifestID != "" {
			return
		}
		data, err := json.Marshal(r.line(header{SchemaVersion: SchemaVersion, Timestamp: Timestamp(r.Time), RunID: r.RunID}))
		if err != nil {
			t.Fatalf("%q cannot be written again: %v", line, err)
		}
		again, err := parseMetric(data)
		if r.Time.Year() < 0 || r.Time.Year() > 9999 {
			return // an offset can lead out of the years that ISO-8601 has
		}
		if err != nil || math.Float64bits(again.Value) != math.Float64bits(r.Value) && r.Value == r.Value || again.Name != r.Name || again.Step != r.Step {
			t.Fatalf("%q\nread as %+v\nthen as %+v, %v", line, r, again, err)
		}
	})
}
