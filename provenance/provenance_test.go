package provenance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aries-serpent/codexml/internal/cpu"
	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/internal/testkit"
)

var build = &debug.BuildInfo{
	Main: debug.Module{Path: "example.com/m", Version: "(devel)"},
	Deps: []*debug.Module{
		{Path: "example.com/z", Version: "v1.0.0", Sum: "h1:z"},
		{Path: "example.com/b", Version: "v0.1.0", Sum: "h1:b", Replace: &debug.Module{Path: "example.com/a", Version: "v0.2.0", Sum: "h1:a"}},
	},
	Settings: []debug.BuildSetting{{Key: "CGO_ENABLED", Value: "0"}, {Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-01-01T00:00:00Z"}, {Key: "vcs.modified", Value: "true"}},
}

// environment is one of no real machine.
func environment() Environment {
	e := Environment{
		SchemaVersion: SchemaVersion, Timestamp: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), Command: []string{"codexml", "train"}, Seed: 42,
		Platform: "linux/amd64", Kernel: "6.1", CPU: CPU{"Example 9000", 8, 16, "avx512", "avx2"}, Memory: 64<<30 - 12345, Threads: 4, Code: describe(build),
	}
	e.Code.GoVersion = "go1.26.0"
	e.HardwareFingerprint = e.Fingerprint()
	return e
}

func TestCollect(t *testing.T) {
	at := time.Date(2026, 1, 31, 13, 0, 0, 123_456_789, time.FixedZone("", 3600))
	e := Collect(context.Background(), Inputs{Command: []string{"codexml", "train"}, Seed: 7, Tier: cpu.Generic, Threads: 3, Time: at, Build: build, Extras: map[string]any{"note": "x"}})
	if e.CPU.LogicalCores < 1 || e.Memory == 0 || e.CPU.Tier != "generic" || e.CPU.BestTier != cpu.Best().String() || e.Threads != 3 || e.Seed != 7 {
		t.Errorf("machine: %+v", e)
	}
	if e.Hostname != "" {
		t.Errorf("host name %q is recorded unasked", e.Hostname)
	}
	if got := e.Timestamp.Format(time.RFC3339Nano); got != "2026-01-31T12:00:00.123Z" {
		t.Errorf("timestamp %s", got)
	}
	c := e.Code
	if c.Commit != "abc" || !c.Modified || c.Version != "devel" || c.Settings["CGO_ENABLED"] != "0" || len(c.Settings) != 1 {
		t.Errorf("code: %+v", c)
	}
	if want := []Module{{"example.com/a", "v0.2.0", "h1:a"}, {"example.com/z", "v1.0.0", "h1:z"}}; !reflect.DeepEqual(c.Modules, want) {
		t.Errorf("modules %v, want %v", c.Modules, want)
	}
	if again := Collect(context.Background(), Inputs{Hostname: true}); again.HardwareFingerprint != e.HardwareFingerprint || again.Hostname == "" || again.Code.GoVersion == "" {
		t.Errorf("second look: %+v", again)
	}
	path := filepath.Join(t.TempDir(), EnvironmentFile)
	if err := e.Write(path); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadEnvironment(path); err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("read %+v, %v\nwant %+v", got, err, e)
	}
}

func TestEnvironmentText(t *testing.T) {
	path := filepath.Join(t.TempDir(), EnvironmentFile)
	if err := environment().Write(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Golden(t, "testdata/environment.json", string(data))
}

func TestFingerprintIsOfTheHardware(t *testing.T) {
	e := environment()
	base := e.Fingerprint()
	e.Hostname, e.Kernel, e.Threads, e.CPU.Tier, e.Seed, e.Memory = "other", "7.0", 1, "generic", 1, 64<<30-99999
	if got := e.Fingerprint(); got != base {
		t.Error("the fingerprint depends on what is not hardware")
	}
	for i, change := range []func(e *Environment){
		func(e *Environment) { e.Platform = "linux/arm64" }, func(e *Environment) { e.CPU.Model = "x" }, func(e *Environment) { e.CPU.PhysicalCores++ },
		func(e *Environment) { e.CPU.LogicalCores++ }, func(e *Environment) { e.CPU.BestTier = "avx2" }, func(e *Environment) { e.Memory += 1 << 30 },
	} {
		e := environment()
		if change(&e); e.Fingerprint() == base {
			t.Errorf("change %d keeps the fingerprint", i)
		}
	}
}

func TestReadEnvironmentRejects(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), EnvironmentFile)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadEnvironment(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	f("", "unexpected end")
	f("[]", "cannot unmarshal")
	f("{}", `schema_version is "", want "v1"`)
}

func files() fstest.MapFS {
	return fstest.MapFS{"b.go": {Data: []byte("package b\n")}, "a/x.go": {Data: []byte{}}, "odd\nna\\me": {Data: []byte("odd")}}
}

func TestManifest(t *testing.T) {
	var want Manifest
	for threads := 1; threads <= 3; threads++ {
		pool := par.New(threads)
		m, err := HashFiles(pool, files(), []string{"odd\nna\\me", "b.go", "a/x.go"})
		if err != nil {
			t.Fatal(err)
		}
		if threads == 1 {
			want = m
		}
		if !reflect.DeepEqual(m, want) {
			t.Errorf("%d threads: %v, want %v", threads, m, want)
		}
		if d := m.Verify(pool, files()); len(d) > 0 {
			t.Errorf("differences: %v", d)
		}
		changed := files()
		changed["b.go"].Data = []byte("package c\n")
		delete(changed, "a/x.go")
		d := m.Verify(pool, changed)
		if len(d) != 2 || d[0].What != "a/x.go" || d[0].Got != "missing" || d[1].What != "b.go" || d[1].Got != HashBytes("", []byte("package c\n")).SHA256 {
			t.Errorf("differences: %v", d)
		}
		pool.Close()
	}
	testkit.Golden(t, "testdata/manifest.sha256", string(want.Text()))
	if i := want.Item("train data", "train.sha256"); i.Bytes != 13 || i.Files != 3 || i.SHA256 != HashBytes("", want.Text()).SHA256 {
		t.Errorf("item: %+v", i)
	}
	got, err := ParseManifest(bytes.NewReader(want.Text()))
	if err != nil || !bytes.Equal(got.Text(), want.Text()) {
		t.Errorf("parsed: %v, %v", got, err)
	}
}

func TestManifestRejects(t *testing.T) {
	pool := par.New(1)
	defer pool.Close()
	if _, err := HashFiles(pool, files(), []string{"b.go", "no.go"}); err == nil || !strings.Contains(err.Error(), "no.go") {
		t.Errorf("got %v", err)
	}
	if _, err := NewManifest([]Entry{{Name: "a"}, {Name: "b"}, {Name: "a"}}); err == nil || !strings.Contains(err.Error(), "two files are named a") {
		t.Errorf("got %v", err)
	}
	sum := HashBytes("", nil).SHA256
	for _, text := range []string{"x", sum, sum + " ", sum + "  ", sum[1:] + "  a", strings.ToUpper(sum) + "  a", "\n", sum + "  a\n\n"} {
		if m, err := ParseManifest(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "want a SHA-256 and a file name") {
			t.Errorf("%q: %v, %v", text, m, err)
		}
	}
}

func report() *Report {
	r := NewReport("run-1", environment())
	r.Seeds = append(r.Seeds, Seed{"split", 7})
	r.Inputs = append(r.Inputs, Item{Name: "config", SHA256: HashBytes("", []byte("seed: 42\n")).SHA256, Bytes: 9, Path: "config.yaml"}, Item{Name: "train data", SHA256: "d0", Files: 3, Bytes: 13})
	r.Outputs = append(r.Outputs, Item{Name: "weights at step 100", SHA256: "e0", Bytes: 4096, Path: "checkpoints/step-100/model.safetensors"}, Item{Name: "optimiser at step 100", SHA256: "f0"})
	return r
}

func TestReportIsWrittenForProgramsAndPeople(t *testing.T) {
	dir := t.TempDir()
	r := report()
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, name := range []string{ReportFile, TextFile} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "-- %s --\n%s", name, data)
	}
	testkit.Golden(t, "testdata/report.txt", got.String())
	if again, err := ReadReport(filepath.Join(dir, ReportFile)); err != nil || !reflect.DeepEqual(again, r) {
		t.Errorf("read %+v, %v", again, err)
	}
}

func TestReportVerify(t *testing.T) {
	r := report()
	run := fstest.MapFS{"config.yaml": {Data: []byte("seed: 42\n")}, "checkpoints/step-100/model.safetensors": {Data: []byte("w")}}
	d, checked := r.Verify(run)
	if checked != 2 || len(d) != 1 || d[0].What != "weights at step 100" || d[0].Want != "e0" || d[0].Got != HashBytes("", []byte("w")).SHA256 {
		t.Errorf("%d checked, differences %v", checked, d)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("w"), 0o600); err != nil {
		t.Fatal(err)
	}
	if i, err := FileItem(dir, "weights", "f"); err != nil || i != (Item{Name: "weights", SHA256: d[0].Got, Bytes: 1, Path: "f"}) {
		t.Errorf("%+v, %v", i, err)
	}
	if _, err := FileItem(dir, "weights", "g"); err == nil {
		t.Error("a missing file has an item")
	}
}

func TestReportCompare(t *testing.T) {
	a, b := report(), report()
	b.Environment, b.RunID, b.Command = Place{}, "run-2", nil
	if in, out := a.Compare(b); len(in)+len(out) > 0 {
		t.Errorf("differences: %v %v", in, out)
	}
	b.Code.Commit, b.Seeds, b.Inputs[0].SHA256, b.Outputs = "def", b.Seeds[:1], "00", append(b.Outputs[1:], Item{Name: "extra", SHA256: "11"})
	in, out := a.Compare(b)
	got, err := json.Marshal([2][]Difference{in, out})
	if err != nil {
		t.Fatal(err)
	}
	want := `[[{"what":"code","want":"abc modified","got":"def modified"},{"what":"config","want":"` + a.Inputs[0].SHA256 + `","got":"00"},{"what":"seed split","want":"7","got":"none"}],` +
		`[{"what":"extra","want":"none","got":"11"},{"what":"weights at step 100","want":"e0","got":"none"}]]`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// FuzzParseManifest: no panic, and what is read is written back the same way.
func FuzzParseManifest(f *testing.F) {
	sum := HashBytes("", nil).SHA256
	for _, text := range []string{sum + "  a\n", `\` + sum + `  a\n\\b` + "\n", sum + " *bin\n" + sum + "  c", "x"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ParseManifest(bytes.NewReader(text))
		if err != nil {
			return
		}
		again, err := ParseManifest(bytes.NewReader(m.Text()))
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%q: %v, then %v, %v", text, m, again, err)
		}
	})
}
