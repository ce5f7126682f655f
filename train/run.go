package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/aries-serpent/codexml/eval"
)

// Hook watches a run. Any of its funcs may be nil. An error of a hook is kept in
// Result.HookErrors and does not stop the run.
type Hook struct {
	Step func(r StepResult) error
	Eval func(e Evaluation) error
	Save func(path string) error
	End  func(r Result) error
}

// Evaluation is a measurement on the validation data.
type Evaluation struct {
	Step int // steps done
	eval.Loss
	Best bool // better than all before
}

// StopReason says why a run ended.
type StopReason string

const (
	Complete    StopReason = "complete"    // all steps are done
	EarlyStop   StopReason = "early_stop"  // training.patience evaluations brought nothing
	Interrupted StopReason = "interrupted" // the context or StopAfter ended it; the state was saved
)

// Result is what a run did.
type Result struct {
	Reason     StopReason
	Steps      int // in all, those before a resume included
	Tokens     int
	Loss       float64 // of the last step
	Last       *Evaluation
	Seconds    float64 // of this process
	HookErrors []error
}

// Runner is a run: a trainer with what surrounds it.
type Runner struct {
	*Trainer
	// Evaluate measures the model on the validation data; nil: there is none.
	Evaluate func() (eval.Loss, error)
	// Save keeps the present state and returns where; nil: nothing is kept.
	Save  func(p Progress) (path string, err error)
	Hooks []Hook
	// StopAfter ends the run, as an interruption does, after so many steps in all; 0: it does not.
	StopAfter int
	Progress
}

// Progress is the part of a run's state that is neither weights nor optimiser. It
// is saved with them.
type Progress struct {
	Best        float64     // of training.best_metric; +Inf before the first evaluation
	BadEvals    int         // evaluations in a row since then
	Measured    *Evaluation // the last evaluation
	savedAtStep int
}

// Run trains until the steps are done, patience ends, or ctx does, and saves at the
// end. After an error the last save is what is left.
func (r *Runner) Run(ctx context.Context) (Result, error) {
	start := time.Now()
	res := Result{Reason: Complete}
	if r.Next == 0 {
		r.Best = math.Inf(1)
	}
	r.savedAtStep = r.Next
	for r.Next < r.Total() {
		if ctx.Err() != nil || r.StopAfter > 0 && r.Next >= r.StopAfter {
			res.Reason = Interrupted
			break
		}
		step, err := r.Step()
		if err != nil {
			return res, err
		}
		res.Loss = step.Loss
		r.each(&res, func(h Hook) error { return call(h.Step, step) })
		stop, err := r.afterStep(&res)
		if err != nil {
			return res, err
		}
		if stop {
			res.Reason = EarlyStop
			break
		}
	}
	if err := r.save(&res); err != nil {
		return res, err
	}
	res.Steps, res.Tokens, res.Last, res.Seconds = r.Next, r.Tokens, r.Measured, time.Since(start).Seconds()
	r.each(&res, func(h Hook) error { return call(h.End, res) })
	return res, nil
}

// afterStep evaluates and saves where the step's number says so.
func (r *Runner) afterStep(res *Result) (stop bool, err error) {
	every, last := r.Config.EvalEvery, r.Next == r.Total()
	if r.Evaluate != nil && (last || every > 0 && r.Next%every == 0) {
		if stop, err = r.evaluate(res); err != nil {
			return false, err
		}
	}
	if every := r.Config.SaveEvery; every > 0 && r.Next%every == 0 && !last && !stop {
		return false, r.save(res)
	}
	return stop, nil
}

func (r *Runner) evaluate(res *Result) (stop bool, err error) {
	loss, err := r.Evaluate()
	if err != nil {
		return false, fmt.Errorf("evaluate after step %d: %w", r.Next, err)
	}
	e := Evaluation{Step: r.Next, Loss: loss}
	value := loss.Mean()
	if r.Config.BestMetric == "val_bits_per_byte" {
		value = loss.BitsPerByte()
	}
	if e.Best = value < r.Best; e.Best {
		r.Best, r.BadEvals = value, 0
	} else {
		r.BadEvals++
	}
	r.Measured = &e
	r.each(res, func(h Hook) error { return call(h.Eval, e) })
	return r.Config.Patience > 0 && r.BadEvals >= r.Config.Patience, nil
}

func (r *Runner) save(res *Result) error {
	if r.Save == nil || r.savedAtStep == r.Next {
		return nil
	}
	path, err := r.Save(r.Progress)
	if err != nil {
		return fmt.Errorf("save after step %d: %w", r.Next, err)
	}
	r.savedAtStep = r.Next
	r.each(res, func(h Hook) error { return call(h.Save, path) })
	return nil
}

// each calls every hook and keeps the errors.
func (r *Runner) each(res *Result, f func(h Hook) error) {
	for i, h := range r.Hooks {
		if err := f(h); err != nil {
			res.HookErrors = append(res.HookErrors, fmt.Errorf("hook %d after step %d: %w", i, r.Next, err))
		}
	}
}

func call[T any](f func(T) error, x T) (err error) {
	if f == nil {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = errors.Join(err, fmt.Errorf("panic: %v", p))
		}
	}()
	return f(x)
}
