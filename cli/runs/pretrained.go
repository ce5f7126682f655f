package runs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/config"
	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/nn"
	"github.com/aries-serpent/codexml/tensor"
	"github.com/aries-serpent/codexml/tokenizer"
	"github.com/aries-serpent/codexml/tokenizer/ggufvocab"
)

// FindModel finds a model on this machine: a path, or a name (cmdenv.Env.Models).
func FindModel(env *cmdenv.Env, name string) (string, error) {
	found, err := env.Models().Find(name, "")
	if err != nil {
		if _, statErr := os.Stat(env.Path(name)); statErr == nil {
			return env.Path(name), nil // model.Open says better what is wrong with it
		}
		return "", err
	}
	return found.Path, nil
}

// OpenModel opens a folder of transformers or a GGUF file, with the tokenizer that
// is with it, if there is one; the reason why there is none is tokenizerErr.
func OpenModel(env *cmdenv.Env, name string) (p *model.Pretrained, tok tokenizer.Tokenizer, tokenizerErr, err error) {
	path, err := FindModel(env, name)
	if err != nil {
		return nil, nil, nil, cmdenv.BadInput(err)
	}
	if p, err = model.Open(path); err != nil {
		return nil, nil, nil, cmdenv.BadInput(err)
	}
	if tok, tokenizerErr = pretrainedTokenizer(p); tokenizerErr != nil && !errors.Is(tokenizerErr, fs.ErrNotExist) {
		return nil, nil, nil, cmdenv.BadInput(errors.Join(tokenizerErr, p.Close()))
	}
	if tok != nil && tok.VocabSize() > p.Config.VocabSize {
		err := fmt.Errorf("open model %s: its tokenizer has %d tokens, its embedding only %d: they do not belong together", path, tok.VocabSize(), p.Config.VocabSize)
		return nil, nil, nil, cmdenv.BadInput(errors.Join(err, p.Close()))
	}
	return p, tok, tokenizerErr, nil
}

// pretrainedTokenizer loads tokenizer.json of the model's folder, or of the folder
// that its file is in; where there is none, the vocabulary in a GGUF file.
func pretrainedTokenizer(p *model.Pretrained) (tokenizer.Tokenizer, error) {
	dir := p.Path
	if p.GGUF != nil {
		dir = filepath.Dir(p.Path)
	}
	path := filepath.Join(dir, TokenizerFile)
	if _, err := os.Stat(path); err == nil {
		return tokenizer.Load(path)
	}
	if p.GGUF == nil {
		return nil, fmt.Errorf("there is no tokenizer at %s: %w", path, fs.ErrNotExist)
	}
	text, err := ggufvocab.JSON(&p.GGUF.Metadata)
	if err == nil {
		var tok tokenizer.Tokenizer
		if tok, err = tokenizer.Parse(p.Path, text); err == nil {
			return tok, nil
		}
	}
	return nil, fmt.Errorf("there is no tokenizer at %s (%w), and the file's own cannot be used: %w", path, fs.ErrNotExist, err)
}

// LoadPretrained loads a model for use. Tokenizer is nil where the model comes
// without one: then ids are all it can take, and NoTokenizer says why.
func LoadPretrained(env *cmdenv.Env, name string) (*Loaded, error) {
	p, tok, missing, err := OpenModel(env, name)
	if err != nil {
		return nil, err
	}
	pool, err := env.Pool()
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	m, err := p.Load(model.LoadOptions{Pool: pool, Keep: true})
	if err != nil {
		return nil, cmdenv.BadInput(errors.Join(err, p.Close()))
	}
	l := &Loaded{Path: p.Path, Model: m, Tokenizer: tok, NoTokenizer: missing, Generation: p.Generation, Pretrained: p}
	l.Context = nn.NewContext(pool, tensor.F32, 1<<20, 1<<20)
	return l, nil
}

// newModel builds the model of a run: with initial weights drawn from the seed, or
// with those of model.path.
func newModel(env *cmdenv.Env, pool *par.Pool, run *config.Run, cfg model.Config) (model.Model, error) {
	if cfg.Path == "" {
		return model.New(cfg, uint64(run.Training.Seed))
	}
	path, err := FindModel(env, cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("model.path: %w", err)
	}
	p, err := model.Open(path)
	if err != nil {
		return nil, fmt.Errorf("model.path: %w", err)
	}
	defer p.Close()
	vocab := cfg.VocabSize
	cfg.VocabSize = 0
	if p.Config, err = model.FromPretrained(cfg, p.Config); err != nil {
		return nil, err
	}
	if vocab > p.Config.VocabSize {
		return nil, fmt.Errorf("model.path: %s has %d tokens, the data's tokenizer %d: take the model's own tokenizer", path, p.Config.VocabSize, vocab)
	}
	return p.Load(model.LoadOptions{Train: true, Pool: pool})
}

// tokenizerPath is tokenizer.path, or the tokenizer of model.path.
func tokenizerPath(env *cmdenv.Env, run *config.Run) (string, error) {
	if run.Tokenizer.Path != "" || run.Model.Path == "" {
		return env.Path(run.Tokenizer.Path), nil
	}
	path, err := FindModel(env, run.Model.Path)
	if err != nil {
		return "", cmdenv.BadInput(fmt.Errorf("model.path: %w", err))
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		path = filepath.Dir(path)
	}
	return filepath.Join(path, TokenizerFile), nil
}

// LoadAny loads the model of a run folder, of a checkpoint, or a pretrained one:
// exactly one of the three is given.
func LoadAny(env *cmdenv.Env, command, run, checkpoint, pretrained string) (*Loaded, error) {
	given := 0
	for _, x := range []string{run, checkpoint, pretrained} {
		if x != "" {
			given++
		}
	}
	if given != 1 {
		return nil, cmdenv.Usagef("%s: give one of --model, --run and --checkpoint", command)
	}
	if pretrained != "" {
		return LoadPretrained(env, pretrained)
	}
	return LoadModel(env, env.Path(run), env.Path(checkpoint))
}

// Close gives the model's files back. The model must not be used afterwards.
func (l *Loaded) Close() error {
	if l.Pretrained == nil {
		return nil
	}
	return l.Pretrained.Close()
}

// Encode makes ids of a prompt: where special is set with the tokens around it that
// the model wants.
func (l *Loaded) Encode(text string, special bool) ([]int32, error) {
	if l.Tokenizer == nil {
		return nil, cmdenv.BadInput(fmt.Errorf("%w: give --ids instead of text, or put the tokenizer there", l.NoTokenizer))
	}
	if p, ok := l.Tokenizer.(*tokenizer.Pipeline); ok && l.Pretrained != nil {
		// What a pretrained model wants around a text its post-processor says.
		e, err := p.EncodeText([]byte(text), tokenizer.EncodeOptions{AddSpecial: special, Whole: true})
		if err != nil {
			return nil, cmdenv.BadInput(err)
		}
		return e.IDs, nil
	}
	ids := l.Tokenizer.Encode(nil, []byte(text))
	if bos, ok := l.Tokenizer.BOS(); ok && special {
		ids = append([]int32{bos}, ids...)
	}
	return ids, nil
}

// Stops are the ids that end a text.
func (l *Loaded) Stops() []int32 {
	stops := append([]int32(nil), l.Generation.EOS...)
	if l.Pretrained == nil {
		if eos, ok := l.Tokenizer.EOS(); ok {
			stops = append(stops, eos)
		}
	}
	return stops
}
