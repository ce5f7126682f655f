package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/tokenizer/trainer"
)

// trainFlags are the flags of train and validate. What a flag does not say comes
// from the file, what that does not say is a default.
type trainFlags struct {
	env   *cmdenv.Env
	cmd   *cobra.Command
	file  string
	given trainer.Config
	set   map[string]func(to *trainer.Config) // by flag
}

// bytesFlag is a size such as 1GiB.
type bytesFlag struct{ n *int64 }

func (b bytesFlag) String() string {
	if b.n == nil {
		return ""
	}
	return strings.ReplaceAll(cmdenv.Bytes(*b.n), " ", "")
}
func (b bytesFlag) Type() string { return "SIZE" }
func (b bytesFlag) Set(text string) error {
	number := strings.TrimRight(text, "KMGTiB")
	n, err := strconv.ParseFloat(number, 64)
	scale, ok := map[string]float64{"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}[text[len(number):]]
	if err != nil || !ok || !(n >= 0 && n*scale < 1<<62) {
		return fmt.Errorf("want a size such as 512MiB or 1GiB, got %q", text)
	}
	*b.n = int64(n * scale)
	return nil
}

func (t *trainFlags) add(cmd *cobra.Command) {
	t.cmd, t.given, t.set = cmd, trainer.DefaultConfig(), map[string]func(*trainer.Config){}
	c, f := &t.given, cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&t.file, "config", "c", "", "YAML `FILE` with the names of these flags as keys, - written as _; --corpus is corpus_glob")
	f.StringArrayVar(&c.CorpusGlob, "corpus", nil, "file or `GLOB` (** for any folders) to train on; can be repeated")
	t.set["corpus"] = func(to *trainer.Config) { to.CorpusGlob = c.CorpusGlob }
	f.StringVar(&c.TextField, "text-field", c.TextField, "`KEY` of the text in .jsonl files")
	t.set["text-field"] = func(to *trainer.Config) { to.TextField = c.TextField }
	f.StringVar(&c.ModelType, "model-type", c.ModelType, "unigram (SentencePiece), bpe (byte-level), wordpiece or wordlevel")
	t.set["model-type"] = func(to *trainer.Config) { to.ModelType = c.ModelType }
	f.IntVar(&c.VocabSize, "vocab-size", c.VocabSize, "pieces to reach, special tokens included")
	t.set["vocab-size"] = func(to *trainer.Config) { to.VocabSize = c.VocabSize }
	f.Float64Var(&c.CharacterCoverage, "character-coverage", c.CharacterCoverage, "unigram: share of the corpus' characters that get a piece")
	t.set["character-coverage"] = func(to *trainer.Config) { to.CharacterCoverage = c.CharacterCoverage }
	f.StringVar(&c.NormalizationRule, "normalization-rule", "", "`RULE`: unigram nmt_nfkc_cf (default), nmt_nfkc, nfkc_cf, nfkc or identity; else none, nfc, nfkc or bert")
	t.set["normalization-rule"] = func(to *trainer.Config) { to.NormalizationRule = c.NormalizationRule }
	f.StringSliceVar(&c.Specials, "special-tokens", c.Specials, "`TOKENS` with ids from 0, with commas between them")
	t.set["special-tokens"] = func(to *trainer.Config) { to.Specials = c.Specials }
	f.StringVar(&c.Pattern, "pattern", "", "regular `EXPRESSION` that bpe and wordlevel cut text with (default GPT-2's, and words)")
	t.set["pattern"] = func(to *trainer.Config) { to.Pattern = c.Pattern }
	f.Uint64Var(&c.Seed, "seed", c.Seed, "of what is drawn")
	t.set["seed"] = func(to *trainer.Config) { to.Seed = c.Seed }
	f.Var(bytesFlag{&c.MemoryLimit}, "memory", "bound of what counting takes; beyond it, sorted runs go to disk")
	t.set["memory"] = func(to *trainer.Config) { to.MemoryLimit = c.MemoryLimit }
	f.StringVar(&c.OutDir, "out-dir", c.OutDir, "folder of tokenizers")
	t.set["out-dir"] = func(to *trainer.Config) { to.OutDir = c.OutDir }
	f.StringVar(&c.Name, "name", c.Name, "folder of this one below it")
	t.set["name"] = func(to *trainer.Config) { to.Name = c.Name }
	t.addMore()
}

// addMore adds the flags that are seldom needed.
func (t *trainFlags) addMore() {
	c, f := &t.given, t.cmd.Flags()
	f.Uint64Var(&c.MinFrequency, "min-frequency", c.MinFrequency, "bpe, wordpiece: least count of a pair to be merged; 0 is off")
	t.set["min-frequency"] = func(to *trainer.Config) { to.MinFrequency = c.MinFrequency }
	f.IntVar(&c.LimitAlphabet, "limit-alphabet", c.LimitAlphabet, "wordpiece: most characters of the alphabet; 0 is off")
	t.set["limit-alphabet"] = func(to *trainer.Config) { to.LimitAlphabet = c.LimitAlphabet }
	f.IntVar(&c.MaxTokenLength, "max-token-length", c.MaxTokenLength, "bpe, wordpiece: longest piece; 0 is off")
	t.set["max-token-length"] = func(to *trainer.Config) { to.MaxTokenLength = c.MaxTokenLength }
	f.StringVar(&c.Padding, "padding", c.Padding, "max_length, longest or do_not_pad: kept in the manifest")
	t.set["padding"] = func(to *trainer.Config) { to.Padding = c.Padding }
	f.BoolVar(&c.Truncation, "truncation", c.Truncation, "kept in the manifest")
	t.set["truncation"] = func(to *trainer.Config) { to.Truncation = c.Truncation }
	f.IntVar(&c.MaxLength, "max-length", c.MaxLength, "kept in the manifest; 0 is none")
	t.set["max-length"] = func(to *trainer.Config) { to.MaxLength = c.MaxLength }
	f.BoolVar(&c.Streaming, "streaming", c.Streaming, "files are always streamed: this changes nothing")
	t.set["streaming"] = func(to *trainer.Config) { to.Streaming = c.Streaming }
	f.IntVar(&c.StreamChunkSize, "stream-chunk-size", c.StreamChunkSize, "bytes that are read at a time; 0 is 1 MiB")
	t.set["stream-chunk-size"] = func(to *trainer.Config) { to.StreamChunkSize, to.Streaming = c.StreamChunkSize, true }
	t.set["threads"] = func(to *trainer.Config) { to.Workers = t.env.Threads }
}

// resolve reads the file and puts the flags that were given over it.
func (t *trainFlags) resolve() (*trainer.Config, error) {
	c := trainer.DefaultConfig()
	c.Workers = t.env.Threads
	if t.file != "" {
		if err := readConfig(t.env.Path(t.file), &c); err != nil {
			return nil, cmdenv.BadInput(fmt.Errorf("%s: %w", t.file, err))
		}
	}
	for name, set := range t.set {
		if t.cmd.Flags().Changed(name) {
			set(&c)
		}
	}
	if len(c.CorpusGlob) == 0 {
		return nil, cmdenv.Usagef("%s: want --corpus, or corpus_glob in --config: the texts to train on", t.cmd.Name())
	}
	return &c, nil
}

// readConfig reads a YAML file. corpus_glob may be a string or a list; a null is as
// if the key were not there.
func readConfig(path string, c *trainer.Config) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var keys map[string]any
	if err := yaml.Unmarshal(data, &keys); err != nil {
		return err
	}
	if glob, ok := keys["corpus_glob"].(string); ok {
		keys["corpus_glob"] = []string{glob}
	}
	for key, value := range keys {
		if value == nil {
			delete(keys, key)
		}
	}
	text, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(c)
}
