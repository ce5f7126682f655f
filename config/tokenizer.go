package config

import "fmt"

// Tokenizer is the `tokenizer` section of a run.
type Tokenizer struct {
	// Path of a tokenizer.json. Empty trains one on the training data.
	Path string `yaml:"path"`
	// VocabSize is the number of pieces of a trained one: 4 specials, the 256 bytes, and merges. A corpus may be too
	// small to reach it.
	VocabSize int `yaml:"vocab_size"`
}

const (
	minVocab = 4 + 256 // specials and bytes
	maxVocab = 1 << 24 // the tokenizer's own bound
)

// DefaultTokenizer trains the quickstart's tokenizer.
func DefaultTokenizer() Tokenizer { return Tokenizer{VocabSize: 4096} }

// Validate reports every problem of the section.
func (t Tokenizer) Validate() error {
	if t.VocabSize < minVocab || t.VocabSize > maxVocab {
		return fmt.Errorf("tokenizer.vocab_size: want %d..%d, got %d", minVocab, maxVocab, t.VocabSize)
	}
	return nil
}
