package train

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/aries-serpent/codexml/checkpoint"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/optim"
	"github.com/aries-serpent/codexml/tensor"
)

// Hashes identify the state of a training: the digests of the two files that a
// checkpoint would keep it in.
type Hashes struct {
	Weights   string `json:"weights_sha256"`
	Optimizer string `json:"optimizer_sha256"`
}

// Hashes returns those of the present state.
func (t *Trainer) Hashes() Hashes {
	return Hashes{Weights: checkpoint.SHA256(Weights(t.Model)), Optimizer: checkpoint.SHA256(stored(t.Optim.State()))}
}

// State is what a checkpoint holds of this training; the tensors are live. The
// caller completes Meta.
func (t *Trainer) State(p Progress) checkpoint.State {
	s := checkpoint.State{Step: t.Next, Epoch: t.Next / t.Loader.StepsPerEpoch(), Weights: Weights(t.Model), Optimizer: stored(t.Optim.State())}
	s.Meta.TokensSeen = int64(t.Tokens)
	if p.Measured != nil {
		s.Meta.Metrics = p.Measured.metrics()
	}
	s.Meta.Extra, _ = json.Marshal(p.extra()) // numbers only: cannot fail
	return s
}

// metrics are the evaluation's numbers under the names of training.best_metric.
func (e Evaluation) metrics() map[string]float64 {
	return map[string]float64{"val_loss": e.Mean(), "val_bits_per_byte": e.BitsPerByte(), "val_perplexity": e.Perplexity()}
}

// extra is Progress in meta.json, which knows no infinity.
type extra struct {
	Best     *float64 `json:"best,omitempty"`
	BadEvals int      `json:"bad_evaluations"`
}

func (p Progress) extra() extra {
	x := extra{BadEvals: p.BadEvals}
	if !math.IsInf(p.Best, 0) {
		x.Best = &p.Best
	}
	return x
}

// Restore goes on from a checkpoint of the same model and optimiser. After an error
// the trainer must not be used, unless the error is a *checkpoint.MismatchError.
func (t *Trainer) Restore(c *checkpoint.Checkpoint) (Progress, error) {
	var x extra
	if len(c.Meta.Extra) > 0 {
		if err := json.Unmarshal(c.Meta.Extra, &x); err != nil {
			return Progress{}, fmt.Errorf("resume from %s: extra: %w", c.Path, err)
		}
	}
	if err := c.ReadInto(Weights(t.Model), stored(t.Optim.State())); err != nil {
		return Progress{}, fmt.Errorf("resume: %w", err)
	}
	if t.Context.DType == tensor.BF16 {
		for _, p := range t.Model.Params() {
			p.SyncHalf()
		}
	}
	t.Next, t.Tokens = c.Meta.Step, int(c.Meta.TokensSeen)
	p := Progress{Best: math.Inf(1), BadEvals: x.BadEvals}
	if x.Best != nil {
		p.Best = *x.Best
	}
	return p, nil
}

// Weights lists a model's weights as a checkpoint has them. The data is live.
func Weights(m model.Model) []checkpoint.Tensor {
	var all []checkpoint.Tensor
	for _, p := range m.Params() {
		all = append(all, checkpoint.Tensor{Name: p.Name, Shape: p.Shape, F32: p.Data})
	}
	return all
}

func stored(tensors []optim.NamedSlice) []checkpoint.Tensor {
	var all []checkpoint.Tensor
	for _, x := range tensors {
		all = append(all, checkpoint.Tensor{Name: x.Name, Shape: x.Shape, F32: x.Data})
	}
	return all
}
