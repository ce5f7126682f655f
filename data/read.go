package data

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aries-serpent/codexml/internal/par"
)

// Corpus is what a reader found.
type Corpus struct {
	Documents []Document
	Stats     ReadStats
}

// ReadStats counts what a reader took and what it left out.
type ReadStats struct {
	Files     int   `json:"files"`     // read
	Documents int   `json:"documents"` // kept
	Bytes     int64 `json:"bytes"`     // of the documents kept

	Binary      int `json:"skipped_binary"`       // files with a zero byte near the start
	InvalidUTF8 int `json:"skipped_invalid_utf8"` // files or lines, under invalid_utf8: skip
	WrongSize   int `json:"skipped_size"`         // files outside min_file_bytes..max_file_bytes
	Special     int `json:"skipped_special"`      // neither file nor folder, or a name that is not UTF-8
	Empty       int `json:"skipped_empty"`        // documents
}

// Read reads the documents of a folder or file in the configuration's format.
// The configuration must be valid, and the format not tokens: see OpenTokens.
func Read(path string, c Config) (*Corpus, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read data: %w", err)
	}
	format := c.FormatOf(path)
	switch {
	case format == "tokens":
		return nil, fmt.Errorf("read data: %s holds tokens, not text: give a text source, or tokens for all of source_path, val_path and test_path", path)
	case info.IsDir() && format == "jsonl":
		return readJSONLFolder(path, c)
	case info.IsDir():
		return ReadFolder(path, c)
	case format == "jsonl":
		return ReadJSONL(c, path)
	}
	return ReadText(c, path)
}

// FormatOf is the format that a path is read in: the configuration's, with auto
// resolved by the extension. Folders are text then.
func (c Config) FormatOf(path string) string {
	if c.Format != "auto" {
		return c.Format
	}
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".jsonl", ".ndjson", ".tokens":
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return "text"
		}
		if ext == ".tokens" {
			return "tokens"
		}
		return "jsonl"
	}
	return "text"
}

// part is what one file or piece of a file gave.
type part struct {
	docs  []Document
	stats ReadStats
	err   error
}

// gather reads n parts at the same time and joins them in order. The error is
// the first one in order.
func gather(n int, c Config, read func(i int) part) (*Corpus, error) {
	parts := make([]part, n)
	pool := par.New(threads(0))
	defer pool.Close()
	pool.For(n, 1, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			parts[i] = read(i)
		}
	})
	var all part
	for i := range parts {
		if err := parts[i].err; err != nil {
			return nil, err
		}
		all.docs = append(all.docs, parts[i].docs...)
		all.stats.add(parts[i].stats)
	}
	return c.selected(all), nil
}

func (s *ReadStats) add(o ReadStats) {
	s.Files += o.Files
	s.Binary += o.Binary
	s.InvalidUTF8 += o.InvalidUTF8
	s.WrongSize += o.WrongSize
	s.Special += o.Special
	s.Empty += o.Empty
}

// selected applies what concerns documents as such: skip_empty, shard, max_items.
func (c Config) selected(p part) *Corpus {
	kept := make([]Document, 0, len(p.docs))
	for _, d := range p.docs {
		if c.SkipEmpty && isEmpty(d.Text) {
			p.stats.Empty++
			continue
		}
		kept = append(kept, d)
	}
	if c.Shard.Total > 1 {
		mine := kept[:0]
		for i, d := range kept {
			if i%c.Shard.Total == c.Shard.Index {
				mine = append(mine, d)
			}
		}
		kept = mine
	}
	if c.MaxItems > 0 && len(kept) > c.MaxItems {
		kept = kept[:c.MaxItems]
	}
	p.stats.Documents, p.stats.Bytes = len(kept), textBytes(kept)
	return &Corpus{Documents: kept, Stats: p.stats}
}

// cleaned is the part that a file's text gives as one document.
func (c Config) cleaned(name string, text []byte) part {
	p := part{stats: ReadStats{Files: 1}}
	text, err := c.clean(text)
	switch {
	case errors.Is(err, errSkip):
		p.stats.InvalidUTF8++
	case err != nil:
		p.err = fmt.Errorf("read text: %s: %w", name, err)
	default:
		p.docs = []Document{{Name: name, Text: text}}
	}
	return p
}
