// Package tokenizer turns text into the ids that a model reads, and ids into
// text: the whole of Hugging Face's tokenizer.json, SentencePiece's models, GPT-2's
// files, and training.
//
// data, train, eval, generate and serve call it; it stands on its own and imports
// no tensor code. A Tokenizer is safe for concurrent use. Everything here is
// deterministic: ids and trained merges are a function of bytes and options alone,
// never of threads, caches or the order of calls, and equal those of the original,
// Hugging Face's tokenizers (testdata/README.md says which version and how that is
// shown). It obeys no switches and reads no environment.
package tokenizer

import "fmt"

// Tokenizer maps text to ids and back.
//
// Text is bytes: any bytes can be encoded, and decoding what was encoded gives
// them back. The special tokens have ids but no text: Encode never makes one,
// whatever the text says, and Decode leaves them out.
type Tokenizer interface {
	// Encode appends the ids of text to dst. It adds no special tokens and does
	// not look for any in text. It allocates nothing but dst's growth.
	Encode(dst []int32, text []byte) []int32
	// Decode appends the text of ids to dst. Ids outside the vocabulary (a model
	// may have padded logits) have no text. The result need not be valid UTF-8:
	// an id may be a part of a character. See Decoder.
	Decode(dst []byte, ids []int32) []byte

	// VocabSize is the number of ids; they run from 0.
	VocabSize() int
	// ID finds a piece as it is written in the vocabulary, where byte-level BPE
	// writes a space as U+0120.
	ID(piece string) (id int32, ok bool)
	// Piece is the vocabulary's writing of an id, "" if there is no such id.
	Piece(id int32) string
	// ByteLengths gives the length of each id's text, for bits per byte. Special
	// tokens have 0. The slice is shared and must not be written to.
	ByteLengths() []int32

	// BOS, EOS and PAD are the ids of the special tokens [BOS], [EOS] and [PAD], or of
	// those that the format names instead.
	BOS() (id int32, ok bool)
	EOS() (id int32, ok bool)
	PAD() (id int32, ok bool)

	// SHA256 is the hash, in hex, of the tokenizer.json that Save writes: for a
	// loaded tokenizer, the bytes it was loaded from.
	SHA256() string
	// Save writes tokenizer.json to path, atomically.
	Save(path string) error
}

// DefaultSpecials are the special tokens that a trained tokenizer has unless it is
// told otherwise; their ids are 0 to 3.
func DefaultSpecials() []string { return []string{"[PAD]", "[UNK]", "[BOS]", "[EOS]"} }

// maxFile bounds what is read; the largest vocabularies in use take 30 MB.
const maxFile = 256 << 20

// Load reads a tokenizer from a file or a folder and finds out which of the formats it
// is in: Hugging Face's tokenizer.json, a SentencePiece model, or GPT-2's vocab.json and
// merges.txt. A tokenizer_config.json or special_tokens_map.json beside a tokenizer.json
// or vocab.json says which tokens BOS, EOS and PAD are where [BOS] and so on are missing.
func Load(path string) (Tokenizer, error) {
	t, err := loadPath(path)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer %s: %w", path, err)
	}
	return t, nil
}

// Parse reads the bytes of a tokenizer.json, which the tokenizer keeps; name
// stands for them in errors. Whatever the file asks for that this package does not
// do is an error that names it.
func Parse(name string, data []byte) (Tokenizer, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("load tokenizer %s: it has more than %d bytes: is it a tokenizer.json?", name, maxFile)
	}
	t, err := parseFile(data)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer %s: %w", name, err)
	}
	return t, nil
}
