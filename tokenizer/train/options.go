package train

import (
	"errors"
	"fmt"
	"runtime"
	"unicode/utf8"

	"github.com/aries-serpent/codexml/tokenizer/bpe"
)

// Split calls each with the pieces of a text, one after another. It must be safe for
// concurrent use; a piece is only good until each returns.
type Split func(text []byte, each func(piece []byte))

// Cut returns a place in text, from size on, where a piece ends whatever stands
// around it, the length of the text if there is none.
type Cut func(text []byte, size int) int

// CutAtSpace is the Cut of GPT-2's pattern: between a character of ASCII that is no
// white space, and a blank.
func CutAtSpace(text []byte, size int) int {
	for i := max(size, 1); i < len(text); i++ {
		if text[i] == ' ' && text[i-1] > ' ' && text[i-1] < 0x7F {
			return i
		}
	}
	return len(text)
}

// Options say what is made. Their names and meanings are those of the trainers of
// Hugging Face's tokenizers; what is zero is the original's default unless it says
// otherwise.
type Options struct {
	// VocabSize is the number of pieces to reach: special tokens, the alphabet, and
	// merges. A corpus may be too small to reach it.
	VocabSize int
	// MinFrequency is how often a pair (with WordLevel, a word) must be seen to become
	// a piece.
	MinFrequency uint64
	// Specials are the special tokens, with ids from 0. They are not looked for in
	// the text; if the text makes one a piece, that is an error.
	Specials []string
	// ByteLevel makes pieces of bytes, written in GPT-2's alphabet; otherwise they are
	// of characters, and bytes that are not UTF-8 count as U+FFFD.
	ByteLevel bool
	// InitialAlphabet has the characters that become pieces whether the text has them
	// or not; with ByteLevel, bpe.Alphabet has them all.
	InitialAlphabet []rune
	// LimitAlphabet keeps the characters that are seen most, the lower of equals, and
	// leaves out the others; 0 keeps all. (Of equals the original keeps some.)
	LimitAlphabet int
	// MaxTokenLength leaves pairs alone that would be as long as this, in characters
	// (bytes, if ByteLevel), or longer; 0 for no limit. Pairs of two characters that
	// stand in the text are merged in any case, as in the original.
	MaxTokenLength int
	// Prefix is written before every character of a word but the first (WordPiece
	// says ##), Suffix behind the last.
	Prefix, Suffix string

	// Split cuts texts into pieces, and Cut finds where long texts may be parted; a
	// nil Cut parts none.
	Split Split
	Cut   Cut
	// Threads is how many goroutines count words; 0 means as many as Go runs at a
	// time. The result does not depend on it.
	Threads int
	// Memory bounds, about, the bytes that counting words takes; what is more goes to
	// files in TempDir (os.TempDir if it is empty) as sorted runs. 0 means 1 GiB. The
	// result does not depend on it, but learning needs all different words at once,
	// so a corpus with too many is an error that says what it would take.
	Memory  int64
	TempDir string
	// MinWordCount leaves out words that are seen less often, for corpora with too
	// many different words; 0 and 1 leave out none.
	MinWordCount uint64
	// Progress, if not nil, is told now and then, from the calling goroutine, how
	// many merges of how many are done. While the documents are read that is 0.
	Progress func(done, total int)
}

// maxVocab bounds VocabSize: more is a slip of the pen.
const maxVocab = 1 << 24

// defaultMemory is what Memory is unless it is said.
const defaultMemory = 1 << 30

// validate checks the options and puts defaults in.
func (o *Options) validate() error {
	if o.Split == nil {
		panic("train: Options: Split is nil")
	}
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.Cut == nil {
		o.Cut = func(text []byte, size int) int { return len(text) }
	}
	if o.Progress == nil {
		o.Progress = func(done, total int) {}
	}
	if o.Memory == 0 {
		o.Memory = defaultMemory
	}
	switch {
	case o.Threads < 0:
		return fmt.Errorf("threads is %d, want at least 1, or 0 for all", o.Threads)
	case o.Memory < 1<<20:
		return fmt.Errorf("the memory limit is %d bytes, want at least 1 MiB, or 0 for 1 GiB", o.Memory)
	case o.LimitAlphabet < 0 || o.MaxTokenLength < 0:
		return fmt.Errorf("the limit of the alphabet is %d and that of the length %d, want at least 1, or 0 for none", o.LimitAlphabet, o.MaxTokenLength)
	}
	if least := len(o.Specials) + len(o.InitialAlphabet); o.VocabSize < max(least, 1) || o.VocabSize > maxVocab {
		of := "the initial alphabet"
		if o.ByteLevel {
			of = "the bytes"
		}
		return fmt.Errorf("vocabulary size is %d, want %d (%s and %d special tokens) to %d",
			o.VocabSize, least, of, len(o.Specials), maxVocab)
	}
	return validateSpecials(o.Specials, o.ByteLevel)
}

func validateSpecials(specials []string, byteLevel bool) error {
	seen := make(map[string]bool, len(specials))
	for _, s := range specials {
		r, size := utf8.DecodeRuneInString(s)
		b, isByte := bpe.ByteOf(r)
		switch {
		case s == "":
			return errors.New("a special token is empty: give it a name such as [X]")
		case !utf8.ValidString(s):
			return fmt.Errorf("the special token %q is not UTF-8", s)
		case seen[s]:
			return fmt.Errorf("the special token %q is given twice", s)
		case byteLevel && size == len(s) && isByte:
			return fmt.Errorf("the special token %q is the writing of byte 0x%02X: give it a name such as [%s]", s, b, s)
		}
		seen[s] = true
	}
	return nil
}
