// Package track writes what a run measures, as newline-delimited JSON in the
// run's folder: params.ndjson once per start, metrics.ndjson as training goes on,
// metrics_manifest.ndjson for values that are more than a number. The trainer and
// the evaluation write through a Tracker; the dashboard and the summaries read
// with ReadMetrics.
//
// A record is a line: its keys stand in a fixed order, those of tags and other
// maps in alphabetical order, and its timestamp is ISO-8601 in UTC with
// milliseconds and a Z. A batch of records is one write of the operating system.
// A crash leaves at most a torn last line, which readers skip and the next Open
// cuts off. Trackers are safe for concurrent use. One process at a time may write
// to a folder.
package track

import "time"

// Schema names; a record's $schema is SchemaBase and one of them.
const (
	SchemaBase     = "https://codexml.ai/schemas/"
	MetricsSchema  = SchemaBase + "run_metrics.schema.json"
	ParamsSchema   = SchemaBase + "run_params.schema.json"
	ManifestSchema = SchemaBase + "run_metrics_manifest.schema.json"
	SchemaVersion  = "v1"
)

// File names in a run's folder.
const (
	MetricsFile  = "metrics.ndjson"
	ParamsFile   = "params.ndjson"
	ManifestFile = "metrics_manifest.ndjson"
)

// Metric is a number that a run measured.
type Metric struct {
	Step   int    // optimiser steps done
	Split  string // train, validation, test, ...
	Name   string
	Value  float64 // may be infinite or NaN
	Data   string  // name of the data set; empty: none
	Tags   map[string]any
	Detail *Descriptor // of a value that is no number, instead of Value
}

// Descriptor says what a value is that is more than a number.
type Descriptor struct {
	Type    string `json:"type"` // histogram, table, image, ...
	Version string `json:"version"`
	Shape   []int  `json:"shape,omitempty"`
	Path    string `json:"path,omitempty"` // of a file in the run's folder that holds it
	Payload any    `json:"payload"`        // the value itself where it is small
}

// Params says what a run was started with. Nil fields become empty objects.
type Params struct {
	Argv     []string       // the command line
	Options  map[string]any // the flags, parsed
	Config   any            // the resolved configuration
	Derived  map[string]any // what was computed from it: steps, tokens, parameters
	Metadata map[string]any // left out if nil
}

// Tracker takes a run's records.
type Tracker interface {
	// RunID names the run in every record.
	RunID() string
	// LogMetrics appends the metrics, all of them or, on an error, none.
	LogMetrics(metrics ...Metric) error
	// LogParams appends what the run was started with.
	LogParams(p Params) error
	// Sync brings all records to the disk; the trainer calls it before it says that a checkpoint is safe.
	Sync() error
	// Close syncs and ends the tracker. Later calls fail.
	Close() error
}

// Null is a Tracker that drops everything, so that callers need no ifs.
type Null struct{}

var _ Tracker = Null{}

// RunID implements Tracker.
func (Null) RunID() string { return "" }

// LogMetrics implements Tracker.
func (Null) LogMetrics(...Metric) error { return nil }

// LogParams implements Tracker.
func (Null) LogParams(Params) error { return nil }

// Sync implements Tracker.
func (Null) Sync() error { return nil }

// Close implements Tracker.
func (Null) Close() error { return nil }

// timeFormat is the one form of timestamps.
const timeFormat = "2006-01-02T15:04:05.000Z"

// Timestamp writes t in the form that every record uses.
func Timestamp(t time.Time) string { return t.UTC().Format(timeFormat) }
