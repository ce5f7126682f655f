package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/tokenizer/normalize"
)

// TrainConfig says what tokenizer train makes: the keys of a configuration file and
// of the manifest. Every key has a flag.
type TrainConfig struct {
	CorpusGlob        Globs    `yaml:"corpus_glob" json:"corpus_glob"`
	ModelType         string   `yaml:"model_type" json:"model_type"`
	VocabSize         int      `yaml:"vocab_size" json:"vocab_size"`
	CharacterCoverage float64  `yaml:"character_coverage" json:"character_coverage"`
	NormalizationRule *string  `yaml:"normalization_rule" json:"normalization_rule"`
	ByteFallback      bool     `yaml:"byte_fallback" json:"byte_fallback"`
	UserDefined       []string `yaml:"user_defined_symbols" json:"user_defined_symbols"`
	SpecialTokens     []string `yaml:"special_tokens" json:"special_tokens"`
	InputSentenceSize uint64   `yaml:"input_sentence_size" json:"input_sentence_size"`
	Seed              uint64   `yaml:"seed" json:"seed"`
	Workers           int      `yaml:"workers" json:"workers"`
	OutDir            string   `yaml:"out_dir" json:"out_dir"`
	Name              string   `yaml:"name" json:"name"`
	Padding           string   `yaml:"padding" json:"padding"`
	Truncation        bool     `yaml:"truncation" json:"truncation"`
	MaxLength         *int     `yaml:"max_length" json:"max_length"`
	DryRun            bool     `yaml:"dry_run" json:"dry_run"`
	Streaming         bool     `yaml:"streaming" json:"streaming"`
	StreamChunkSize   *int     `yaml:"stream_chunk_size" json:"stream_chunk_size"`
	TextKey           string   `yaml:"text_key" json:"text_key"`
}

// Globs is a string or a list of strings.
type Globs []string

// UnmarshalYAML implements yaml.InterfaceUnmarshaler.
func (g *Globs) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*g = Globs{one}
		return nil
	}
	return unmarshal((*[]string)(g))
}

// defaultConfig has the defaults.
func defaultConfig(env *cmdenv.Env) TrainConfig {
	return TrainConfig{CorpusGlob: Globs{}, ModelType: "unigram", VocabSize: 32000, CharacterCoverage: 0.9995, Seed: 42, Workers: env.Threads, OutDir: "artifacts/tokenizers", Name: "default",
		Padding: "max_length", Truncation: true, TextKey: "text", UserDefined: []string{}, SpecialTokens: []string{"[PAD]", "[UNK]", "[BOS]", "[EOS]"}}
}

// chunkSize is how much of a file is read at a time where it is streamed.
const chunkSize = 1 << 20

// trainFlags are the flags of train and validate. What a flag does not say comes
// from the file, what that does not say is a default.
type trainFlags struct {
	env    *cmdenv.Env
	cmd    *cobra.Command
	file   string
	config TrainConfig
	rule   string
	max    int
	chunk  int
}

func (t *trainFlags) add(cmd *cobra.Command) {
	t.cmd, t.config = cmd, defaultConfig(t.env)
	c, f := &t.config, cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&t.file, "config", "c", "", "YAML `FILE` with the names of these flags as keys (- is _, --corpus is corpus_glob)")
	f.StringArrayVar((*[]string)(&c.CorpusGlob), "corpus", nil, "file, folder or `GLOB` (** for any folders) to train on; can be repeated. - is standard input")
	f.StringVar(&c.ModelType, "model-type", c.ModelType, "unigram (SentencePiece) or bpe (byte-level)")
	f.IntVar(&c.VocabSize, "vocab-size", c.VocabSize, "pieces to reach, with special tokens")
	f.Float64Var(&c.CharacterCoverage, "character-coverage", c.CharacterCoverage, "unigram: share of the corpus' characters that get a piece")
	f.StringVar(&t.rule, "normalization-rule", "", "unigram: `RULE`, one of "+strings.Join(normalize.Rules(), ", ")+" (default nmt_nfkc_cf). Byte-level BPE changes no text")
	f.BoolVar(&c.ByteFallback, "byte-fallback", false, "unigram: spell characters without a piece as bytes")
	f.StringSliceVar(&c.UserDefined, "user-defined-symbols", c.UserDefined, "unigram: `SYMBOLS` that are always one piece, with commas between them")
	f.StringSliceVar(&c.SpecialTokens, "special-tokens", c.SpecialTokens, "`TOKENS` without text, ids from 0; of unigram the four are padding, unknown, beginning and end")
	f.Uint64Var(&c.InputSentenceSize, "input-sentence-size", 0, "unigram: `N` sentences to draw; 0 takes all")
	f.Uint64Var(&c.Seed, "seed", c.Seed, "of what is drawn")
	f.StringVar(&c.OutDir, "out-dir", c.OutDir, "folder of tokenizers")
	f.StringVar(&c.Name, "name", c.Name, "folder of this one below it")
	f.StringVar(&c.Padding, "padding", c.Padding, "max_length, longest or do_not_pad: kept in the manifest")
	f.BoolVar(&c.Truncation, "truncation", c.Truncation, "kept in the manifest")
	f.IntVar(&t.max, "max-length", 0, "kept in the manifest; 0 is none")
	f.BoolVar(&c.Streaming, "streaming", false, "read files in parts that end with a line, so that no file must fit in memory")
	f.IntVar(&t.chunk, "stream-chunk-size", 0, "bytes of a part (default 1 MiB); turns --streaming on")
	f.StringVar(&c.TextKey, "text-key", c.TextKey, "`KEY` of the text in JSONL records")
}

// resolve reads the file and puts the flags that were given over it.
func (t *trainFlags) resolve() (*TrainConfig, error) {
	given, c := t.config, defaultConfig(t.env)
	if t.file != "" {
		data, err := os.ReadFile(t.env.Path(t.file))
		if err != nil {
			return nil, cmdenv.BadInput(err)
		}
		err = yaml.NewDecoder(bytes.NewReader(data), yaml.DisallowUnknownField()).Decode(&c)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, cmdenv.BadInput(fmt.Errorf("%s: %w", t.file, err))
		}
	}
	changed := t.cmd.Flags().Changed
	for name, set := range map[string]func(){
		"corpus": func() { c.CorpusGlob = given.CorpusGlob }, "model-type": func() { c.ModelType = given.ModelType },
		"vocab-size": func() { c.VocabSize = given.VocabSize }, "character-coverage": func() { c.CharacterCoverage = given.CharacterCoverage },
		"normalization-rule": func() { c.NormalizationRule = &t.rule }, "byte-fallback": func() { c.ByteFallback = given.ByteFallback },
		"user-defined-symbols": func() { c.UserDefined = given.UserDefined }, "special-tokens": func() { c.SpecialTokens = given.SpecialTokens },
		"input-sentence-size": func() { c.InputSentenceSize = given.InputSentenceSize }, "seed": func() { c.Seed = given.Seed },
		"out-dir": func() { c.OutDir = given.OutDir }, "name": func() { c.Name = given.Name }, "padding": func() { c.Padding = given.Padding },
		"truncation": func() { c.Truncation = given.Truncation }, "max-length": func() { c.MaxLength = &t.max }, "streaming": func() { c.Streaming = given.Streaming },
		"stream-chunk-size": func() { c.StreamChunkSize = &t.chunk }, "text-key": func() { c.TextKey = given.TextKey }, "threads": func() { c.Workers = t.env.Threads },
	} {
		if changed(name) {
			set()
		}
	}
	if c.StreamChunkSize != nil {
		c.Streaming = true
	}
	return &c, c.check()
}

// check collects all that is wrong.
func (c *TrainConfig) check() error {
	var faults []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	want(c.ModelType == "unigram" || c.ModelType == "bpe", "model_type: want unigram or bpe, got %q", c.ModelType)
	want(c.VocabSize > 0, "vocab_size: want 1 or more, got %d", c.VocabSize)
	want(c.CharacterCoverage > 0 && c.CharacterCoverage <= 1, "character_coverage: want above 0 and at most 1, got %v", c.CharacterCoverage)
	want(c.Workers > 0, "workers: want 1 or more, got %d", c.Workers)
	want(c.Name != "" && c.Name == filepath.Base(c.Name), "name: want the name of a folder, got %q", c.Name)
	want(slices.Contains([]string{"max_length", "longest", "do_not_pad"}, c.Padding), "padding: want max_length, longest or do_not_pad, got %q", c.Padding)
	want(c.StreamChunkSize == nil || *c.StreamChunkSize > 0, "stream_chunk_size: want 1 or more")
	want(len(c.CorpusGlob) > 0, "corpus_glob is missing: name the texts with --corpus")
	if c.NormalizationRule != nil {
		rule := *c.NormalizationRule
		want(slices.Contains(normalize.Rules(), rule), "normalization_rule: want one of %s, got %q", strings.Join(normalize.Rules(), ", "), rule)
		want(c.ModelType != "bpe" || rule == "identity", "normalization_rule: byte-level bpe changes no text: leave it out, got %q", rule)
	}
	if c.ModelType == "unigram" {
		want(len(c.SpecialTokens) >= 4, "special_tokens: unigram wants at least padding, unknown, beginning and end, got %d", len(c.SpecialTokens))
	} else {
		want(len(c.UserDefined) == 0 && !c.ByteFallback && c.InputSentenceSize == 0, "user_defined_symbols, byte_fallback and input_sentence_size are for unigram")
	}
	if len(faults) > 0 {
		return cmdenv.BadInput(errors.Join(faults...))
	}
	return nil
}

// corpus finds the files.
func (c *TrainConfig) corpus(env *cmdenv.Env) (*corpus, error) {
	files, err := findCorpus(env, c.CorpusGlob)
	if err != nil {
		return nil, err
	}
	files.textKey = c.TextKey
	if c.Streaming {
		files.chunk = chunkSize
		if c.StreamChunkSize != nil {
			files.chunk = *c.StreamChunkSize
		}
	}
	return files, nil
}

// folder is where the tokenizer goes.
func (c *TrainConfig) folder(env *cmdenv.Env) string {
	return env.Path(filepath.Join(c.OutDir, c.Name))
}

// manifest is manifest.json.
type manifest struct {
	Config  *TrainConfig `json:"config"`
	Hash    string       `json:"hash"` // SHA-256 of tokenizer.json
	Command []string     `json:"command"`
}

// sameConfig says whether a manifest was written for the same config; how many
// workers there were changes nothing.
func (m *manifest) sameConfig(c *TrainConfig) bool {
	if m.Config == nil {
		return false
	}
	a, b := *m.Config, *c
	a.Workers, b.Workers = 0, 0
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
