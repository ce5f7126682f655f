package runs

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/aries-serpent/codexml/checkpoint"
	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/config"
	"github.com/aries-serpent/codexml/data"
	"github.com/aries-serpent/codexml/eval"
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/provenance"
	"github.com/aries-serpent/codexml/track"
	"github.com/aries-serpent/codexml/train"
)

// Job is a run that is ready to go.
type Job struct {
	*train.Runner
	Folder *Folder
	Inputs *Inputs
	Store  *checkpoint.Store

	env         *cmdenv.Env
	environment provenance.Environment
	tracker     track.Tracker
	startStep   int // where this process began
	startTokens int
	warnings    []string
}

// NewTrainer builds the run's model and trainer on the environment's pool.
func NewTrainer(env *cmdenv.Env, run *config.Run, in *Inputs) (*train.Trainer, error) {
	pool, err := env.Pool()
	if err != nil {
		return nil, err
	}
	return newTrainer(env, pool, run, in)
}

func newTrainer(env *cmdenv.Env, pool *par.Pool, run *config.Run, in *Inputs) (*train.Trainer, error) {
	cfg := run.Model
	if cfg.VocabSize == 0 {
		cfg.VocabSize = in.VocabSize()
	}
	if cfg.VocabSize < in.VocabSize() {
		return nil, cmdenv.BadInput(fmt.Errorf("model.vocab_size: %d is below the tokenizer's %d: leave it out, or make it as large", cfg.VocabSize, in.VocabSize()))
	}
	loader, err := data.NewLoader(in.Train, LoaderOptions(run, in))
	if err != nil {
		return nil, cmdenv.BadInput(err)
	}
	m, err := newModel(env, pool, run, cfg)
	if err != nil {
		return nil, cmdenv.BadInput(err)
	}
	t, err := train.New(run.Training, run.Optimizer, m, loader, pool)
	return t, cmdenv.BadInput(err)
}

// LoaderOptions are those of the run's training data.
func LoaderOptions(run *config.Run, in *Inputs) data.LoaderOptions {
	return data.LoaderOptions{
		SeqLen: run.Training.SeqLen, BatchSize: run.Training.GlobalBatch(), Seed: uint64(run.Training.Seed), Specials: in.Specials(),
		BestFit: run.Data.Packing == "best_fit", DocumentMask: run.Data.DocumentMask,
	}
}

// NewJob builds the run in a folder, with the records of its environment.
func NewJob(ctx context.Context, env *cmdenv.Env, f *Folder, in *Inputs) (*Job, error) {
	if err := f.Lock(); err != nil {
		return nil, cmdenv.BadInput(err)
	}
	t, err := NewTrainer(env, f.Run, in)
	if err != nil {
		return nil, err
	}
	f.Run.Model = t.Model.Config()
	if err := f.WriteConfig(); err != nil {
		return nil, err
	}
	j := &Job{Runner: &train.Runner{Trainer: t}, Folder: f, Inputs: in, env: env}
	cfg := f.Run.Training
	if j.Store, err = checkpoint.New(f.Path(Checkpoints), checkpoint.Options{KeepLast: cfg.KeepLast, BestK: cfg.BestK, BestMetric: cfg.BestMetric, Threads: env.Threads}); err != nil {
		return nil, cmdenv.BadInput(err)
	}
	if in.Validation != nil {
		e, err := data.NewEvaluation(in.Validation, data.EvaluationOptions{
			SeqLen: cfg.SeqLen, BatchSize: cfg.BatchSize, Specials: in.Specials(), MaxTokens: int64(cfg.EvalTokens), Seed: uint64(cfg.Seed),
		})
		if err != nil {
			return nil, cmdenv.BadInput(err)
		}
		j.Evaluate = func() (eval.Loss, error) { return eval.LossOf(context.WithoutCancel(ctx), t.Model, t.Context, e, nil) }
	}
	j.Save = j.save
	j.environment = provenance.Collect(ctx, provenance.Inputs{Command: os.Args, Seed: cfg.Seed, Tier: kernel.Active(), Threads: env.Threads, Time: time.Now()})
	return j, nil
}

// Note prints a line for people.
func (j *Job) Note(format string, args ...any) { j.env.Note(format, args...) }

func (j *Job) save(p train.Progress) (string, error) {
	s := j.State(p)
	snapshot, err := json.Marshal(j.Folder.Run)
	if err != nil {
		return "", err
	}
	where, err := json.Marshal(map[string]any{
		"platform": j.environment.Platform, "cpu": j.environment.CPU.Model, "tier": j.environment.CPU.Tier, "threads": j.environment.Threads, "go": j.environment.Code.GoVersion,
	})
	if err != nil {
		return "", err
	}
	m := &s.Meta
	m.ConfigVersion, m.ConfigSnapshot, m.Environment, m.GitCommit = config.Version, snapshot, where, j.environment.Code.Commit
	m.DataSHA256, m.TokenizerSHA256 = j.Inputs.Train.TextSHA256(), j.Inputs.Train.TokenizerSHA256()
	if j.tracker != nil {
		m.RunID = j.tracker.RunID()
	}
	info, err := j.Store.Save(s)
	return info.Path, err
}

// Execute trains to the end, with records in the folder and progress on the
// terminal. title names the work in the progress.
func (j *Job) Execute(ctx context.Context, title string) (train.Result, error) {
	if err := j.environment.Write(j.Folder.Path(provenance.EnvironmentFile)); err != nil {
		return train.Result{}, err
	}
	tracker, err := track.Open(j.Folder.Dir, track.Options{})
	if err != nil {
		return train.Result{}, err
	}
	j.tracker = tracker
	defer tracker.Close()
	if err := tracker.LogParams(track.Params{Argv: os.Args, Config: j.Folder.Run, Derived: j.derived()}); err != nil {
		return train.Result{}, err
	}
	view := newView(j, title)
	j.Hooks = append([]train.Hook{view.hook(), j.records(tracker)}, j.Hooks...)
	res, err := j.Run(ctx)
	view.end()
	for _, e := range res.HookErrors {
		j.env.Note("warning: %v", e)
	}
	return res, err
}

// Go is Execute with all that a command does after it: the reproducibility report of
// a run that was not interrupted, and the outcome for people or programs.
func (j *Job) Go(ctx context.Context) error {
	res, err := j.Execute(ctx, "training")
	if err != nil {
		return err
	}
	if res.Reason != train.Interrupted {
		if err := j.Report(); err != nil {
			return err
		}
	}
	s := j.Summarise(res)
	return j.env.Report(s, func(w io.Writer) { s.Print(w) })
}

// derived are the numbers that the configuration amounts to.
func (j *Job) derived() map[string]any {
	return map[string]any{
		"parameters": model.NumParams(j.Model), "total_steps": j.Total(), "effective_batch_size": j.Folder.Run.Training.GlobalBatch(),
		"memory_plan_bytes": j.Plan().Total(), "train_tokens": j.Inputs.Train.Len(), "vocab_size": j.Model.Config().VocabSize,
	}
}

// records writes the run's metrics.
func (j *Job) records(t track.Tracker) train.Hook {
	every := j.Folder.Run.Training.LogEvery
	return train.Hook{
		Step: func(r train.StepResult) error {
			if r.Step%every != 0 && r.Step != j.Total() {
				return nil
			}
			return t.LogMetrics(
				track.Metric{Step: r.Step, Split: "train", Name: "loss", Value: r.Loss}, track.Metric{Step: r.Step, Split: "train", Name: "grad_norm", Value: r.GradNorm},
				track.Metric{Step: r.Step, Split: "train", Name: "lr_scale", Value: r.LRScale}, track.Metric{Step: r.Step, Split: "train", Name: "tokens", Value: float64(j.Tokens)})
		},
		Eval: func(e train.Evaluation) error {
			return t.LogMetrics(track.Metric{Step: e.Step, Split: "validation", Name: "loss", Value: e.Mean()},
				track.Metric{Step: e.Step, Split: "validation", Name: "bits_per_byte", Value: e.BitsPerByte()})
		},
		Save: func(string) error { return t.Sync() },
	}
}

// Report writes the reproducibility report of a finished run.
func (j *Job) Report() error {
	r := provenance.NewReport(j.tracker.RunID(), j.environment)
	h := j.Hashes()
	r.Inputs = append(r.Inputs, provenance.Item{Name: "config", SHA256: j.Folder.Run.Hash()},
		provenance.Item{Name: "train data", SHA256: j.Inputs.Train.TextSHA256(), Bytes: j.Inputs.Train.Bytes()})
	if j.Inputs.Tokenizer != nil {
		r.Inputs = append(r.Inputs, provenance.Item{Name: "tokenizer", SHA256: j.Inputs.Tokenizer.SHA256(), Path: TokenizerFile})
	}
	at := fmt.Sprintf(" after step %d", j.Next)
	r.Outputs = append(r.Outputs, provenance.Item{Name: "weights" + at, SHA256: h.Weights}, provenance.Item{Name: "optimiser state" + at, SHA256: h.Optimizer})
	return r.Write(j.Folder.Dir)
}

// finite is x, or 0 where JSON has no number for it.
func finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}
