package nn

import (
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/tensor"
)

// Group says how a parameter is trained: which optimiser takes it and whether
// weight decay applies.
type Group uint8

const (
	GroupMatrix    Group = iota // a hidden layer's weight, [out, in]: Muon's, decayed
	GroupEmbedding              // token or position table, [rows, channels]
	GroupHead                   // output projection, [vocabulary, channels]
	GroupVector                 // bias or norm gain: never decayed
)

// Param is a named parameter with its gradient.
type Param struct {
	Name  string // as in the checkpoint
	Shape []int
	Group Group
	// Parts are the row counts of the logical matrices stacked in a fused one
	// (query, key, value); nil means one.
	Parts []int
	Data  []float32 // float32 master weights, row-major by Shape
	Grad  []float32 // nil while the parameter is frozen
	Half  []uint16  // the bfloat16 copy that products read in bfloat16 mode, else nil

	kept []keptRows // instead of Data: see Keep

	chains []float64 // of a GroupVector: its gradient's float64 chains of this step
}

// NewParam returns a zero parameter with room for its gradient.
func NewParam(name string, group Group, shape ...int) *Param {
	p := &Param{Name: name, Shape: shape, Group: group}
	p.Allocate(true)
	return p
}

// Allocate gives a parameter that has only a shape so far its weights, all zero, and
// the memory of a gradient if it is to be trained.
func (p *Param) Allocate(train bool) {
	n := p.Len()
	p.Data = kernel.Floats(n)
	if !train {
		return
	}
	p.Grad = kernel.Floats(n)
	if p.Group == GroupVector {
		p.chains = make([]float64, n)
	}
}

// Len is the number of elements.
func (p *Param) Len() int {
	n := 1
	for _, s := range p.Shape {
		n *= s
	}
	return n
}

// Freeze stops the parameter's training and gives back its gradient's memory.
func (p *Param) Freeze() { p.Grad, p.chains = nil, nil }

// SyncHalf makes or renews the bfloat16 copy.
func (p *Param) SyncHalf() {
	if p.Half == nil {
		p.Half = kernel.Halves(len(p.Data))
	}
	kernel.RoundBF16(p.Half, p.Data)
}

// operand is the parameter as an operand of matrix products.
func (p *Param) operand(c *Context) tensor.Tensor {
	cols := p.Shape[len(p.Shape)-1]
	t := tensor.Tensor{DType: c.DType, Rows: len(p.Data) / cols, Cols: cols}
	if c.DType == tensor.F32 {
		t.F32 = p.Data
	} else {
		t.BF16 = p.Half
	}
	return t
}

// start clears the chains of a GroupVector when a step begins.
func (p *Param) start(c *Context) {
	if c.First {
		clear(p.chains)
	}
}

// FinishGrad rounds the chains of a GroupVector into its gradient, once per step.
func (p *Param) FinishGrad() {
	for i, sum := range p.chains {
		p.Grad[i] = float32(sum)
	}
}
