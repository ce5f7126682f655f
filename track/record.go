package track

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
)

// header is what every record begins with.
type header struct {
	Schema        string `json:"$schema"`
	SchemaVersion string `json:"schema_version"`
	Timestamp     string `json:"timestamp"`
	RunID         string `json:"run_id"`
}

// metricLine is a line of metrics.ndjson; the fields' order is the keys'.
type metricLine struct {
	header
	Step    int            `json:"step"`
	Split   string         `json:"split"`
	Metric  string         `json:"metric"`
	Value   *float64       `json:"value"`
	Dataset *string        `json:"dataset"`
	Tags    map[string]any `json:"tags"`
}

type manifestLine struct {
	header
	ManifestID string      `json:"manifest_id"`
	Metric     string      `json:"metric"`
	Step       int         `json:"step"`
	Split      string      `json:"split"`
	Dataset    *string     `json:"dataset"`
	Descriptor *Descriptor `json:"descriptor"`
}

type paramsLine struct {
	header
	CLI struct {
		Argv    []string       `json:"argv"`
		Options map[string]any `json:"options"`
	} `json:"cli"`
	Config   any            `json:"config"`
	Derived  map[string]any `json:"derived"`
	Metadata map[string]any `json:"metadata,omitempty"`
}

// Tags that this package sets: JSON has no word for a number that is not finite,
// and a value that is no number stands in the manifest.
const (
	tagNonFinite = "non_finite"
	tagManifest  = "manifest_id"
)

var nonFinite = map[string]float64{"nan": math.NaN(), "inf": math.Inf(1), "-inf": math.Inf(-1)}

func nonFiniteName(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case v > 0:
		return "inf"
	}
	return "-inf"
}

// check reports keys that a record must have, and tags that are ours.
func (m *Metric) check() error {
	switch {
	case m.Step < 0:
		return fmt.Errorf("metric %q: step %d is negative", m.Name, m.Step)
	case m.Split == "":
		return fmt.Errorf("metric %q at step %d: split is empty", m.Name, m.Step)
	case m.Name == "":
		return fmt.Errorf("metric at step %d: name is empty", m.Step)
	}
	for _, tag := range []string{tagNonFinite, tagManifest} {
		if _, taken := m.Tags[tag]; taken {
			return fmt.Errorf("metric %q: the tag %q is reserved", m.Name, tag)
		}
	}
	return nil
}

// line is the metric as a record. A copy of the tags is made where one is added.
func (m *Metric) line(h header) metricLine {
	l := metricLine{header: h, Step: m.Step, Split: m.Split, Metric: m.Name, Dataset: optional(m.Data), Tags: m.Tags}
	if l.Tags == nil {
		l.Tags = map[string]any{}
	}
	tag := func(key, value string) {
		l.Tags = maps.Clone(l.Tags)
		l.Tags[key] = value
	}
	switch {
	case m.Detail != nil:
		tag(tagManifest, m.manifestID(h.RunID))
	case m.Value-m.Value != 0:
		tag(tagNonFinite, nonFiniteName(m.Value))
	default:
		l.Value = &m.Value
	}
	return l
}

// manifestID joins a metric to its descriptor: the same measurement of the same
// run has the same one.
func (m *Metric) manifestID(runID string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %q %q %q", runID, m.Step, m.Split, m.Name, m.Data))
	return hex.EncodeToString(sum[:16])
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// appendLine appends v as one line of compact JSON.
func appendLine(dst *bytes.Buffer, v any) error {
	enc := json.NewEncoder(dst)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// metricLines are the lines for metrics.ndjson and for its manifest.
func metricLines(h header, metrics []Metric) (lines, manifest bytes.Buffer, err error) {
	var problems []error
	for i := range metrics {
		m := &metrics[i]
		err := m.check()
		if err == nil {
			h.Schema = MetricsSchema
			err = appendLine(&lines, m.line(h))
		}
		if err == nil && m.Detail != nil {
			h.Schema = ManifestSchema
			err = appendLine(&manifest, manifestLine{h, m.manifestID(h.RunID), m.Name, m.Step, m.Split, optional(m.Data), m.Detail})
		}
		problems = append(problems, err)
	}
	return lines, manifest, errors.Join(problems...)
}

func (p *Params) line(h header) paramsLine {
	l := paramsLine{header: h, Config: p.Config, Derived: p.Derived, Metadata: p.Metadata}
	l.Schema = ParamsSchema
	l.CLI.Argv, l.CLI.Options = p.Argv, p.Options
	if l.CLI.Argv == nil {
		l.CLI.Argv = []string{}
	}
	if l.CLI.Options == nil {
		l.CLI.Options = map[string]any{}
	}
	if l.Config == nil {
		l.Config = map[string]any{}
	}
	if l.Derived == nil {
		l.Derived = map[string]any{}
	}
	return l
}
