// Package train is the one trainer: it accumulates gradients over batches, clips,
// steps the optimiser, evaluates, stops early, saves and resumes. A step's result
// is a function of the weights, the optimiser's state, the data, the seed and the
// step's number: not of threads, of the split of the global batch, of recomputation,
// of the CPU tier, or of having been interrupted. A Trainer belongs to one goroutine.
package train

import (
	"errors"
	"fmt"
	"math"

	"github.com/aries-serpent/codexml/data"
	"github.com/aries-serpent/codexml/eval"
	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/nn"
	"github.com/aries-serpent/codexml/optim"
	"github.com/aries-serpent/codexml/tensor"
)

// ErrNonFinite is returned by Step when a loss or a gradient is not finite. No
// weight has been changed then.
var ErrNonFinite = errors.New("the loss or a gradient is not finite")

// Trainer holds a model in training.
type Trainer struct {
	Config  Config
	Model   model.Model
	Optim   optim.Optimizer
	Loader  *data.Loader
	Context *nn.Context

	// Next is the number of the next step, from 0.
	Next int
	// Tokens counts the trained tokens so far.
	Tokens int

	total  int
	batch  data.Batch
	input  nn.Batch
	losses []float32
}

// StepResult is what a step did.
type StepResult struct {
	Step     int     // its number, from 1
	Loss     float64 // mean over the step's trained tokens, in nats, before the update
	GradNorm float64 // before clipping
	LRScale  float64 // the schedule's factor
	Tokens   int     // trained by this step
}

// New readies a model for training: buffers are sized, nothing is computed.
func New(cfg Config, optimizer optim.Config, m model.Model, loader *data.Loader, pool *par.Pool) (*Trainer, error) {
	dtype, err := tensor.ParseDType(cfg.Dtype)
	if err != nil {
		return nil, fmt.Errorf("training.%w", err)
	}
	recompute, ok := map[string]model.Recompute{"none": model.RecomputeNone, "cheap": model.RecomputeCheap, "block": model.RecomputeBlock}[cfg.Recompute]
	if !ok {
		return nil, fmt.Errorf("training.recompute: want none, cheap or block, got %q", cfg.Recompute)
	}
	if need := cfg.SeqLen; need > m.Config().MaxSeqLen {
		return nil, fmt.Errorf("training.seq_len: %d is above model.max_seq_len %d: lower one or raise the other", need, m.Config().MaxSeqLen)
	}
	m.SetRecompute(recompute)
	t := &Trainer{Config: cfg, Model: m, Loader: loader, total: TotalSteps(cfg, loader)}
	slots := loader.SlotsPerRow()
	plan := m.Plan(cfg.BatchSize, slots, dtype)
	t.Context = nn.NewContext(pool, dtype, plan.Activations+1<<16, plan.Temporaries+plan.Head+1<<16)
	t.Context.Seed, t.Context.StepSlots = uint64(cfg.Seed), cfg.GlobalBatch()*slots
	t.losses = make([]float32, cfg.GlobalBatch()*slots)
	if dtype == tensor.BF16 {
		for _, p := range m.Params() {
			p.SyncHalf()
		}
	}
	if t.Optim, err = optim.New(optimizer, m.Params(), pool, t.Context.Gemm); err != nil {
		return nil, err
	}
	return t, nil
}

// TotalSteps is the number of steps of a run.
func TotalSteps(cfg Config, loader *data.Loader) int {
	if cfg.MaxSteps > 0 {
		return cfg.MaxSteps
	}
	return cfg.Epochs * loader.StepsPerEpoch()
}

// Total is the number of steps of this run.
func (t *Trainer) Total() int { return t.total }

// Step does the next optimiser step. After an error nothing has changed.
func (t *Trainer) Step() (StepResult, error) {
	loss, err := t.gradients()
	if err != nil {
		return StepResult{}, err
	}
	norm, at := t.Optim.GradNorm()
	if at != "" {
		return StepResult{}, fmt.Errorf("step %d: gradient of %s: %w: lower training.learning_rate, or look at the data of this step", t.Next+1, at, ErrNonFinite)
	}
	scale := float32(1)
	if t.Config.GradClipNorm > 0 {
		scale = optim.ClipScale(norm, t.Config.GradClipNorm)
	}
	lr := t.Optim.Step(t.Next, t.total, float32(t.Config.LearningRate), scale)
	trained := t.Loader.StepTokens(t.Next)
	t.Next++
	t.Tokens += trained
	return StepResult{Step: t.Next, Loss: loss, GradNorm: norm, LRScale: lr, Tokens: trained}, nil
}

// gradients computes the gradient of the step's mean loss, batch by batch.
func (t *Trainer) gradients() (loss float64, err error) {
	c, rows, trained := t.Context, t.Loader.StepRows(t.Next), t.Loader.StepTokens(t.Next)
	if trained == 0 {
		return 0, fmt.Errorf("step %d: no token of its %d sequences is trained: all targets are masked", t.Next+1, rows)
	}
	c.Train, c.Step = true, uint64(t.Next)
	coef, slots := float32(1/float64(trained)), 0
	for from := 0; from < rows; from += t.Config.BatchSize {
		t.Loader.Fill(&t.batch, t.Next, from, min(t.Config.BatchSize, rows-from))
		t.input = eval.Input(t.input, &t.batch)
		c.First = from == 0
		c.SetBatch(&t.input)
		n := t.input.Slots()
		t.Model.Loss(c, t.losses[slots:slots+n], coef, true)
		slots += n
	}
	t.Model.FinishGrads(c)
	sum := 0.0
	for i, l := range t.losses[:slots] {
		if sum += float64(l); math.IsNaN(sum) || math.IsInf(sum, 0) {
			row := i / t.batch.SeqLen
			return 0, fmt.Errorf("step %d: loss of sequence %d, token %d is %v: %w: lower training.learning_rate, or look at the data of this step", t.Next+1, row, i%t.batch.SeqLen, l, ErrNonFinite)
		}
	}
	return sum / float64(trained), nil
}
