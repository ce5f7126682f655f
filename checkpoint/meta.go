package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/aries-serpent/codexml/internal/jsonscan"
)

// SchemaVersion is the version of meta.json that Save writes. A reader takes every
// version with the same number before the point.
const SchemaVersion = "1.0"

// maxMetrics bounds the metrics of a checkpoint.
const maxMetrics = 1000

// Meta is meta.json: what a checkpoint says about itself. Save fills the fields
// marked so; the others are the caller's and left out of the file while empty.
type Meta struct {
	SchemaVersion string // filled
	Digest        string // filled: the checkpoint's digest, see the package
	RunID         string // the run in the experiment tracker
	Step          int    // filled: optimiser steps done
	Epoch         int    // filled
	TokensSeen    int64  // tokens trained on so far
	CreatedAt     string // filled: UTC, RFC 3339
	Sequence      int    // filled: counts the saves to the store; the highest is the newest
	GitCommit     string // of the code that trained
	Notes         string

	ConfigVersion   string
	ConfigHash      string          // filled from the snapshot: SHA-256 of its canonical form
	ConfigSnapshot  json.RawMessage // the resolved configuration, an object
	DatasetVersion  string
	DataSHA256      string // of the training data
	TokenizerSHA256 string // of tokenizer.json

	Metrics     map[string]float64 // of the last evaluation
	MetricKey   string             // filled from the Store's options: the metric that ranks checkpoints
	MetricMode  string             // filled: min or max
	MetricValue *float64           // filled from Metrics; nil if that metric is not there

	Environment json.RawMessage // versions and machine, an object
	Extra       json.RawMessage // anything else, an object

	Files []FileRecord // filled
}

// FileRecord says what a file of the checkpoint holds.
type FileRecord struct {
	File    string
	Bytes   int64
	SHA256  string // hexadecimal, as all digests
	Tensors []TensorRecord
}

// TensorRecord says what a tensor of a file is.
type TensorRecord struct {
	Name   string
	DType  string // as in the safetensors header
	Shape  []int
	SHA256 string // of the tensor's bytes
}

// field is a member of meta.json and where its value goes.
type field struct {
	name string
	at   any
}

const digestName, versionName, filesName = "digest", "schema_version", "files"

// fields lists the members in the order of the file. Reading and writing go by it.
func (m *Meta) fields() []field {
	return []field{
		{versionName, &m.SchemaVersion}, {digestName, &m.Digest}, {"run_id", &m.RunID}, {"step", &m.Step}, {"epoch", &m.Epoch}, {"tokens_seen", &m.TokensSeen},
		{"created_at", &m.CreatedAt}, {"sequence", &m.Sequence}, {"git_commit", &m.GitCommit}, {"notes", &m.Notes}, {"config_version", &m.ConfigVersion}, {"config_hash", &m.ConfigHash},
		{"config_snapshot", &m.ConfigSnapshot}, {"dataset_version", &m.DatasetVersion}, {"data_sha256", &m.DataSHA256}, {"tokenizer_sha256", &m.TokenizerSHA256},
		{"metrics", &m.Metrics}, {"metric_key", &m.MetricKey}, {"metric_mode", &m.MetricMode}, {"metric_value", &m.MetricValue},
		{"environment", &m.Environment}, {"extra", &m.Extra}, {filesName, &m.Files},
	}
}

// CanonicalSHA256 is the SHA-256, in hexadecimal, of the canonical form of a JSON
// text (names sorted, no white space, UTF-8). A configuration's is its config_hash.
func CanonicalSHA256(text []byte) (string, error) {
	h := sha256.New()
	if err := jsonscan.Canonical(h, text); err != nil {
		return "", err
	}
	return sum(h), nil
}

// digestOf is a checkpoint's digest, of the text of its meta.json.
func digestOf(text []byte) (string, error) {
	h := sha256.New()
	if err := jsonscan.Canonical(h, text, digestName); err != nil {
		return "", err
	}
	return sum(h), nil
}

// encode returns the text of meta.json and fills in the digest.
func (m *Meta) encode() ([]byte, error) {
	m.Digest = ""
	text, err := m.appendJSON(nil)
	if err != nil {
		return nil, err
	}
	if m.Digest, err = digestOf(text); err != nil {
		return nil, fmt.Errorf("write %s: %w", MetaFile, err)
	}
	return m.appendJSON(text[:0])
}

func (m *Meta) appendJSON(out []byte) ([]byte, error) {
	out = append(out, "{\n"...)
	separator := ""
	var err error
	for _, f := range m.fields() {
		start := len(out)
		out = append(out, separator...)
		out = append(jsonscan.AppendQuoted(out, f.name), ": "...)
		before := len(out)
		if out, err = appendValue(out, f.at); err != nil {
			return nil, fmt.Errorf("write %s: %s: %w", MetaFile, f.name, err)
		}
		if len(out) == before { // empty
			out = out[:start]
			continue
		}
		separator = ",\n"
	}
	return append(out, "\n}\n"...), nil
}

// appendValue appends a field's value, nothing if it is empty.
func appendValue(out []byte, at any) ([]byte, error) {
	switch v := at.(type) {
	case *string:
		return appendText(out, *v)
	case *int:
		return strconv.AppendInt(out, int64(*v), 10), nil
	case *int64:
		return strconv.AppendInt(out, *v, 10), nil
	case **float64:
		if *v == nil {
			return out, nil
		}
		return appendNumber(out, **v)
	case *map[string]float64:
		return appendMetrics(out, *v)
	case *json.RawMessage:
		return appendObject(out, *v)
	case *[]FileRecord:
		return appendFiles(out, *v)
	}
	panic(fmt.Sprintf("checkpoint: a meta field of type %T", at))
}

func appendText(out []byte, text string) ([]byte, error) {
	if text == "" {
		return out, nil
	}
	if !utf8.ValidString(text) {
		return nil, fmt.Errorf("%q is not UTF-8", text)
	}
	return jsonscan.AppendQuoted(out, text), nil
}

func appendNumber(out []byte, v float64) ([]byte, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil, fmt.Errorf("%v is no JSON number", v)
	}
	return strconv.AppendFloat(out, v, 'g', -1, 64), nil
}

func appendMetrics(out []byte, metrics map[string]float64) ([]byte, error) {
	if metrics == nil {
		return out, nil
	}
	if len(metrics) > maxMetrics {
		return nil, fmt.Errorf("want at most %d metrics, got %d", maxMetrics, len(metrics))
	}
	out = append(out, '{')
	for i, name := range slices.Sorted(maps.Keys(metrics)) {
		if i > 0 {
			out = append(out, ", "...)
		}
		if !utf8.ValidString(name) {
			return nil, fmt.Errorf("%q is not UTF-8", name)
		}
		var err error
		out = append(jsonscan.AppendQuoted(out, name), ": "...)
		if out, err = appendNumber(out, metrics[name]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return append(out, '}'), nil
}

func appendObject(out []byte, object json.RawMessage) ([]byte, error) {
	if len(object) == 0 {
		return out, nil
	}
	if first := jsonscan.New(object).Peek(); first != '{' {
		return nil, fmt.Errorf("want a JSON object, got %.40q", object)
	}
	buf := bytes.NewBuffer(out)
	if err := jsonscan.Canonical(buf, object); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func appendFiles(out []byte, files []FileRecord) ([]byte, error) {
	out = append(out, '[')
	for i, f := range files {
		if i > 0 {
			out = append(out, ',')
		}
		out = jsonscan.AppendQuoted(append(out, "\n{\"file\": "...), f.File)
		out = strconv.AppendInt(append(out, `, "bytes": `...), f.Bytes, 10)
		out = jsonscan.AppendQuoted(append(out, `, "sha256": `...), f.SHA256)
		out = append(out, `, "tensors": [`...)
		for i, t := range f.Tensors {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendTensor(append(out, '\n'), t)
		}
		out = append(out, "]}"...)
	}
	return append(out, ']'), nil
}

func appendTensor(out []byte, t TensorRecord) []byte {
	out = jsonscan.AppendQuoted(append(out, ` {"name": `...), t.Name)
	out = jsonscan.AppendQuoted(append(out, `, "dtype": `...), t.DType)
	out = append(out, `, "shape": [`...)
	for i, dim := range t.Shape {
		if i > 0 {
			out = append(out, ", "...)
		}
		out = strconv.AppendInt(out, int64(dim), 10)
	}
	out = jsonscan.AppendQuoted(append(out, `], "sha256": `...), t.SHA256)
	return append(out, '}')
}
