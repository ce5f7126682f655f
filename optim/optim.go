// Package optim trains named parameters from their gradients: AdamW, SGD and
// Muon, learning-rate schedules, and the gradient's norm. The trainer owns one
// Optimizer and calls it between backward passes; it is not safe for concurrent
// use and runs its own parallel regions on the pool it was given.
//
// One optimiser step is this, in this order (docs/numerics.md is the law behind it):
//
//	norm, at := o.GradNorm()                // the trainer refuses the step if at names a parameter
//	clip := ClipScale(norm, limit)          // min(1, limit/(norm+1e-6)) in float64, rounded once
//	o.Step(step, total, base, clip)         // for each parameter, element by element:
//	    f  = schedule factor of step        // float64
//	    lr = base * lr_scale * f            // float64, rounded once to float32
//	    g' = g * clip                       // then the rule of kernel.AdamW, kernel.SGD or muon.go
//	    the bfloat16 copy of what was written
//
// Everything is a function of (configuration, step, gradients, state): the same
// bits for any number of threads and on every CPU tier. After New nothing allocates.
package optim

import (
	"fmt"
	"slices"

	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/nn"
)

// pieceLen is the number of elements of an element-wise rule that one worker
// takes at a time: about 50 microseconds of work, so that claiming a piece costs
// nothing and workers finish together. It does not reach the result.
const pieceLen = 1 << 16

// rule is how a parameter is trained.
type rule uint8

const (
	ruleAdamW rule = iota
	ruleSGD
	ruleMuon
)

// slot is a parameter with its state.
type slot struct {
	*nn.Param
	rule  rule
	m, v  []float32 // AdamW: both averages; SGD and Muon: m is the momentum; SGD without momentum: none
	parts []int     // Muon: rows of each logical matrix
}

// piece is what one worker does at a time: elements [lo, hi) of a slot; with
// Muon one logical matrix.
type piece struct{ slot, lo, hi int }

// Optimizer trains the parameters it was made with.
type Optimizer interface {
	// GradNorm is the Euclidean norm of all gradients: float64 sums of squares over blocks of 4,096 elements, blocks starting
	// anew with each parameter, added in the order of the parameters. If a gradient is not finite, neither is the norm, and
	// at names the first parameter that has one; else at is empty.
	GradNorm() (norm float64, at string)
	// Step writes new weights, state and bfloat16 copies. step counts from 0 and total is the run's number of steps; baseLR is
	// training.learning_rate and gradScale multiplies every gradient (ClipScale). It returns the schedule's factor and panics
	// unless 0 <= step < total.
	Step(step, total int, baseLR, gradScale float32) (factor float64)
	// State lists the state in the order of the parameters, for checkpoints: NAME.exp_avg and NAME.exp_avg_sq for AdamW,
	// NAME.momentum_buffer for SGD with momentum and for Muon. The data is live: a later Step changes it. With the number of
	// steps done it is all that training needs to go on.
	State() []NamedSlice
	// LoadState copies a state that State listed, in any order. If a tensor is missing, unexpected, given twice or of another
	// shape, all such are reported and nothing is written.
	LoadState(tensors []NamedSlice) error
	// Bytes is the memory of the state, which checkpoints hold too, and of the scratch space.
	Bytes() (state, scratch int)
}

// optimizer holds the state of all parameters in training. One type serves all
// methods: a method is a choice of rule per parameter.
type optimizer struct {
	cfg    Config
	pool   *par.Pool
	gemm   *kernel.Gemmer
	slots  []slot
	pieces []piece
	muons  []newtonSchulz // scratch of each worker
	norm   normer
	work   func(worker, lo, hi int)

	// Of the step that is running.

	adamw [numGroups]kernel.AdamWParams
	sgd   [numGroups]sgdRates
	muon  muonRates
}

const numGroups = int(nn.GroupVector) + 1

type sgdRates struct{ lr, decay float32 }

// New returns an Optimizer of the parameters that have a gradient. Frozen ones
// (Grad is nil) are left alone. Zero state is allocated at once: see Bytes.
// gemm, on the same pool, is for Muon and may be nil without it.
//
// An invalid configuration is an error. It panics on parameters that clash: two
// of one name, a gradient of another length, or (Muon) a Matrix whose Parts do
// not make up its rows.
func New(cfg Config, params []*nn.Param, pool *par.Pool, gemm *kernel.Gemmer) (Optimizer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.Name = Canonical(cfg.Name)
	cfg.Betas = slices.Clone(cfg.Betas)
	o := &optimizer{cfg: cfg, pool: pool, gemm: gemm}
	names := map[string]bool{}
	for _, p := range params {
		if p.Grad == nil {
			continue
		}
		if names[p.Name] {
			panic("optim: New: two parameters are named " + p.Name)
		}
		names[p.Name] = true
		if len(p.Grad) != len(p.Data) || (p.Half != nil && len(p.Half) != len(p.Data)) {
			panic(fmt.Sprintf("optim: New: %s has %d elements, %d of gradient, %d of bfloat16 copy", p.Name, len(p.Data), len(p.Grad), len(p.Half)))
		}
		o.slots = append(o.slots, newSlot(cfg, p))
	}
	o.cut()
	o.norm.init(o.slots)
	o.work = o.update
	return o, nil
}

func newSlot(cfg Config, p *nn.Param) slot {
	s := slot{Param: p}
	switch {
	case cfg.Name == "sgd":
		s.rule = ruleSGD
		if cfg.Momentum > 0 {
			s.m = kernel.Floats(len(p.Data))
		}
	case cfg.Name == "muon" && p.Group == nn.GroupMatrix:
		s.rule, s.parts = ruleMuon, logicalRows(p)
		s.m = kernel.Floats(len(p.Data))
	default:
		s.m, s.v = kernel.Floats(len(p.Data)), kernel.Floats(len(p.Data))
	}
	return s
}

// cut divides the work of a step. Muon's matrices come first, the most expensive
// ahead, so that the small pieces fill what remains of the workers' time.
func (o *optimizer) cut() {
	var matrices []piece
	for i, s := range o.slots {
		if s.rule == ruleMuon {
			lo, cols := 0, s.Shape[1]
			for _, rows := range s.parts {
				matrices = append(matrices, piece{i, lo, lo + rows*cols})
				lo += rows * cols
			}
			continue
		}
		for lo := 0; lo < len(s.Data); lo += pieceLen {
			o.pieces = append(o.pieces, piece{i, lo, min(lo+pieceLen, len(s.Data))})
		}
	}
	if len(matrices) > 0 {
		slices.SortStableFunc(matrices, func(a, b piece) int { return o.cost(b) - o.cost(a) })
		o.pieces = append(matrices, o.pieces...)
		o.newScratch(matrices)
	}
}

// Step implements Optimizer.
func (o *optimizer) Step(step, total int, baseLR, gradScale float32) (factor float64) {
	if step < 0 || step >= total {
		panic(fmt.Sprintf("optim: Step: step %d of %d", step, total))
	}
	factor = o.cfg.Schedule.Factor(step, total)
	o.setRates(step, float64(baseLR), factor, gradScale)
	o.pool.For(len(o.pieces), 1, o.work)
	return factor
}

// setRates works out, once per step, every number that the rules need.
func (o *optimizer) setRates(step int, base, factor float64, gradScale float32) {
	t := float64(step + 1)
	scales := [numGroups]float64{nn.GroupMatrix: 1, nn.GroupEmbedding: o.cfg.LRScale.Embedding, nn.GroupHead: o.cfg.LRScale.Head, nn.GroupVector: o.cfg.LRScale.Vector}
	for group := range numGroups {
		lr := float32(base * scales[group] * factor)
		decay := float32(o.cfg.WeightDecay)
		if nn.Group(group) == nn.GroupVector {
			decay = 0
		}
		o.sgd[group] = sgdRates{lr, decay}
		o.adamw[group] = kernel.AdamWParams{
			LR: lr, Beta1: o.cfg.Betas[0], Beta2: o.cfg.Betas[1], Eps: float32(o.cfg.Eps), WeightDecay: decay, GradScale: gradScale,
			BiasCorrection1: float32(1 - kernel.Pow64(o.cfg.Betas[0], t)), BiasCorrection2: float32(1 - kernel.Pow64(o.cfg.Betas[1], t)),
		}
	}
	o.muon = o.cfg.Muon.rates(step, factor, gradScale)
}

// update is the work of a step.
func (o *optimizer) update(worker, lo, hi int) {
	for _, p := range o.pieces[lo:hi] {
		s := &o.slots[p.slot]
		w, g, half := s.Data[p.lo:p.hi], s.Grad[p.lo:p.hi], span(s.Half, p)
		switch s.rule {
		case ruleAdamW:
			kernel.AdamW(o.adamw[s.Group], w, g, s.m[p.lo:p.hi], s.v[p.lo:p.hi], half)
		case ruleSGD:
			r := o.sgd[s.Group]
			kernel.SGD(w, g, span(s.m, p), half, r.lr, float32(o.cfg.Momentum), r.decay, o.muon.gradScale, o.cfg.Nesterov)
		case ruleMuon:
			o.muons[worker].step(o.gemm.Seq(worker), o.muon, w, g, s.m[p.lo:p.hi], half, s.Shape[1])
		}
	}
}

// span is the part of an optional vector that a piece covers.
func span[T any](x []T, p piece) []T {
	if x == nil {
		return nil
	}
	return x[p.lo:p.hi]
}

// Bytes implements Optimizer.
func (o *optimizer) Bytes() (state, scratch int) {
	for _, s := range o.slots {
		state += 4 * (len(s.m) + len(s.v))
	}
	for i := range o.muons {
		scratch += o.muons[i].bytes()
	}
	return state, scratch + 8*len(o.norm.sums)
}
