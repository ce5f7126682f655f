package nn

import (
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/tensor"
)

// Embedding maps tokens to rows of a V x C table, times Scale where that is set, and
// adds a learned position's row where there is a table of positions. It saves
// nothing but the batch.
//
// The gradient of a row is one chain over the step's tokens in data order. Rows
// that a step touches are summed apart and folded in once at its end, since the
// output head may share the table.
type Embedding struct {
	C         int
	Tokens    *Param // V x C
	Positions *Param // P x C, or nil
	Tied      bool   // the head shares Tokens and has its own chain in Tokens.Grad
	Drop      *Dropout
	Scale     float32 // of the tokens' rows, unless it is 0

	slot    []int32   // per token: 1 + its row in sums, 0 if untouched
	touched []int32   // token of each row in sums
	sums    []float32 // touched x C

	out, dOut tensor.Tensor
	c         *Context
	forward   func(worker, lo, hi int)
	backward  func(worker, lo, hi int)
	fold      func(worker, lo, hi int)
}

// NewEmbedding returns a layer over the given tables; positions may be nil.
func NewEmbedding(tokens, positions *Param, tied bool) *Embedding {
	l := &Embedding{C: tokens.Shape[1], Tokens: tokens, Positions: positions, Tied: tied, slot: make([]int32, tokens.Shape[0])}
	l.forward, l.backward, l.fold = l.gather, l.scatter, l.foldRows
	return l
}

// Forward computes out, N x C float32, for the context's batch.
func (l *Embedding) Forward(c *Context, out tensor.Tensor) {
	l.out, l.c = out, c
	l.Drop.begin(c)
	c.Pool.For(out.Rows, rowGrain(l.C), l.forward)
}

func (l *Embedding) gather(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		out, token := l.out.F32[i*l.C:(i+1)*l.C], int(l.c.Batch.Tokens[i])
		l.Tokens.Row(out, token)
		if l.Scale != 0 {
			kernel.Scale(out, out, l.Scale)
		}
		if l.Positions != nil {
			p := int(l.c.Positions[i]) * l.C
			kernel.Add(out, out, l.Positions.Data[p:p+l.C])
		}
		l.Drop.apply(out, out, i, l.C, 0)
	}
}

// Backward adds the gradients of the tables. dOut, N x C float32, is overwritten
// where there is dropout.
func (l *Embedding) Backward(c *Context, dOut tensor.Tensor) {
	if l.Tokens.Grad == nil {
		return
	}
	l.dOut, l.c = dOut, c
	if c.First {
		l.begin(c)
	}
	for _, token := range c.Batch.Tokens {
		if l.slot[token] == 0 {
			l.touched = append(l.touched, token)
			l.slot[token] = int32(len(l.touched))
			clear(l.sums[(len(l.touched)-1)*l.C : len(l.touched)*l.C])
		}
	}
	c.Pool.For(l.C, columnGrain, l.backward)
}

// begin forgets the rows of the step before.
func (l *Embedding) begin(c *Context) {
	for _, token := range l.touched {
		l.slot[token] = 0
	}
	if most := min(max(c.StepSlots, c.Batch.Slots()), len(l.slot)); cap(l.touched) < most {
		l.touched, l.sums = make([]int32, 0, most), make([]float32, most*l.C)
	}
	l.touched = l.touched[:0]
	if l.Positions != nil {
		clear(l.Positions.Grad)
	}
}

// scatter adds columns [lo, hi) of all slots, in order.
func (l *Embedding) scatter(_, lo, hi int) {
	for i, token := range l.c.Batch.Tokens {
		d := l.dOut.F32[i*l.C+lo : i*l.C+hi]
		l.Drop.apply(d, d, i, l.C, lo)
		row := int(l.slot[token]-1) * l.C
		kernel.Add(l.sums[row+lo:row+hi], l.sums[row+lo:row+hi], d)
		if l.Positions != nil {
			p := int(l.c.Positions[i]) * l.C
			kernel.Add(l.Positions.Grad[p+lo:p+hi], l.Positions.Grad[p+lo:p+hi], d)
		}
	}
}

// FinishGrad folds the step's rows into the gradient of the tokens' table, once
// per step: added to the head's where it is tied.
func (l *Embedding) FinishGrad(c *Context) {
	if l.Tokens.Grad == nil {
		return
	}
	if !l.Tied {
		clear(l.Tokens.Grad)
	}
	c.Pool.For(len(l.touched), rowGrain(l.C), l.fold)
}

func (l *Embedding) foldRows(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		token := int(l.touched[i]) * l.C
		d := l.Tokens.Grad[token : token+l.C]
		if sums := l.sums[i*l.C : (i+1)*l.C]; l.Scale != 0 {
			kernel.Axpy(d, sums, l.Scale)
		} else {
			kernel.Add(d, d, sums)
		}
	}
}
