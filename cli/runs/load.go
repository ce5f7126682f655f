package runs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aries-serpent/codexml/checkpoint"
	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/config"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/nn"
	"github.com/aries-serpent/codexml/tensor"
	"github.com/aries-serpent/codexml/tokenizer"
	"github.com/aries-serpent/codexml/train"
)

// Loaded is a trained model, ready for use.
type Loaded struct {
	Path      string // of the checkpoint, or of the pretrained model
	Model     model.Model
	Context   *nn.Context
	Tokenizer tokenizer.Tokenizer
	Run       *config.Run // nil of a pretrained model
	Warnings  []string    // of newer checkpoints that are damaged

	// Of a pretrained model: its files, what they say about generation, and why
	// Tokenizer is nil if it is.
	Pretrained  *model.Pretrained
	Generation  model.Generation
	NoTokenizer error
}

// LoadModel loads the newest intact checkpoint of a run folder, or the given
// checkpoint folder if run is empty. The tokenizer is the run folder's.
func LoadModel(env *cmdenv.Env, run, path string) (*Loaded, error) {
	l := &Loaded{}
	use := func(c *checkpoint.Checkpoint) error { return l.load(c) }
	if run != "" {
		store, err := checkpoint.New(filepath.Join(run, Checkpoints), checkpoint.Options{Threads: env.Threads})
		if err != nil {
			return nil, err
		}
		c, skipped, err := store.LoadLatest(use)
		for _, s := range skipped {
			l.Warnings = append(l.Warnings, fmt.Sprintf("%v: taking the one before", s.Err))
			env.Note("warning: %v: taking the one before", s.Err)
		}
		if err != nil {
			return nil, cmdenv.BadInput(fmt.Errorf("load the model of %s: %w", run, err))
		}
		l.Path = c.Path
	} else {
		c, err := checkpoint.Open(path)
		if err == nil {
			err = use(c)
		}
		if err != nil {
			return nil, cmdenv.BadInput(fmt.Errorf("load the model of %s: %w", path, err))
		}
		l.Path = c.Path
	}
	return l, l.ready(env)
}

// load builds the model that the checkpoint's configuration describes and reads
// its weights.
func (l *Loaded) load(c *checkpoint.Checkpoint) error {
	run, _, err := config.Parse(filepath.Join(c.Path, checkpoint.MetaFile), c.Meta.ConfigSnapshot, nil)
	if err != nil {
		return err
	}
	m, err := model.New(run.Model, 0)
	if err != nil {
		return err
	}
	l.Model, l.Run = m, run
	return c.ReadWeightsInto(train.Weights(m))
}

// tokenizerBeside is the tokenizer of the run that a checkpoint is in.
func tokenizerBeside(path string) string {
	return filepath.Join(filepath.Dir(filepath.Dir(path)), TokenizerFile)
}

// ready makes a context and loads the tokenizer.
func (l *Loaded) ready(env *cmdenv.Env) error {
	pool, err := env.Pool()
	if err != nil {
		return err
	}
	dtype, err := tensor.ParseDType(l.Run.Training.Dtype)
	if err != nil {
		return cmdenv.BadInput(err)
	}
	if dtype == tensor.BF16 {
		for _, p := range l.Model.Params() {
			p.SyncHalf()
		}
	}
	l.Context = nn.NewContext(pool, dtype, 1<<20, 1<<20)
	path := tokenizerBeside(l.Path)
	l.Tokenizer, err = tokenizer.Load(path)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("load the model: there is no tokenizer at %s: a run trained on token files keeps one only if tokenizer.path was set", path)
	}
	return cmdenv.BadInput(err)
}
