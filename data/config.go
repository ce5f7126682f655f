package data

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Config is the `data` section of a run.
type Config struct {
	// SourcePath is where the training data comes from: a folder (each file below it is a document), a text file, a file
	// of JSON lines, or a token file.
	SourcePath string `yaml:"source_path"`
	// Format of source_path, val_path and test_path: text, jsonl, tokens, or auto: by the file's extension (.jsonl and
	// .ndjson, .tokens, anything else is text). In a folder, jsonl takes its .jsonl and .ndjson files.
	Format string `yaml:"format"`
	// ValPath is validation data of its own; empty splits validation off source_path. It is refused if a document is
	// identical or near-identical to one of the training data.
	ValPath string `yaml:"val_path"`
	// TestPath is test data of its own; empty splits it off source_path.
	TestPath string `yaml:"test_path"`
	// CacheDir is the folder for token files, which are made once per text and tokenizer. Empty is the run's folder.
	CacheDir string `yaml:"cache_dir"`

	// Extensions limits a folder to files that end so, such as [.go, .md]. Empty takes every text file.
	Extensions []string `yaml:"extensions"`
	// Exclude names the files and folders that are left out wherever they are in a folder, such as testdata or vendor.
	Exclude []string `yaml:"exclude"`
	// MinFileBytes leaves out smaller files of a folder.
	MinFileBytes int64 `yaml:"min_file_bytes"`
	// MaxFileBytes leaves out larger files of a folder; 0 is no limit.
	MaxFileBytes int64 `yaml:"max_file_bytes"`
	// DocumentBytes cuts a text file given by itself at line ends into documents of about so many bytes, since documents
	// are what is split into training and validation data; 0 keeps it whole. Files of a folder are never cut.
	DocumentBytes int `yaml:"document_bytes"`
	// InvalidUTF8 says what happens to text that is not UTF-8: error; skip (leave out the file or line, and count it);
	// replace (U+FFFD for what is wrong); latin-1 (read it as that); keep (train on the bytes as they are; not for jsonl).
	// Files of a folder with a zero byte near the start are binary: they are always left out and counted.
	InvalidUTF8 string `yaml:"invalid_utf8"`
	// NewlineNormalization: unix (CR LF and CR become LF), windows (all become CR LF), or preserve.
	NewlineNormalization string `yaml:"newline_normalization"`
	// SkipEmpty leaves out documents without anything but white space.
	SkipEmpty bool `yaml:"skip_empty"`
	// MaxItems ends reading after so many documents; 0 reads all.
	MaxItems int `yaml:"max_items"`
	// Shard keeps one part of the documents only: those whose number modulo total is index.
	Shard Shard `yaml:"shard"`

	// SplitRatios are the shares of the documents' bytes that train, validation and test get; their sum is 1. A share of
	// 0 leaves validation or test empty.
	SplitRatios Ratios `yaml:"split_ratios"`
	// MaxValidationBytes caps validation whatever its ratio is; what is over is training data. 0 is no cap.
	MaxValidationBytes int64 `yaml:"max_validation_bytes"`
	// MaxTestBytes caps test likewise.
	MaxTestBytes int64 `yaml:"max_test_bytes"`
	// NearDuplicate is the Jaccard similarity of two documents' shingles (runs of five words) from which on they count
	// as near-identical and stay on one side of the split, 0.7 to 1.
	NearDuplicate float64 `yaml:"near_duplicate"`
	// ShuffleSeed picks the documents of validation and test. The order of training follows training.seed.
	ShuffleSeed int64 `yaml:"shuffle_seed"`

	// Packing fills the rows of a batch: concat (documents one after another, cut wherever a row ends), or best_fit
	// (documents that fit into a row are never cut; the rows' ends are padded).
	Packing string `yaml:"packing"`
	// DocumentMask keeps attention inside a document. Without it a row's tokens see the documents before theirs.
	DocumentMask bool `yaml:"document_mask"`
}

// Shard is one of Total parts of the documents.
type Shard struct {
	// Index of this part, from 0.
	Index int `yaml:"index"`
	// Total number of parts.
	Total int `yaml:"total"`
}

// Ratios are the shares of a split.
type Ratios struct {
	// Train is the share of the training data.
	Train float64 `yaml:"train"`
	// Validation is the share of the data that is evaluated on while training.
	Validation float64 `yaml:"validation"`
	// Test is the share of the data that is evaluated on once, at the end.
	Test float64 `yaml:"test"`
}

// Accepted values of Config's fields.
var (
	Formats             = []string{"auto", "jsonl", "text", "tokens"}
	InvalidUTF8Policies = []string{"error", "keep", "latin-1", "replace", "skip"}
	NewlineConversions  = []string{"preserve", "unix", "windows"}
	Packings            = []string{"best_fit", "concat"}
)

// DefaultConfig holds the Python system's defaults, with a share for test.
func DefaultConfig() Config {
	return Config{
		SourcePath: "data/raw/sample.txt", Format: "auto", CacheDir: "data/cache",
		Exclude: []string{".git", ".hg", ".svn"}, DocumentBytes: 64 << 10, InvalidUTF8: "error", NewlineNormalization: "unix", SkipEmpty: true,
		Shard: Shard{Total: 1}, SplitRatios: Ratios{Train: 0.9, Validation: 0.05, Test: 0.05},
		MaxValidationBytes: 1e6, MaxTestBytes: 1e6, NearDuplicate: 0.8, Packing: "concat", DocumentMask: true,
	}
}

// problems collects what is wrong with a configuration.
type problems []error

func (p *problems) add(key, format string, args ...any) {
	*p = append(*p, fmt.Errorf("data.%s: %s", key, fmt.Sprintf(format, args...)))
}

func (p *problems) oneOf(key, value string, want []string) {
	if !slices.Contains(want, value) {
		p.add(key, "want one of %s, got %q", strings.Join(want, ", "), value)
	}
}

func (p *problems) atLeastZero(key string, value int64) {
	if value < 0 {
		p.add(key, "want 0 or above, got %d", value)
	}
}

// Validate reports every problem of the configuration.
func (c Config) Validate() error {
	var p problems
	if c.SourcePath == "" {
		p.add("source_path", "want a folder or a file, got none")
	}
	p.oneOf("format", c.Format, Formats)
	for i, ext := range c.Extensions {
		if !strings.HasPrefix(ext, ".") || len(ext) < 2 {
			p.add(fmt.Sprintf("extensions[%d]", i), "want a dot and more, such as .txt, got %q", ext)
		}
	}
	for i, name := range c.Exclude {
		if name == "" || strings.ContainsAny(name, `/\`) {
			p.add(fmt.Sprintf("exclude[%d]", i), "want the name of a file or folder without its path, got %q", name)
		}
	}
	p.atLeastZero("min_file_bytes", c.MinFileBytes)
	p.atLeastZero("max_file_bytes", c.MaxFileBytes)
	if c.MaxFileBytes > 0 && c.MaxFileBytes < c.MinFileBytes {
		p.add("max_file_bytes", "is below min_file_bytes (%d < %d), so that no file is left", c.MaxFileBytes, c.MinFileBytes)
	}
	p.atLeastZero("document_bytes", int64(c.DocumentBytes))
	p.oneOf("invalid_utf8", c.InvalidUTF8, InvalidUTF8Policies)
	p.oneOf("newline_normalization", c.NewlineNormalization, NewlineConversions)
	p.atLeastZero("max_items", int64(c.MaxItems))
	if c.Shard.Total < 1 {
		p.add("shard.total", "want 1 or above, got %d", c.Shard.Total)
	} else if c.Shard.Index < 0 || c.Shard.Index >= c.Shard.Total {
		p.add("shard.index", "want 0..%d, got %d", c.Shard.Total-1, c.Shard.Index)
	}
	c.validateSplit(&p)
	p.oneOf("packing", c.Packing, Packings)
	return errors.Join(p...)
}

func (c Config) validateSplit(p *problems) {
	r := c.SplitRatios
	valid := true
	for _, share := range []struct {
		key   string
		value float64
	}{{"train", r.Train}, {"validation", r.Validation}, {"test", r.Test}} {
		if !(share.value >= 0 && share.value <= 1) { // NaN too
			p.add("split_ratios."+share.key, "want 0..1, got %v", share.value)
			valid = false
		}
	}
	if sum := r.Train + r.Validation + r.Test; valid && math.Abs(sum-1) > 0.001 {
		p.add("split_ratios", "want a sum of 1, got %v + %v + %v = %v", r.Train, r.Validation, r.Test, sum)
	} else if valid && r.Train == 0 {
		p.add("split_ratios.train", "is 0, so that there is nothing to train on")
	}
	p.atLeastZero("max_validation_bytes", c.MaxValidationBytes)
	p.atLeastZero("max_test_bytes", c.MaxTestBytes)
	if !(c.NearDuplicate >= minSimilarity && c.NearDuplicate <= 1) {
		p.add("near_duplicate", "want %v..1, got %v", minSimilarity, c.NearDuplicate)
	}
	if c.ShuffleSeed < 0 {
		p.add("shuffle_seed", "want 0 or above, got %d", c.ShuffleSeed)
	}
}
