package spmtrain

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	format "github.com/aries-serpent/codexml/format/sentencepiece"
	"github.com/aries-serpent/codexml/internal/testkit"
	"github.com/aries-serpent/codexml/tokenizer/sentencepiece"
)

func lines(text string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for line := range strings.Lines(text) {
			if !yield([]byte(strings.TrimSuffix(line, "\n"))) {
				return
			}
		}
	}
}

// sample is a corpus: this package's sources and a text of several scripts.
func sample(tb testing.TB) string {
	tb.Helper()
	text, err := os.ReadFile("testdata/corpus.txt")
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// small is a config for sample.
func small(typ format.ModelType, size int32) Config {
	c := DefaultConfig()
	c.Trainer.ModelType = typ
	c.Trainer.VocabSize = size
	c.NormalizationRule = "identity"
	return c
}

func trainModel(tb testing.TB, text string, c Config) *format.Model {
	tb.Helper()
	m, err := Train(context.Background(), lines(text), c)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// The model is the same for any number of threads, and on every platform: scores are
// compared to the last bit.
func TestGolden(t *testing.T) {
	text := sample(t)
	for _, typ := range []format.ModelType{format.Unigram, format.BPE} {
		var first []byte
		for _, threads := range []int{1, 2, 5} {
			c := small(typ, 400)
			c.Threads = threads
			m := trainModel(t, text, c)
			file := m.Append(nil)
			if first == nil {
				first = file
				var out strings.Builder
				for _, p := range m.Pieces {
					fmt.Fprintf(&out, "%q %x %v\n", p.Text, p.Score, p.Type)
				}
				testkit.Golden(t, "testdata/"+typ.String()+".txt", out.String())
			} else if !bytes.Equal(first, file) {
				t.Errorf("%v: %d threads give another model", typ, threads)
			}
		}
	}
}

// What the options ask for is what the model has.
func TestOptions(t *testing.T) {
	text := sample(t)
	f := func(name string, change func(c *Config), wrong func(p format.Piece) bool) *format.Model {
		t.Helper()
		c := small(format.Unigram, 400)
		change(&c)
		m := trainModel(t, text, c)
		for _, p := range m.Pieces {
			if p.Type == format.Normal && wrong(p) {
				t.Errorf("%s: it has piece %q", name, p.Text)
			}
		}
		if _, err := sentencepiece.New(m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return m
	}
	inside := func(p format.Piece) bool { return strings.Contains(p.Text[1:], space) }
	f("split_by_whitespace", func(c *Config) {}, inside)
	m := f("no split_by_whitespace", func(c *Config) { c.Trainer.SplitByWhitespace = false }, func(p format.Piece) bool {
		return p.Text != space && strings.HasSuffix(p.Text, space)
	})
	across := 0
	for _, p := range m.Pieces {
		if inside(p) {
			across++
		}
	}
	if across == 0 {
		t.Error("no split_by_whitespace: no piece has a space inside")
	}
	f("treat_whitespace_as_suffix", func(c *Config) { c.Trainer.TreatWhitespaceAsSuffix = true }, func(p format.Piece) bool {
		return strings.Contains(strings.TrimSuffix(p.Text, space), space)
	})
	f("split_digits", func(c *Config) { c.Trainer.SplitDigits = true }, func(p format.Piece) bool {
		return len(p.Text) > 1 && strings.ContainsAny(p.Text, "0123456789")
	})
	f("max_sentencepiece_length", func(c *Config) { c.Trainer.MaxSentencepieceLength = 3 }, func(p format.Piece) bool {
		return utf8.RuneCountInString(p.Text) > 3
	})
	m = f("symbols", func(c *Config) {
		c.Trainer.ByteFallback = true
		c.Trainer.UserDefinedSymbols = []string{"func", "</s>"}
		c.Trainer.ControlSymbols = []string{"<ctl>"}
		c.Trainer.RequiredChars = "\u2603"
		c.Trainer.VocabSize = 600
	}, func(p format.Piece) bool { return strings.Contains(p.Text, "func") })
	types := map[string]format.Type{}
	for _, p := range m.Pieces {
		types[p.Text] = p.Type
	}
	for text, want := range map[string]format.Type{
		"func": format.UserDefined, "</s>": format.UserDefined, "<s>": format.Control, "<ctl>": format.Control, "<0xFF>": format.Byte, "\u2603": format.Normal,
	} {
		if types[text] != want {
			t.Errorf("symbols: %q is %v, want %v", text, types[text], want)
		}
	}
}

// Which sentences are drawn depends on the seed and on nothing else.
func TestSampling(t *testing.T) {
	text := sample(t)
	model := func(seed uint64, shuffle bool) string {
		c := small(format.Unigram, 200)
		c.Trainer.InputSentenceSize = 150
		c.Trainer.ShuffleInputSentence = shuffle
		c.Trainer.CharacterCoverage = 0.98
		c.Trainer.HardVocabLimit = false
		c.Seed = seed
		return string(trainModel(t, text, c).Append(nil))
	}
	if first, again := model(1, true), model(1, true); first != again {
		t.Error("one seed gives two models")
	}
	if model(1, true) == model(2, true) {
		t.Error("two seeds give one model")
	}
	if model(1, false) != model(2, false) {
		t.Error("the first sentences depend on the seed")
	}
}

// A text longer than a float64's range allows is fitted all the same.
func TestLongText(t *testing.T) {
	c := small(format.Unigram, 40)
	c.Trainer.SplitByWhitespace = false
	c.Trainer.MaxSentenceLength = 1 << 20
	c.Trainer.HardVocabLimit = false
	m := trainModel(t, strings.Repeat("abcdefghij klmnop", 5000)+"\nxyz xyz", c)
	for _, p := range m.Pieces {
		if p.Score != p.Score || p.Score < -100 || p.Score > 0 {
			t.Errorf("piece %q has score %v", p.Text, p.Score)
		}
	}
}

func TestTrainRejects(t *testing.T) {
	f := func(want, text string, change func(c *Config)) {
		t.Helper()
		c := small(format.Unigram, 100)
		change(&c)
		if _, err := Train(context.Background(), lines(text), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want one with %q", err, want)
		}
	}
	none := func(c *Config) {}
	f("no sentence to train on", "", none)
	f("no sentence to train on", strings.Repeat("x", 5000), none)
	f("gives only", "a b c", none)
	f("want at least", sample(t), func(c *Config) { c.Trainer.VocabSize = 20 })
	f("model_type is word", "a", func(c *Config) { c.Trainer.ModelType = format.Word })
	f("character_coverage is 2", "a", func(c *Config) { c.Trainer.CharacterCoverage = 2 })
	f("normalization_rule", "a", func(c *Config) { c.NormalizationRule = "nfd" })
	f("comes twice", "a", func(c *Config) { c.Trainer.UserDefinedSymbols = []string{"x", "x"} })
	f("unk_id is below 0", "a", func(c *Config) { c.Trainer.UnkID = -1 })
	f("bos_id is 0", "a", func(c *Config) { c.Trainer.BosID = 0 })
}

// Scripts, digits and marks follow the original's rules.
func TestValid(t *testing.T) {
	spec := format.DefaultTrainerSpec()
	r := rules{&spec, scripts()}
	for text, want := range map[string]bool{
		"abc": true, "\u2581abc": true, "\u2581": true, "a\u2581": false, "a\u2581b": false, "\u2581\u2581": false, "a1": false, "1a": false, "12": true,
		"a\u0301": true, "\u043f\u0440\u0438": true, "a\u0440": false, "\u3072\u30e9\u6f22\u30fc": true, "a.": false, "..": true, "a\u2585": false, "": false,
		strings.Repeat("x", 16): true, strings.Repeat("x", 17): false, "a b": false, "\x00": false, "a\x1fb": false,
	} {
		if got := r.valid([]byte(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	spec.AllowWhitespaceOnlyPieces = true
	if !r.valid([]byte("\u2581\u2581\u2581")) || r.valid([]byte("\u2581\u2581a")) {
		t.Error("allow_whitespace_only_pieces: want pieces of spaces alone and no others")
	}
}

// What does not fit into memory is counted in files, to the same model.
func TestSpill(t *testing.T) {
	var text strings.Builder
	for i := range 20000 {
		word := strconv.FormatInt(int64(i)*7919%100003, 26)
		fmt.Fprintf(&text, "%s the %s\n", strings.Map(func(r rune) rune { return r%26 + 'a' }, word), word)
	}
	var models [2][]byte
	for i, memory := range []int64{0, 2 << 20} {
		c := small(format.Unigram, 300)
		c.Trainer.HardVocabLimit = false
		c.MinWordCount, c.Memory, c.TempDir = 2, memory, t.TempDir()
		models[i] = trainModel(t, text.String(), c).Append(nil)
	}
	if !bytes.Equal(models[0], models[1]) {
		t.Error("with little memory the model is another one")
	}
	c := small(format.Unigram, 300)
	c.Memory, c.TempDir = 2<<20, t.TempDir()
	if _, err := Train(context.Background(), lines(text.String()), c); err == nil || !strings.Contains(err.Error(), "raise the memory limit") {
		t.Errorf("too many words for the memory: the error is %v, want one that says so", err)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Train(ctx, lines(sample(t)), small(format.Unigram, 200)); err != context.Canceled {
		t.Errorf("the error is %v, want %v", err, context.Canceled)
	}
}
