package train

import "github.com/aries-serpent/codexml/model"

// Plan is the memory that training takes, in bytes.
type Plan struct {
	model.Memory
	Optimizer int // state and scratch
	Workers   int // packed operands and attention tiles of the threads
}

// Total is the sum of all parts.
func (p Plan) Total() int { return p.Memory.Total() + p.Optimizer + p.Workers }

// workerBytes is what a thread takes for packed operands and attention tiles, as
// measured on gpt2-124m.
const workerBytes = 8 << 20

// Plan returns the memory plan of this training.
func (t *Trainer) Plan() Plan {
	state, scratch := t.Optim.Bytes()
	return Plan{
		Memory:    t.Model.Plan(t.Config.BatchSize, t.Loader.SlotsPerRow(), t.Context.DType),
		Optimizer: state + scratch, Workers: workerBytes * t.Context.Pool.Threads(),
	}
}
