package runs

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/data"
	"github.com/aries-serpent/codexml/tokenizer"
)

// Inputs are the tokenizer and the data of a run.
type Inputs struct {
	Tokenizer tokenizer.Tokenizer // nil where token files came without one
	Texts     *data.Splits        // nil where token files were given
	Stats     data.ReadStats
	data.TokenSplits
}

// Prepare reads, splits and encodes the run's data, training or loading the
// tokenizer on the way; the tokenizer is kept in the folder.
func Prepare(ctx context.Context, env *cmdenv.Env, f *Folder) (*Inputs, error) {
	cfg := f.Run.Data
	cfg.SourcePath, cfg.ValPath, cfg.TestPath = env.Path(cfg.SourcePath), env.Path(cfg.ValPath), env.Path(cfg.TestPath)
	if cfg.FormatOf(cfg.SourcePath) == "tokens" {
		return openTokens(env, f, cfg)
	}
	texts, stats, err := data.Load(cfg)
	if err != nil {
		return nil, cmdenv.BadInput(err)
	}
	return PrepareTexts(ctx, env, f, texts, stats)
}

// Reopen is Prepare for a run that began before: with the folder's tokenizer, if it
// is there.
func Reopen(ctx context.Context, env *cmdenv.Env, f *Folder) (*Inputs, error) {
	if _, err := os.Stat(f.Path(TokenizerFile)); err != nil {
		return Prepare(ctx, env, f)
	}
	kept := *f.Run
	kept.Tokenizer.Path = f.Path(TokenizerFile)
	return Prepare(ctx, env, &Folder{Dir: f.Dir, Run: &kept})
}

// openTokens takes token files as they are; a tokenizer is optional then.
func openTokens(env *cmdenv.Env, f *Folder, cfg data.Config) (*Inputs, error) {
	in := &Inputs{}
	if path := f.Run.Tokenizer.Path; path != "" {
		tok, err := tokenizer.Load(env.Path(path))
		if err != nil {
			return nil, cmdenv.BadInput(err)
		}
		in.Tokenizer = tok
	}
	splits, err := data.OpenTokenSplits(cfg)
	if err != nil {
		return nil, cmdenv.BadInput(err)
	}
	in.TokenSplits = *splits
	if in.Tokenizer == nil {
		return in, nil
	}
	if got, want := in.Tokenizer.SHA256(), splits.Train.TokenizerSHA256(); got != want {
		return nil, cmdenv.BadInput(errors.Join(fmt.Errorf("tokenizer.path: %s has SHA-256 %s, but the tokens of data.source_path were made with %s: name that tokenizer",
			f.Run.Tokenizer.Path, got, want), splits.Close()))
	}
	return in, in.Tokenizer.Save(f.Path(TokenizerFile))
}

// PrepareTexts is Prepare with the data read and split already.
func PrepareTexts(ctx context.Context, env *cmdenv.Env, f *Folder, texts *data.Splits, stats data.ReadStats) (*Inputs, error) {
	in := &Inputs{Texts: texts, Stats: stats}
	var err error
	if in.Tokenizer, err = makeTokenizer(ctx, env, f, texts.Train); err != nil {
		return nil, err
	}
	if err := in.Tokenizer.Save(f.Path(TokenizerFile)); err != nil {
		return nil, err
	}
	dir := f.Path(cacheFolder)
	if f.Run.Data.CacheDir != "" {
		dir = env.Path(f.Run.Data.CacheDir)
	}
	enc := data.Encoder{SHA256: in.Tokenizer.SHA256(), VocabSize: in.Tokenizer.VocabSize(), Encode: in.Tokenizer.Encode}
	for _, split := range []struct {
		name string
		docs []data.Document
		to   **data.Tokens
	}{{"train", texts.Train, &in.Train}, {"validation", texts.Validation, &in.Validation}, {"test", texts.Test, &in.Test}} {
		if len(split.docs) == 0 {
			continue
		}
		progress := env.Progress("encoding "+split.name+" (kB)", 0)
		*split.to, err = data.CacheTokens(ctx, dir, split.name, split.docs, enc, data.EncodeOptions{Threads: env.Threads, Progress: func(done, _ int64) {
			progress.Set(int(done>>10), "")
		}})
		progress.Done()
		if err != nil {
			return nil, errors.Join(err, in.Close())
		}
	}
	return in, nil
}

func makeTokenizer(ctx context.Context, env *cmdenv.Env, f *Folder, docs []data.Document) (tokenizer.Tokenizer, error) {
	path, err := tokenizerPath(env, f.Run)
	if err != nil {
		return nil, err
	}
	if path != "" {
		tok, err := tokenizer.Load(path)
		return tok, cmdenv.BadInput(err)
	}
	progress := env.Progress("training the tokenizer", f.Run.Tokenizer.VocabSize)
	defer progress.Done()
	return tokenizer.TrainBPE(ctx, textsOf(docs), tokenizer.TrainOptions{VocabSize: f.Run.Tokenizer.VocabSize, Threads: env.Threads, Progress: func(done, _ int) {
		progress.Set(done, "")
	}})
}

func textsOf(docs []data.Document) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, d := range docs {
			if !yield(d.Text) {
				return
			}
		}
	}
}

// Specials are the tokens put around documents.
func (in *Inputs) Specials() data.Specials { return specialsOf(in.Tokenizer) }

func specialsOf(tok tokenizer.Tokenizer) data.Specials {
	s := data.Specials{BOS: data.None, EOS: data.None}
	if tok == nil {
		return s
	}
	if id, ok := tok.BOS(); ok {
		s.BOS = id
	}
	if id, ok := tok.EOS(); ok {
		s.EOS = id
	}
	return s
}

// VocabSize is the number of token ids.
func (in *Inputs) VocabSize() int { return in.Train.VocabSize() }

// TokenFile is the path of the training tokens.
func (in *Inputs) TokenFile() string { return filepath.Clean(in.Train.Path()) }
