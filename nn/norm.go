package nn

import (
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/tensor"
)

// Norm normalises each row of C channels: LayerNorm (arXiv 1607.06450),
// (x - mean) / sqrt(variance + eps) * gain + bias, or, with RMS set, RMSNorm (arXiv
// 1910.07467), x / sqrt(mean(x^2) + eps) * gain. It saves in and a mean and
// reciprocal deviation per row.
//
// A norm may end a residual branch (ForwardResidual): then dropout applies to what
// it gives, and the residual is added.
type Norm struct {
	C    int
	RMS  bool
	Eps  float32
	Gain *Param // or nil
	Bias *Param // or nil; LayerNorm only
	Drop *Dropout

	in         tensor.Tensor // N x C float32, saved
	mean, rstd []float32     // N, saved

	out, dIn, dOut tensor.Tensor
	residual       tensor.Tensor
	accumulate     bool
	c              *Context
	forwardRows    func(worker, lo, hi int)
	backwardRows   func(worker, lo, hi int)
	columns        func(worker, lo, hi int)
}

// NewNorm returns a norm of rows of channels elements; gain and bias may be nil.
func NewNorm(channels int, rms bool, eps float32, gain, bias *Param) *Norm {
	l := &Norm{C: channels, RMS: rms, Eps: eps, Gain: gain, Bias: bias}
	l.forwardRows, l.backwardRows, l.columns = l.forward, l.backward, l.gradColumns
	return l
}

// Forward computes out, N x C of either type, from in, N x C float32.
func (l *Norm) Forward(c *Context, out, in tensor.Tensor) {
	l.ForwardResidual(c, out, in, tensor.Tensor{})
}

// ForwardResidual computes out, N x C float32, from in and adds the residual, N x C
// float32, which is not out. Without a residual it is Forward.
func (l *Norm) ForwardResidual(c *Context, out, in, residual tensor.Tensor) {
	l.in, l.rstd, l.residual = in, c.Saved.Floats(in.Rows), residual
	if !l.RMS {
		l.mean = c.Saved.Floats(in.Rows)
	}
	l.Recompute(c, out)
}

// Recompute computes the output of the last Forward again.
func (l *Norm) Recompute(c *Context, out tensor.Tensor) {
	l.out, l.c = out, c
	if !l.residual.IsZero() {
		l.Drop.begin(c)
	}
	c.Pool.For(l.in.Rows, rowGrain(l.C), l.forwardRows)
}

func (l *Norm) forward(worker, lo, hi int) {
	a, b := lo*l.C, hi*l.C
	var buf []float32
	if l.out.DType == tensor.BF16 {
		buf = l.c.scratch(worker, b-a)
	}
	out := place(l.out, a, b, buf)
	if l.RMS {
		kernel.RMSNormForward(out, l.rstd[lo:hi], l.in.F32[a:b], data(l.Gain), l.C, l.Eps)
	} else {
		kernel.LayerNormForward(out, l.mean[lo:hi], l.rstd[lo:hi], l.in.F32[a:b], data(l.Gain), data(l.Bias), l.C, l.Eps)
	}
	if !l.residual.IsZero() {
		for i := lo; i < hi; i++ {
			x := out[(i-lo)*l.C : (i-lo+1)*l.C]
			l.Drop.apply(x, x, i, l.C, 0)
		}
		kernel.Add(out, out, l.residual.F32[a:b])
	}
	commit(l.out, a, b, out)
}

// Backward adds the gradients of gain and bias and overwrites dIn, or adds to it
// if accumulate is set. dIn and dOut are N x C float32 and may not overlap.
func (l *Norm) Backward(c *Context, dIn, dOut tensor.Tensor, accumulate bool) {
	mark := c.Temp.Mark()
	if !l.residual.IsZero() {
		dOut = l.Drop.backward(c, dOut)
	}
	l.dIn, l.dOut, l.accumulate = dIn, dOut, accumulate
	if l.Gain != nil && l.Gain.Grad != nil {
		l.Gain.start(c)
		if l.Bias != nil {
			l.Bias.start(c)
		}
		c.Pool.For(l.C, columnGrain, l.columns)
	}
	c.Pool.For(dIn.Rows, rowGrain(l.C), l.backwardRows)
	c.Temp.Release(mark)
}

func (l *Norm) backward(_, lo, hi int) {
	a, b := lo*l.C, hi*l.C
	if l.RMS {
		kernel.RMSNormBackward(l.dIn.F32[a:b], l.dOut.F32[a:b], l.in.F32[a:b], l.rstd[lo:hi], data(l.Gain), l.C, l.accumulate)
	} else {
		kernel.LayerNormBackward(l.dIn.F32[a:b], l.dOut.F32[a:b], l.in.F32[a:b], l.mean[lo:hi], l.rstd[lo:hi], data(l.Gain), l.C, l.accumulate)
	}
}

func (l *Norm) gradColumns(_, lo, hi int) {
	var mean []float32
	var bias []float64
	if !l.RMS {
		mean = l.mean
	}
	if l.Bias != nil {
		bias = l.Bias.chains
	}
	kernel.NormGradColumns(l.Gain.chains, bias, l.dOut.F32, l.in.F32, mean, l.rstd, l.C, lo, hi)
}

// data is p's weights, or nil.
func data(p *Param) []float32 {
	if p == nil {
		return nil
	}
	return p.Data
}
