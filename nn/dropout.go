package nn

import (
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/internal/rng"
	"github.com/aries-serpent/codexml/tensor"
)

// Dropout zeroes each element with probability P and scales the others by 1/(1-P)
// (Srivastava et al. 2014). The mask is a function of (seed, step, site, sample,
// token, element), so it does not depend on the batch and is its own backward. A
// nil Dropout does nothing.
type Dropout struct {
	P    float32
	Site uint64 // number of the place in the model

	c         *Context
	key       rng.Key
	dIn, dOut tensor.Tensor
	rows      func(worker, lo, hi int)
}

// NewDropout returns dropout for a place in the model, or nil if p is 0.
func NewDropout(p float64, site uint64) *Dropout {
	if p == 0 {
		return nil
	}
	l := &Dropout{P: float32(p), Site: site}
	l.rows = func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			a, b := i*l.dOut.Cols, (i+1)*l.dOut.Cols
			l.apply(l.dIn.F32[a:b], l.dOut.F32[a:b], i, l.dOut.Cols, 0)
		}
	}
	return l
}

// begin makes c the context of the next apply calls.
func (l *Dropout) begin(c *Context) {
	if l != nil {
		l.c, l.key = c, rng.Key{Seed: c.Seed, Stream: rng.StreamDropout + l.Site, Step: c.Step}
	}
}

// apply writes the masked src into dst: columns from column on of a row of the
// given width.
func (l *Dropout) apply(dst, src []float32, row, width, column int) {
	if l == nil || !l.c.Train || l.P == 0 {
		return
	}
	b := l.c.Batch
	token := uint64(b.Samples[row/b.SeqLen])*uint64(b.SeqLen) + uint64(row%b.SeqLen)
	kernel.Dropout(dst, src, l.P, l.key, token*uint64(width)+uint64(column))
}

// backward returns the gradient by what was dropped: d itself without dropout, else
// a temporary.
func (l *Dropout) backward(c *Context, d tensor.Tensor) tensor.Tensor {
	if l == nil || !c.Train || l.P == 0 {
		return d
	}
	l.begin(c)
	l.dIn, l.dOut = c.Temp.New(tensor.F32, d.Rows, d.Cols), d
	c.Pool.For(d.Rows, rowGrain(d.Cols), l.rows)
	return l.dIn
}
