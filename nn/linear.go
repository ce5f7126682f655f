package nn

import (
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/tensor"
)

// Adapter is a low-rank change of a Linear layer (LoRA, arXiv 2106.09685), added
// as fma(Scale, delta, x W^T + b).
type Adapter interface {
	// Forward returns delta(in), N x Out float32 temporaries.
	Forward(c *Context, in tensor.Tensor) []float32
	// Backward takes the gradient by the layer's output and adds delta's part to dIn.
	Backward(c *Context, dIn []float32, dOut tensor.Tensor)
	// Scale multiplies delta.
	Scale() float32
}

// Linear is out = in W^T + b, W being Out x In. The order of its epilogue is: sum,
// bias, adapter, dropout, residual; each rounds once, and the store once more
// where out is bfloat16. It saves in.
type Linear struct {
	In, Out int
	Weight  *Param
	Bias    *Param  // or nil
	Adapter Adapter // or nil
	Drop    *Dropout

	in  tensor.Tensor // N x In, saved
	epi kernel.Epilogue

	// operands of the funcs made once
	out, residual tensor.Tensor
	sum           []float32 // N x Out float32 before the store
	first         int       // column of sum where the running product begins
	delta         []float32
	scale         float32
	slots         [1][2]tensor.Tensor
	roundRows     func(worker, lo, hi int)
	biasColumns   func(worker, lo, hi int)
	finish        func(worker, i0, i1, j0, j1 int)
	dOut          tensor.Tensor
}

// NewLinear returns a layer over the given parameters; bias may be nil.
func NewLinear(weight, bias *Param) *Linear {
	l := &Linear{In: weight.Shape[1], Out: weight.Shape[0], Weight: weight, Bias: bias}
	l.roundRows = l.round
	l.biasColumns = func(_, lo, hi int) {
		kernel.SumColumns(l.Bias.chains, l.dOut.F32, l.Out, l.dOut.Rows, lo, hi)
	}
	l.finish = l.finishBlock
	return l
}

// Forward computes out, N x Out of either type, from in, N x In in the compute
// type. With a residual (N x Out float32, not out) the layer ends a residual
// branch: dropout applies and the residual is added.
func (l *Linear) Forward(c *Context, out, in, residual tensor.Tensor) {
	l.in, l.out, l.residual = in, out, residual
	l.sum = out.F32
	mark := c.Temp.Mark()
	if out.DType == tensor.BF16 {
		l.sum = c.Temp.Floats(out.Len())
	}
	l.delta = nil
	if l.Adapter != nil {
		l.delta, l.scale = l.Adapter.Forward(c, in), l.Adapter.Scale()
	}
	l.epi = kernel.Epilogue{}
	if l.Bias != nil {
		l.epi.Bias = l.Bias.Data
	}
	if l.delta != nil || !residual.IsZero() || out.DType == tensor.BF16 {
		l.epi.Apply = l.finish
	}
	if !residual.IsZero() {
		l.Drop.begin(c)
	}
	l.first = 0
	if l.Weight.kept != nil {
		l.Weight.keptProduct(c, in, l.sum, &l.epi, &l.first)
	} else {
		c.product(kernel.NT, in.Rows, l.Out, l.In, in, l.Weight.operand(c), l.sum, l.Out, false, &l.epi)
	}
	c.Temp.Release(mark)
}

// finishBlock carries rows [i0, i1) and columns [j0, j1) of the sums to the output.
func (l *Linear) finishBlock(_, i0, i1, j0, j1 int) {
	for i := i0; i < i1; i++ {
		lo, hi := i*l.Out+l.first+j0, i*l.Out+l.first+j1
		x := l.sum[lo:hi]
		if l.delta != nil {
			kernel.Axpy(x, l.delta[lo:hi], l.scale)
		}
		if !l.residual.IsZero() {
			l.Drop.apply(x, x, i, l.Out, l.first+j0)
			kernel.Add(l.out.F32[lo:hi], x, l.residual.F32[lo:hi])
		} else if l.out.DType == tensor.BF16 {
			kernel.RoundBF16(l.out.BF16[lo:hi], x)
		}
	}
}

// Backward adds the gradients of the parameters and, unless dIn is empty,
// overwrites dIn (N x In float32) with the gradient by in. dOut is N x Out float32.
func (l *Linear) Backward(c *Context, dIn, dOut tensor.Tensor) {
	mark := c.Temp.Mark()
	if !l.residual.IsZero() {
		dOut = l.Drop.backward(c, dOut)
	}
	if l.Bias != nil && l.Bias.Grad != nil {
		l.dOut = dOut
		l.Bias.start(c)
		c.Pool.For(l.Out, columnGrain, l.biasColumns)
	}
	d := c.compute(dOut, l.roundRows, &l.slots[0])
	if l.Weight.Grad != nil {
		c.product(kernel.TN, l.Out, l.In, d.Rows, d, l.in, l.Weight.Grad, l.In, !c.First, nil)
	}
	if !dIn.IsZero() {
		if l.Weight.kept != nil {
			l.Weight.keptBackward(c, dIn, dOut)
		} else {
			c.product(kernel.NN, d.Rows, l.In, l.Out, d, l.Weight.operand(c), dIn.F32, l.In, false, nil)
		}
		if l.Adapter != nil {
			l.Adapter.Backward(c, dIn.F32, d)
		}
	}
	c.Temp.Release(mark)
}

// SetInput replaces the saved input by the same values computed again.
func (l *Linear) SetInput(in tensor.Tensor) { l.in = in }

func (l *Linear) round(_, lo, hi int) { roundRows(&l.slots[0], lo, hi) }

// roundRows rounds rows of slot[1] into slot[0].
func roundRows(slot *[2]tensor.Tensor, lo, hi int) {
	cols := slot[0].Cols
	kernel.RoundBF16(slot[0].BF16[lo*cols:hi*cols], slot[1].F32[lo*cols:hi*cols])
}

// columnGrain is the number of float64 column chains in a piece of work.
const columnGrain = 128
