// Package spmtrain trains SentencePiece models, unigram and BPE, with SentencePiece's
// options: what sentencepiece's trainer makes of a corpus, made faster, and the same
// bytes for the same sentences, options and seed, for any number of threads and on
// every platform.
//
// Package tokenizer and its command call it. Sums over the corpus are integers, so
// that their order does not matter; logarithms and exponentials are internal/kernel's.
// Scripts of characters are those of Go's tables. It obeys no switches.
package spmtrain

import (
	"errors"
	"fmt"
	"runtime"
	"unicode/utf8"

	format "github.com/aries-serpent/codexml/format/sentencepiece"
	"github.com/aries-serpent/codexml/tokenizer/normalize"
)

// Config says what is trained. Trainer and Normalizer are the original's options
// (their fields' comments are the manual) and are stored in the model.
type Config struct {
	Trainer    format.TrainerSpec
	Normalizer format.NormalizerSpec
	// NormalizationRule makes Normalizer.PrecompiledCharsmap: one of normalize.Rules().
	// If it is empty, what Normalizer holds is taken.
	NormalizationRule string
	// Seed decides which sentences are drawn, if Trainer.InputSentenceSize says that
	// some are.
	Seed uint64
	// Threads is how many goroutines work; 0 means as many as Go runs at a time. The
	// result does not depend on it.
	Threads int
	// Memory bounds, about, the bytes that counting words (or, without SplitByWhitespace,
	// sentences) takes; what is more goes to files in TempDir (os.TempDir if it is
	// empty) as sorted runs. 0 means 1 GiB. The result does not depend on it, but
	// training needs all different words at once: too many are an error.
	Memory  int64
	TempDir string
	// MinWordCount leaves out words that are seen less often; 0 and 1 leave out none.
	MinWordCount uint64
	// Progress, if not nil, is told from the calling goroutine what is done: how many
	// pieces there are now, of which Trainer.VocabSize are to stay.
	Progress func(step string, pieces int)
}

// DefaultConfig has the defaults of the original.
func DefaultConfig() Config {
	return Config{Trainer: format.DefaultTrainerSpec(), Normalizer: format.DefaultNormalizerSpec(), NormalizationRule: "nmt_nfkc"}
}

const (
	unknownMark = '\u2585' // stands for characters without a piece
	boundary    = '\x1F'   // no piece crosses it
	spaceMark   = '\u2581'
	space       = "\u2581"
)

// Validate checks the options and fills in what has defaults.
func (c *Config) Validate() error {
	t := &c.Trainer
	if t.ModelType != format.Unigram && t.ModelType != format.BPE {
		return fmt.Errorf("model_type is %v: unigram and bpe are trained", t.ModelType)
	}
	between := func(name string, v, low, high float64) error {
		if !(v >= low && v <= high) {
			return fmt.Errorf("%s is %v, want %v to %v", name, v, low, high)
		}
		return nil
	}
	err := errors.Join(
		between("vocab_size", float64(t.VocabSize), 1, 1<<24),
		between("character_coverage", float64(t.CharacterCoverage), 0.98, 1),
		between("max_sentencepiece_length", float64(t.MaxSentencepieceLength), 1, 512),
		between("num_sub_iterations", float64(t.NumSubIterations), 1, 10),
		between("shrinking_factor", float64(t.ShrinkingFactor), 0.5, 0.95),
		between("max_sentence_length", float64(t.MaxSentenceLength), 10, 1<<30),
		between("seed_sentencepiece_size", float64(t.SeedSentencepieceSize), 1, 1<<26),
		between("threads", float64(c.Threads), 0, 1<<16),
	)
	if err != nil {
		return err
	}
	switch {
	case !c.Normalizer.EscapeWhitespaces:
		return errors.New("escape_whitespaces is off: want it on, spaces are looked for as U+2581")
	case t.UseAllVocab:
		return errors.New("use_all_vocab is for models of types char and word")
	case t.SeedSentencepiecesFile != "" || t.AutoCharacterCoverage || t.EnableDifferentialPrivacy:
		return errors.New("seed_sentencepieces_file, auto_character_coverage and enable_differential_privacy are not supported: leave them unset")
	case !utf8.ValidString(t.RequiredChars):
		return errors.New("required_chars is not UTF-8")
	case t.UnkPiece == "" || t.BosPiece == "" || t.EosPiece == "" || t.PadPiece == "":
		return errors.New("unk_piece, bos_piece, eos_piece or pad_piece is empty: give it a name")
	}
	if c.Threads == 0 {
		c.Threads = runtime.GOMAXPROCS(0)
	}
	if c.Progress == nil {
		c.Progress = func(string, int) {}
	}
	if c.NormalizationRule != "" {
		charsmap, err := normalize.BuildCharsmap(c.NormalizationRule)
		if err != nil {
			return err
		}
		c.Normalizer.Name, c.Normalizer.PrecompiledCharsmap = c.NormalizationRule, charsmap
	}
	return nil
}

// meta is a piece that is not learned.
type meta struct {
	text string
	typ  format.Type
}

// metaPieces are the pieces that the options ask for, by id.
func metaPieces(t *format.TrainerSpec) (map[int32]meta, error) {
	ids := map[int32]meta{}
	for _, m := range []struct {
		name, text string
		id         int32
	}{{"unk_id", t.UnkPiece, t.UnkID}, {"bos_id", t.BosPiece, t.BosID}, {"eos_id", t.EosPiece, t.EosID}, {"pad_id", t.PadPiece, t.PadID}} {
		if m.id < 0 {
			continue
		}
		if other, ok := ids[m.id]; ok || m.id >= t.VocabSize {
			return nil, fmt.Errorf("%s is %d, which is %q or not below the vocabulary's size of %d", m.name, m.id, other.text, t.VocabSize)
		}
		ids[m.id] = meta{m.text, format.Control}
	}
	if t.UnkID >= 0 {
		ids[t.UnkID] = meta{t.UnkPiece, format.Unknown}
	} else if !t.ByteFallback {
		return nil, errors.New("unk_id is below 0: want an id for the unknown piece, or byte_fallback")
	}
	return ids, addSymbols(t, ids)
}

// addSymbols gives symbols the lowest free ids.
func addSymbols(t *format.TrainerSpec, ids map[int32]meta) error {
	var symbols []meta
	for _, s := range t.ControlSymbols {
		symbols = append(symbols, meta{s, format.Control})
	}
	for _, s := range t.UserDefinedSymbols {
		symbols = append(symbols, meta{s, format.UserDefined})
	}
	for b := 0; t.ByteFallback && b < 256; b++ {
		symbols = append(symbols, meta{fmt.Sprintf("<0x%02X>", b), format.Byte})
	}
	named := map[string]int32{}
	for id, m := range ids {
		if _, ok := named[m.text]; ok {
			return fmt.Errorf("two of unk_piece, bos_piece, eos_piece and pad_piece are %q: give them different names", m.text)
		}
		named[m.text] = id
	}
	seen := map[string]bool{}
	next := int32(0)
	for _, s := range symbols {
		switch {
		case s.text == "" || !utf8.ValidString(s.text):
			return fmt.Errorf("the symbol %q is empty or not UTF-8", s.text)
		case seen[s.text]:
			return fmt.Errorf("the symbol %q comes twice among control_symbols, user_defined_symbols and bytes", s.text)
		case s.text == t.UnkPiece:
			return fmt.Errorf("the symbol %q is the unknown piece already", s.text)
		}
		seen[s.text] = true
		if id, ok := named[s.text]; ok { // <s> as a user-defined symbol, say
			ids[id] = s
			continue
		}
		for _, taken := ids[next]; taken; _, taken = ids[next] {
			next++
		}
		ids[next] = s
	}
	return nil
}
