package trainer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	format "github.com/aries-serpent/codexml/format/sentencepiece"
	"github.com/aries-serpent/codexml/internal/fsatomic"
	"github.com/aries-serpent/codexml/tokenizer/bpe"
	"github.com/aries-serpent/codexml/tokenizer/spmtrain"
	"github.com/aries-serpent/codexml/tokenizer/train"
)

// Env is what a run is given beside its config.
type Env struct {
	// Command is the command line, for the manifest.
	Command []string
	// Force allows an output folder that is there already to be replaced.
	Force bool
	// Progress, if not nil, is told what is done: step is read, with bytes, or learn,
	// with pieces. It is called from one goroutine at a time.
	Progress func(step string, done, total int64)
}

// Manifest is manifest.json.
type Manifest struct {
	Config  Config   `json:"config"`
	Hash    string   `json:"hash"` // SHA-256 of tokenizer.json, in hex
	Command []string `json:"command"`
	Pieces  int      `json:"pieces"`
	Files   []File   `json:"files"`
}

// Run trains what the plan says and makes its folder: tokenizer.json, spm.model and
// spm.vocab (unigram), and manifest.json, all or nothing.
func Run(ctx context.Context, p *Plan, env Env) (*Manifest, error) {
	m, err := run(ctx, p, env)
	if err != nil {
		return nil, fmt.Errorf("train tokenizer: %w", err)
	}
	return m, nil
}

func run(ctx context.Context, p *Plan, env Env) (*Manifest, error) {
	c := p.Config
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := c.checkSpecials(); err != nil {
		return nil, err
	}
	if env.Progress == nil {
		env.Progress = func(step string, done, total int64) {}
	}
	if _, err := os.Stat(c.Folder()); err == nil && !env.Force {
		return nil, fmt.Errorf("%s is there already: name another out_dir or name, or force it", c.Folder())
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	read := int64(0)
	docs := &corpus{files: p.Files, field: c.TextField, chunk: c.StreamChunkSize, cut: c.cutter(), onRead: func(n int64) {
		read += n
		env.Progress("read", read, p.TotalBytes)
	}}
	if docs.chunk == 0 {
		docs.chunk = defaultChunk
	}
	files, pieces, err := c.learn(ctx, docs, env)
	if err = errors.Join(docs.err, err); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(files[0].data)
	m := &Manifest{Config: c, Hash: hex.EncodeToString(sum[:]), Command: env.Command, Pieces: pieces, Files: p.Files}
	manifest, err := indented(m)
	if err != nil {
		return nil, err
	}
	return m, writeFolder(c.Folder(), append(files, outFile{"manifest.json", manifest}))
}

// outFile is a file of the folder.
type outFile struct {
	name string
	data []byte
}

// learn trains, and returns the files, tokenizer.json first.
func (c *Config) learn(ctx context.Context, docs *corpus, env Env) ([]outFile, int, error) {
	if c.ModelType == "unigram" {
		return c.learnUnigram(ctx, docs, env)
	}
	split, err := c.splitter()
	if err != nil {
		return nil, 0, err
	}
	opts := train.Options{VocabSize: c.VocabSize, MinFrequency: c.MinFrequency, Specials: c.Specials, LimitAlphabet: c.LimitAlphabet,
		MaxTokenLength: c.MaxTokenLength, MinWordCount: c.MinWordCount, Threads: c.Workers, Memory: c.MemoryLimit, TempDir: c.TempDir,
		Split: split, Cut: c.cutter(), Progress: func(done, total int) { env.Progress("learn", int64(done), int64(total)) }}
	learn := train.BPE
	switch c.ModelType {
	case "bpe":
		opts.ByteLevel, opts.InitialAlphabet = true, bpe.Alphabet()
	case "wordpiece":
		learn = train.WordPiece
	case "wordlevel":
		learn = train.WordLevel
	}
	r, err := learn(ctx, docs.documents(), opts)
	if err != nil {
		return nil, 0, err
	}
	data, err := c.marshal(r)
	return []outFile{{"tokenizer.json", data}}, r.Vocabulary.Size(), err
}

// learnUnigram trains a SentencePiece model on the lines of the texts.
func (c *Config) learnUnigram(ctx context.Context, docs *corpus, env Env) ([]outFile, int, error) {
	s := spmtrain.DefaultConfig()
	t := &s.Trainer
	t.ModelType, t.VocabSize, t.CharacterCoverage = format.Unigram, int32(min(c.VocabSize, 1<<30)), float32(c.CharacterCoverage)
	t.HardVocabLimit, t.ShuffleInputSentence, t.NumThreads = false, false, int32(min(c.Workers, 1<<15))
	t.PadID, t.UnkID, t.BosID, t.EosID = -1, -1, -1, -1
	for id, name := range c.Specials {
		switch {
		case isNamed(name, "pad"):
			t.PadID, t.PadPiece = int32(id), name
		case isNamed(name, "unk"):
			t.UnkID, t.UnkPiece = int32(id), name
		case isNamed(name, "bos"):
			t.BosID, t.BosPiece = int32(id), name
		case isNamed(name, "eos"):
			t.EosID, t.EosPiece = int32(id), name
		default:
			t.ControlSymbols = append(t.ControlSymbols, name)
		}
	}
	s.NormalizationRule, s.Seed, s.Threads = c.NormalizationRule, c.Seed, c.Workers
	s.Progress = func(step string, pieces int) { env.Progress("learn", int64(pieces), int64(c.VocabSize)) }
	docs.cut = cutAtLine
	model, err := spmtrain.Train(ctx, sentences(docs.documents()), s)
	if err != nil {
		return nil, 0, err
	}
	data, err := marshalUnigram(model)
	if err != nil {
		return nil, 0, err
	}
	var vocab bytes.Buffer
	for _, p := range model.Pieces {
		fmt.Fprintf(&vocab, "%s\t%v\n", p.Text, p.Score)
	}
	return []outFile{{"tokenizer.json", data}, {"spm.model", model.Append(nil)}, {"spm.vocab", vocab.Bytes()}}, len(model.Pieces), nil
}

// sentences yields the lines of texts.
func sentences(docs iter.Seq[[]byte]) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for doc := range docs {
			for line := range bytes.SplitSeq(doc, []byte("\n")) {
				if len(line) > 0 && !yield(line) {
					return
				}
			}
		}
	}
}

// isNamed says whether a special token is the one of that name: [UNK], <unk> and the
// like.
func isNamed(token, name string) bool {
	switch name {
	case "bos":
		return strings.EqualFold(strings.Trim(token, "[]<>|"), "bos") || token == "<s>"
	case "eos":
		return strings.EqualFold(strings.Trim(token, "[]<>|"), "eos") || token == "</s>"
	}
	return strings.EqualFold(strings.Trim(token, "[]<>|"), name)
}

// checkSpecials wants a token for the unknown where the model needs one.
func (c *Config) checkSpecials() error {
	if c.ModelType != "bpe" && c.unknownID() < 0 {
		return fmt.Errorf("special_tokens has no token for what is unknown, which %s needs: add [UNK]", c.ModelType)
	}
	for i, s := range c.Specials {
		if slices.Contains(c.Specials[:i], s) {
			return fmt.Errorf("special_tokens: %q is given twice", s)
		}
	}
	return nil
}

// indented writes JSON for people.
func indented(v any) ([]byte, error) {
	data, err := plainJSON(v)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Indent(&out, data, "", "  ")
	return out.Bytes(), err
}

// writeFolder makes the folder of the files.
func writeFolder(path string, files []outFile) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return fsatomic.WriteDir(path, func(d *fsatomic.Dir) error {
		for _, f := range files {
			err := d.WriteFile(f.name, 0o644, func(w io.Writer) error {
				_, err := w.Write(f.data)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
