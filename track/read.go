package track

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Record is a metric as it was read. Its tags lack those that this package set;
// Detail is nil, and ManifestID names the line of the manifest that has it.
type Record struct {
	Metric
	RunID      string
	Time       time.Time
	ManifestID string
}

// ReadMetrics yields the metrics in a run's folder, rotated files first, in the
// order in which they were written. A torn last line is skipped: the run that
// writes it may still be at work. Any other line that is no record is yielded as
// an error, which names file and line, and ends the sequence. A folder without
// metrics yields nothing.
func ReadMetrics(dir string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		paths, err := logFiles(filepath.Join(dir, MetricsFile))
		if err != nil {
			yield(Record{}, err)
			return
		}
		for _, path := range paths {
			if !readFile(path, yield) {
				return
			}
		}
	}
}

// logFiles lists a log's files that exist, oldest first.
func logFiles(path string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	var numbers []int
	current := false
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), filepath.Base(path))
		current = current || ok && rest == ""
		if n, err := strconv.Atoi(strings.TrimPrefix(rest, ".")); ok && err == nil && n > 0 && rest == "."+strconv.Itoa(n) {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	var paths []string
	for _, n := range slices.Backward(numbers) {
		paths = append(paths, backup(path, n))
	}
	if current {
		paths = append(paths, path)
	}
	return paths, nil
}

func readFile(path string, yield func(Record, error) bool) (goOn bool) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true // rotated away meanwhile
	}
	if err != nil {
		return yield(Record{}, fmt.Errorf("read metrics: %w", err))
	}
	defer f.Close()
	for r, err := range parseMetrics(f) {
		if err != nil {
			yield(Record{}, fmt.Errorf("read metrics: %s: %w", path, err))
			return false
		}
		if !yield(r, nil) {
			return false
		}
	}
	return true
}

// parseMetrics yields the records of one file; an error ends it.
func parseMetrics(r io.Reader) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		in := bufio.NewReader(r)
		for number := 1; ; number++ {
			line, err := in.ReadBytes('\n')
			if err == io.EOF {
				return // what comes after the last newline is torn
			}
			if err != nil {
				yield(Record{}, err)
				return
			}
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			}
			record, err := parseMetric(line)
			if err != nil {
				yield(Record{}, fmt.Errorf("line %d: %w", number, err))
				return
			}
			if !yield(record, nil) {
				return
			}
		}
	}
}

// parseMetric reads one line. Keys that later versions may add are let pass.
func parseMetric(line []byte) (Record, error) {
	var l struct {
		metricLine
		Step *int `json:"step"`
	}
	if err := json.Unmarshal(line, &l); err != nil {
		return Record{}, err
	}
	if l.SchemaVersion != SchemaVersion {
		return Record{}, fmt.Errorf("schema_version is %q, want %q", l.SchemaVersion, SchemaVersion)
	}
	if l.Step == nil {
		return Record{}, errors.New("step is missing")
	}
	at, err := time.Parse(time.RFC3339Nano, l.Timestamp)
	if err != nil {
		return Record{}, fmt.Errorf("timestamp is %q, want ISO-8601 such as 2026-01-31T12:00:00.000Z", l.Timestamp)
	}
	r := Record{RunID: l.RunID, Time: at.UTC()}
	r.ManifestID, _ = l.Tags[tagManifest].(string)
	word, _ := l.Tags[tagNonFinite].(string)
	delete(l.Tags, tagManifest)
	delete(l.Tags, tagNonFinite)
	r.Metric = Metric{Step: *l.Step, Split: l.Split, Name: l.metricLine.Metric, Tags: l.Tags}
	if err := r.check(); err != nil {
		return Record{}, err
	}
	if l.Dataset != nil {
		r.Data = *l.Dataset
	}
	if l.Value != nil {
		r.Value = *l.Value
		return r, nil
	}
	value, known := nonFinite[word]
	if !known {
		value = nonFinite["nan"] // of a value that is no number
		if r.ManifestID == "" {
			return Record{}, fmt.Errorf("value is null without the tag %s or %s", tagNonFinite, tagManifest)
		}
	}
	r.Value = value
	return r, nil
}
