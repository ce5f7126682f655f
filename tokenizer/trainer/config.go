// Package trainer makes a tokenizer folder from a config: it finds the corpus, trains
// with package train or spmtrain, and writes tokenizer.json, SentencePiece's files and
// the manifest.
//
// The tokenizer command calls it. The files are a function of the corpus and the config
// alone, never of the number of workers, the memory limit or the platform: files are
// read in the order of their names, and \r\n counts as \n.
package trainer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aries-serpent/codexml/tokenizer/normalize"
)

// Config is TrainTokenizerConfig: the keys of a training config.
type Config struct {
	// CorpusGlob names the corpus: patterns of paths, where ** stands for any number
	// of folders. Files ending in .jsonl hold a text on each line, in TextField;
	// others are texts.
	CorpusGlob []string `json:"corpus_glob"`
	// TextField is the key of the text in JSONL files. Default text.
	TextField string `json:"text_field"`
	// ModelType is bpe (of bytes), wordpiece, wordlevel, or unigram. Default unigram.
	ModelType string `json:"model_type"`
	// VocabSize is how many pieces to make, special tokens included. Default 8000.
	VocabSize int `json:"vocab_size"`
	// CharacterCoverage is the share of the text's characters that a unigram model
	// has pieces for. Default 0.9995.
	CharacterCoverage float64 `json:"character_coverage"`
	// NormalizationRule is, for unigram, one of SentencePiece's rules, default
	// nmt_nfkc_cf; for the others none, nfc, nfkc or bert. Default nfkc for bpe, bert
	// for wordpiece and none for wordlevel.
	NormalizationRule string `json:"normalization_rule"`
	// Seed decides which sentences a unigram model is trained on, if it draws. Default
	// 42.
	Seed uint64 `json:"seed"`
	// Workers is how many goroutines work; 0 means as many as Go runs at a time.
	// Default 4. The result does not depend on it.
	Workers int `json:"workers"`
	// OutDir and Name say where the folder is made. Defaults artifacts/tokenizers and
	// default.
	OutDir string `json:"out_dir"`
	Name   string `json:"name"`
	// Padding (max_length, longest, do_not_pad), Truncation and MaxLength (0 for none)
	// are how texts are to be encoded; they are kept in the manifest. Defaults
	// max_length, true and none.
	Padding    string `json:"padding"`
	Truncation bool   `json:"truncation"`
	MaxLength  int    `json:"max_length"`
	// DryRun asks for the plan only.
	DryRun bool `json:"dry_run"`
	// Streaming and StreamChunkSize, in bytes, say how files are read: StreamChunkSize
	// at a time, 1 MiB if it is 0. Files are always streamed, so that neither changes
	// the result.
	Streaming       bool `json:"streaming"`
	StreamChunkSize int  `json:"stream_chunk_size"`

	// Specials are the special tokens, with ids from 0. Default [PAD] [UNK] [BOS]
	// [EOS].
	Specials []string `json:"special_tokens"`
	// Pattern is the regular expression that bpe and wordlevel cut text with. Default
	// GPT-2's for bpe, words and punctuation for wordlevel.
	Pattern string `json:"pattern"`
	// MinFrequency, LimitAlphabet, MaxTokenLength and MinWordCount are explained at
	// train.Options; 0 is off. They are not for unigram.
	MinFrequency   uint64 `json:"min_frequency"`
	LimitAlphabet  int    `json:"limit_alphabet"`
	MaxTokenLength int    `json:"max_token_length"`
	MinWordCount   uint64 `json:"min_word_count"`
	// MemoryLimit bounds the bytes that counting takes; see train.Options. Default 1
	// GiB.
	MemoryLimit int64 `json:"memory_limit"`
	// TempDir is where counted words go that are beyond the limit. Default the
	// system's.
	TempDir string `json:"temp_dir"`
}

// DefaultConfig has the defaults.
func DefaultConfig() Config {
	return Config{
		TextField: "text", ModelType: "unigram", VocabSize: 8000, CharacterCoverage: 0.9995, Seed: 42, Workers: 4,
		OutDir: "artifacts/tokenizers", Name: "default", Padding: "max_length", Truncation: true,
		Specials: []string{"[PAD]", "[UNK]", "[BOS]", "[EOS]"}, MemoryLimit: 1 << 30,
	}
}

// rules are the normalisations of a kind of model, its default first.
func rules(model string) []string {
	switch model {
	case "unigram":
		return append([]string{"nmt_nfkc_cf"}, normalize.Rules()...)
	case "bpe":
		return []string{"nfkc", "nfc", "none"}
	case "wordpiece":
		return []string{"bert", "nfkc", "nfc", "none"}
	case "wordlevel":
		return []string{"none", "nfkc", "nfc", "bert"}
	}
	return nil
}

// Validate checks the config and puts defaults in.
func (c *Config) Validate() error {
	known := rules(c.ModelType)
	if known == nil {
		return fmt.Errorf("model_type is %q, want unigram, bpe, wordpiece or wordlevel", c.ModelType)
	}
	if c.NormalizationRule == "" {
		c.NormalizationRule = known[0]
	}
	switch {
	case !slices.Contains(known, c.NormalizationRule):
		return fmt.Errorf("normalization_rule is %q, want one of %s for %s", c.NormalizationRule, strings.Join(known, ", "), c.ModelType)
	case len(c.CorpusGlob) == 0:
		return errors.New("corpus_glob is empty: name the files to train on")
	case c.VocabSize <= 0:
		return fmt.Errorf("vocab_size is %d, want at least 1", c.VocabSize)
	case !(c.CharacterCoverage > 0 && c.CharacterCoverage <= 1):
		return fmt.Errorf("character_coverage is %v, want more than 0 and at most 1", c.CharacterCoverage)
	case c.Workers < 0:
		return fmt.Errorf("workers is %d, want at least 1, or 0 for all", c.Workers)
	case c.Name == "" || c.Name != filepath.Base(c.Name):
		return fmt.Errorf("name is %q, want the name of a folder", c.Name)
	case !slices.Contains([]string{"max_length", "longest", "do_not_pad"}, c.Padding):
		return fmt.Errorf("padding is %q, want max_length, longest or do_not_pad", c.Padding)
	case c.MaxLength < 0 || c.StreamChunkSize < 0:
		return fmt.Errorf("max_length is %d and stream_chunk_size %d, want at least 1, or 0 for the default", c.MaxLength, c.StreamChunkSize)
	case c.ModelType == "unigram" && (c.MinFrequency > 0 || c.LimitAlphabet > 0 || c.MaxTokenLength > 0 || c.MinWordCount > 0 || c.Pattern != ""):
		return errors.New("min_frequency, limit_alphabet, max_token_length, min_word_count and pattern are not for unigram: leave them out")
	case c.ModelType == "wordpiece" && c.Pattern != "":
		return errors.New("pattern is for bpe and wordlevel; wordpiece cuts as BERT does: leave it out")
	}
	if c.StreamChunkSize > 0 {
		c.Streaming = true
	}
	return nil
}

// Folder is where the tokenizer goes.
func (c *Config) Folder() string { return filepath.Join(c.OutDir, c.Name) }

// Plan is what a dry run shows.
type Plan struct {
	Config     Config `json:"config"`
	Files      []File `json:"files"`
	TotalBytes int64  `json:"total_bytes"`
	Output     string `json:"output"`
}

// File is a file of the corpus.
type File struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
}

// MakePlan validates the config and finds the files, in the order of their names. No
// file at all is an error.
func MakePlan(c Config) (*Plan, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	p := &Plan{Config: c, Output: filepath.ToSlash(c.Folder())}
	seen := make(map[string]bool)
	for _, pattern := range c.CorpusGlob {
		files, err := glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if !seen[f.Path] {
				seen[f.Path] = true
				p.Files = append(p.Files, f)
				p.TotalBytes += f.Size
			}
		}
	}
	if len(p.Files) == 0 {
		return nil, fmt.Errorf("corpus_glob: no file matches %s", strings.Join(c.CorpusGlob, ", "))
	}
	slices.SortFunc(p.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return p, nil
}

// glob finds the files that match a pattern. It goes through the folder that stands
// before the first wildcard.
func glob(pattern string) ([]File, error) {
	pattern = filepath.ToSlash(filepath.Clean(pattern))
	parts := strings.Split(pattern, "/")
	fixed := slices.IndexFunc(parts, func(s string) bool { return strings.ContainsAny(s, "*?[") })
	if fixed < 0 {
		info, err := os.Stat(pattern)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, nil
		case err != nil:
			return nil, err
		case info.IsDir():
			return nil, fmt.Errorf("corpus_glob: %s is a folder: name the files in it, such as %s/**/*.txt", pattern, pattern)
		}
		return []File{{pattern, info.Size()}}, nil
	}
	for _, part := range parts {
		if _, err := filepath.Match(part, ""); err != nil {
			return nil, fmt.Errorf("corpus_glob: %q: %w", pattern, err)
		}
	}
	root := strings.Join(parts[:fixed], "/")
	switch {
	case fixed == 0:
		root = "."
	case root == "":
		root = "/"
	}
	var files []File
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if path == root && errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		path = filepath.ToSlash(path)
		if d.IsDir() || !matches(parts, strings.Split(path, "/")) {
			return nil
		}
		info, err := os.Stat(path)
		if err == nil && info.Mode().IsRegular() {
			files = append(files, File{path, info.Size()})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("corpus_glob: %w", err)
	}
	return files, nil
}

// matches says whether a path matches a pattern, folder by folder.
func matches(pattern, path []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for i := range len(path) + 1 {
				if matches(pattern[1:], path[i:]) {
					return true
				}
			}
			return false
		}
		if len(path) == 0 {
			return false
		}
		if ok, err := filepath.Match(pattern[0], path[0]); err != nil || !ok {
			return false
		}
		pattern, path = pattern[1:], path[1:]
	}
	return len(path) == 0
}
