package nn

import (
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/tensor"
)

// Rotary holds the cosines and sines of rotary positions (arXiv 2104.09864),
// position by position, D/2 each. The table grows with the positions that are
// asked for: a long context costs nothing until it is used. What it holds does not
// depend on how it grew.
type Rotary struct {
	D        int
	inverse  []float32 // D/2 inverse frequencies
	scale    float32   // of cosines and sines
	cos, sin []float32
}

// NewRotary returns the table for heads of dim channels: angle = float32(position *
// float32(theta^(-2i/dim))), which is how transformers rounds it.
func NewRotary(dim int, theta float64) *Rotary {
	return NewRotaryOf(InverseFrequencies(dim, theta), 1)
}

// NewRotaryOf returns the table of given inverse frequencies, half as many as a
// head has channels. scale multiplies cosines and sines, and so the scores by its
// square.
func NewRotaryOf(inverse []float32, scale float32) *Rotary {
	return &Rotary{D: 2 * len(inverse), inverse: inverse, scale: scale}
}

// InverseFrequencies are 1/float32(theta^(2i/dim)) for i < dim/2.
func InverseFrequencies(dim int, theta float64) []float32 {
	inverse := make([]float32, dim/2)
	for i := range inverse {
		inverse[i] = 1 / float32(kernel.Pow64(theta, float64(float32(2*i)/float32(dim))))
	}
	return inverse
}

// rotaryGrowth is the number of positions that a table grows by at the least.
const rotaryGrowth = 256

// reach makes the table hold positions up to the largest of the given ones.
func (t *Rotary) reach(positions []int32) {
	most := int32(-1)
	for _, p := range positions {
		most = max(most, p)
	}
	half := len(t.inverse)
	have := len(t.cos) / half
	if int(most) < have {
		return
	}
	want := max(int(most)+1, have+rotaryGrowth, have+have/2)
	cos, sin := make([]float32, want*half), make([]float32, want*half)
	copy(cos, t.cos)
	copy(sin, t.sin)
	for p := have; p < want; p++ {
		for i, inverse := range t.inverse {
			angle := float64(float32(p) * inverse)
			cos[p*half+i], sin[p*half+i] = t.scale*float32(kernel.Cos64(angle)), t.scale*float32(kernel.Sin64(angle))
		}
	}
	t.cos, t.sin = cos, sin
}

// HeadPrep readies the query and key heads for attention: an optional RMSNorm of
// each head (arXiv 2010.04245), then the rotation of its halves. Values pass by.
// With a norm it saves its input and a reciprocal deviation per head.
type HeadPrep struct {
	H, K, D       int
	Rotary        *Rotary // or nil
	Norm          bool
	Eps           float32
	QGain, KGain  *Param // D each, or nil
	in, out       tensor.Tensor
	d             tensor.Tensor
	rstd          []float32 // N x (H+K), saved
	c             *Context
	forward, back func(worker, lo, hi int)
	unrotate      func(worker, lo, hi int)
	columns       func(worker, lo, hi int)
}

// NewHeadPrep returns the preparation of heads query and kvHeads key heads.
func NewHeadPrep(heads, kvHeads, dim int) *HeadPrep {
	l := &HeadPrep{H: heads, K: kvHeads, D: dim}
	l.forward, l.unrotate, l.back, l.columns = l.forwardRows, l.unrotateRows, l.normRows, l.gainColumns
	return l
}

// Forward computes out, N x (H+K)*D, from the leading columns of in, N x (H+2K)*D,
// both in the compute type. Without a norm out may be in itself.
func (l *HeadPrep) Forward(c *Context, out, in tensor.Tensor) {
	if l.Norm {
		l.rstd = c.Saved.Floats(in.Rows * (l.H + l.K))
	}
	l.in = in
	l.Recompute(c, out)
}

// Recompute computes the output of the last Forward again.
func (l *HeadPrep) Recompute(c *Context, out tensor.Tensor) {
	l.out, l.c = out, c
	if l.Rotary != nil {
		l.Rotary.reach(c.Positions)
	}
	c.Pool.For(l.in.Rows, rowGrain(l.in.Cols), l.forward)
}

func (l *HeadPrep) forwardRows(worker, lo, hi int) {
	width := (l.H + l.K) * l.D
	var buf []float32
	if l.in.DType == tensor.BF16 {
		buf = l.c.scratch(worker, 2*width)
	}
	for i := lo; i < hi; i++ {
		x := load(l.in, i*l.in.Cols, i*l.in.Cols+width, buf)
		out := place(l.out, i*l.out.Cols, i*l.out.Cols+width, tail(buf, width))
		if l.Norm {
			rstd := l.rstd[i*(l.H+l.K) : (i+1)*(l.H+l.K)]
			kernel.RMSNormForward(out[:l.H*l.D], rstd[:l.H], x[:l.H*l.D], data(l.QGain), l.D, l.Eps)
			kernel.RMSNormForward(out[l.H*l.D:], rstd[l.H:], x[l.H*l.D:], data(l.KGain), l.D, l.Eps)
		} else if &out[0] != &x[0] {
			copy(out, x)
		}
		l.rotate(out, i, false)
		commit(l.out, i*l.out.Cols, i*l.out.Cols+width, out)
	}
}

func (l *HeadPrep) rotate(x []float32, row int, inverse bool) {
	if l.Rotary == nil {
		return
	}
	p, half := int(l.c.Positions[row]), l.D/2
	kernel.RoPE(x, l.Rotary.cos[p*half:(p+1)*half], l.Rotary.sin[p*half:(p+1)*half], l.H+l.K, l.D, len(x), inverse)
}

// Backward turns d, N x (H+2K)*D float32, from the gradient by the prepared heads
// into that by the input, in place, and adds the gradients of the gains.
func (l *HeadPrep) Backward(c *Context, d tensor.Tensor) {
	l.d, l.c = d, c
	if l.Rotary != nil {
		c.Pool.For(d.Rows, rowGrain(d.Cols), l.unrotate)
	}
	if !l.Norm {
		return
	}
	if l.QGain != nil && l.QGain.Grad != nil {
		l.QGain.start(c)
		l.KGain.start(c)
		c.Pool.For(l.D, columnGrain, l.columns)
	}
	c.Pool.For(d.Rows, rowGrain(d.Cols), l.back)
}

func (l *HeadPrep) unrotateRows(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		l.rotate(l.d.F32[i*l.d.Cols:i*l.d.Cols+(l.H+l.K)*l.D], i, true)
	}
}

func (l *HeadPrep) normRows(worker, lo, hi int) {
	width, nq := (l.H+l.K)*l.D, l.H*l.D
	buf := l.c.scratch(worker, 2*width)
	for i := lo; i < hi; i++ {
		d, rstd := l.d.F32[i*l.d.Cols:i*l.d.Cols+width], l.rstd[i*(l.H+l.K):(i+1)*(l.H+l.K)]
		x, dOut := load(l.in, i*l.in.Cols, i*l.in.Cols+width, buf), buf[width:]
		copy(dOut, d)
		kernel.RMSNormBackward(d[:nq], dOut[:nq], x[:nq], rstd[:l.H], data(l.QGain), l.D, false)
		kernel.RMSNormBackward(d[nq:], dOut[nq:], x[nq:], rstd[l.H:], data(l.KGain), l.D, false)
	}
}

// gainColumns adds the gains' gradients: chains over (token, head).
func (l *HeadPrep) gainColumns(worker, lo, hi int) {
	width, nq := (l.H+l.K)*l.D, l.H*l.D
	buf := l.c.scratch(worker, width)
	for i := range l.d.Rows {
		d, rstd := l.d.F32[i*l.d.Cols:i*l.d.Cols+width], l.rstd[i*(l.H+l.K):(i+1)*(l.H+l.K)]
		x := load(l.in, i*l.in.Cols, i*l.in.Cols+width, buf)
		kernel.NormGradColumns(l.QGain.chains, nil, d[:nq], x[:nq], nil, rstd[:l.H], l.D, lo, hi)
		kernel.NormGradColumns(l.KGain.chains, nil, d[nq:], x[nq:], nil, rstd[l.H:], l.D, lo, hi)
	}
}
