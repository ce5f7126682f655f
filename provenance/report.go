package provenance

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aries-serpent/codexml/internal/fsatomic"
)

// ReportSchema is the report's $schema.
const ReportSchema = "https://codexml.ai/schemas/reproducibility_report.schema.json"

// Names of a report's files: for programs and for people.
const (
	ReportFile = "report.json"
	TextFile   = "report.txt"
)

// Report joins all that a run's result depends on, and the result. Inputs, code
// and seeds decide the outputs; the environment does not (that is the promise
// which Compare checks between two machines).
type Report struct {
	Schema        string    `json:"$schema"`
	SchemaVersion string    `json:"schema_version"`
	Timestamp     time.Time `json:"timestamp"`
	RunID         string    `json:"run_id"`
	Command       []string  `json:"command"`
	Seeds         []Seed    `json:"seeds"`
	Code          CodeID    `json:"code"`
	// Inputs: config, tokenizer, data sets. Outputs: weights, optimiser state, measured figures' files.
	Inputs  []Item `json:"inputs"`
	Outputs []Item `json:"outputs"`
	// Environment is where it ran; environment.json says more.
	Environment Place `json:"environment"`
}

// Seed is a named seed.
type Seed struct {
	Name  string `json:"name"`
	Value int64  `json:"value"`
}

// CodeID is the build in short.
type CodeID struct {
	Version   string `json:"version"`
	Commit    string `json:"git_commit"`
	Modified  bool   `json:"git_modified"`
	GoVersion string `json:"go_version"`
}

// Place is an environment in short.
type Place struct {
	Platform            string `json:"platform"`
	CPU                 string `json:"cpu"`
	Tier                string `json:"tier"`
	Threads             int    `json:"threads"`
	HardwareFingerprint string `json:"hardware_fingerprint"`
}

// Item is something with a hash.
type Item struct {
	Name   string `json:"name"` // config, tokenizer, train data, weights at step 100, ...
	SHA256 string `json:"sha256"`
	Files  int    `json:"files,omitempty"` // of a data set: the hash is its manifest's
	Bytes  int64  `json:"bytes,omitempty"`
	// Path, slash-separated, is the file in the run's folder that has the hash, for Verify. Empty: the value was handed in.
	Path string `json:"path,omitempty"`
}

// NewReport starts a report from a command's environment; the caller adds
// inputs, outputs and further seeds.
func NewReport(runID string, e Environment) *Report {
	return &Report{
		Schema: ReportSchema, SchemaVersion: SchemaVersion, Timestamp: e.Timestamp, RunID: runID, Command: slices.Clone(e.Command),
		Seeds:  []Seed{{"run", e.Seed}},
		Code:   CodeID{e.Code.Version, e.Code.Commit, e.Code.Modified, e.Code.GoVersion},
		Inputs: []Item{}, Outputs: []Item{},
		Environment: Place{e.Platform, e.CPU.Model, e.CPU.Tier, e.Threads, e.HardwareFingerprint},
	}
}

// FileItem hashes a file of the run's folder.
func FileItem(dir, name, path string) (Item, error) {
	e, err := hashFile(os.DirFS(dir), path)
	return Item{Name: name, SHA256: e.SHA256, Bytes: e.Bytes, Path: path}, err
}

// Write makes report.json and report.txt in dir.
func (r *Report) Write(dir string) error {
	if err := writeJSON(filepath.Join(dir, ReportFile), r); err != nil {
		return err
	}
	return fsatomic.WriteFile(filepath.Join(dir, TextFile), 0o644, func(w io.Writer) error {
		_, err := w.Write(r.Text())
		return err
	})
}

// ReadReport reads a report.json.
func ReadReport(path string) (*Report, error) {
	var r Report
	if err := readJSON(path, &r, &r.SchemaVersion); err != nil {
		return nil, err
	}
	return &r, nil
}

// Text is the report for people.
func (r *Report) Text() []byte {
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(t, strings.TrimRight(strings.Join(cells, "\t"), "\t ")) }
	commit := cmp.Or(r.Code.Commit, "unknown")
	if r.Code.Modified {
		commit += " with changes that are in no commit"
	}
	row("Reproducibility report")
	row()
	row("run", r.RunID)
	row("time", r.Timestamp.UTC().Format(time.RFC3339))
	row("command", strings.Join(r.Command, " "))
	row("code", r.Code.Version+", commit "+commit+", "+r.Code.GoVersion)
	for _, s := range r.Seeds {
		row("seed", fmt.Sprintf("%s = %d", s.Name, s.Value))
	}
	row("machine", fmt.Sprintf("%s, %s, tier %s, %d threads", r.Environment.Platform, cmp.Or(r.Environment.CPU, "unknown processor"), r.Environment.Tier, r.Environment.Threads))
	row("hardware", r.Environment.HardwareFingerprint)
	for _, list := range []struct {
		title string
		items []Item
	}{{"inputs", r.Inputs}, {"outputs", r.Outputs}} {
		row()
		row(list.title, "SHA-256", "size", "file")
		for _, i := range list.items {
			row("  "+i.Name, i.SHA256, i.size(), i.Path)
		}
	}
	t.Flush()
	return b.Bytes()
}

func (i Item) size() string {
	switch {
	case i.Files > 0:
		return fmt.Sprintf("%d files, %d bytes", i.Files, i.Bytes)
	case i.Bytes > 0:
		return fmt.Sprintf("%d bytes", i.Bytes)
	}
	return "-"
}
