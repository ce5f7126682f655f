package nn

import (
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/tensor"
)

// Activation is the nonlinearity of a feed-forward layer of F channels. A plain
// one maps N x F to N x F. A gated one (arXiv 2002.05202) takes N x 2F, the gate's
// F channels first, and gives act(gate) * up. It saves in.
type Activation struct {
	F        int
	plain    *plainKernels
	gated    *gatedKernels
	in       tensor.Tensor // saved
	out      tensor.Tensor
	dIn      tensor.Tensor
	dOut     tensor.Tensor
	c        *Context
	forward  func(worker, lo, hi int)
	backward func(worker, lo, hi int)
}

type plainKernels struct {
	forward  func(out, in []float32)
	backward func(dIn, dOut, in []float32)
}

type gatedKernels struct {
	forward  func(out, gate, up []float32)
	backward func(dGate, dUp, dOut, gate, up []float32)
}

var plainActivations = map[string]plainKernels{
	"gelu":      {kernel.GELUErfForward, kernel.GELUErfBackward},
	"gelu_tanh": {kernel.GELUTanhForward, kernel.GELUTanhBackward},
	"relu2":     {kernel.ReLUSquaredForward, kernel.ReLUSquaredBackward},
	"silu":      {kernel.SiLUForward, kernel.SiLUBackward},
}

var gatedActivations = map[string]gatedKernels{
	"geglu":  {kernel.GeGLUTanhForward, kernel.GeGLUTanhBackward},
	"swiglu": {kernel.SwiGLUForward, kernel.SwiGLUBackward},
}

// NewActivation returns the activation of that name: gelu, gelu_tanh, relu2, silu,
// geglu or swiglu. It panics on any other.
func NewActivation(name string, channels int) *Activation {
	l := &Activation{F: channels}
	if k, ok := plainActivations[name]; ok {
		l.plain, l.forward, l.backward = &k, l.plainForward, l.plainBackward
	} else if k, ok := gatedActivations[name]; ok {
		l.gated, l.forward, l.backward = &k, l.gatedForward, l.gatedBackward
	} else {
		panic("nn: NewActivation: unknown activation " + name)
	}
	return l
}

// Inputs is the number of channels that the layer takes: F, or 2F if it is gated.
func (l *Activation) Inputs() int {
	if l.gated != nil {
		return 2 * l.F
	}
	return l.F
}

// Forward computes out, N x F, from in, N x Inputs(), both in the compute type.
func (l *Activation) Forward(c *Context, out, in tensor.Tensor) {
	l.in, l.out, l.c = in, out, c
	c.Pool.For(in.Rows, rowGrain(l.Inputs()), l.forward)
}

func (l *Activation) plainForward(worker, lo, hi int) {
	a, b := lo*l.F, hi*l.F
	buf := l.buffers(worker, 2, b-a)
	out := place(l.out, a, b, buf)
	l.plain.forward(out, load(l.in, a, b, tail(buf, b-a)))
	commit(l.out, a, b, out)
}

func (l *Activation) gatedForward(worker, lo, hi int) {
	buf := l.buffers(worker, 3, l.F)
	for r := lo; r < hi; r++ {
		a, in := r*l.F, 2*r*l.F
		out := place(l.out, a, a+l.F, buf)
		l.gated.forward(out, load(l.in, in, in+l.F, tail(buf, l.F)), load(l.in, in+l.F, in+2*l.F, tail(buf, 2*l.F)))
		commit(l.out, a, a+l.F, out)
	}
}

// Backward overwrites dIn, N x Inputs() float32, from dOut, N x F float32. For a
// plain activation they may be the same.
func (l *Activation) Backward(c *Context, dIn, dOut tensor.Tensor) {
	l.dIn, l.dOut, l.c = dIn, dOut, c
	c.Pool.For(dOut.Rows, rowGrain(l.Inputs()), l.backward)
}

func (l *Activation) plainBackward(worker, lo, hi int) {
	a, b := lo*l.F, hi*l.F
	l.plain.backward(l.dIn.F32[a:b], l.dOut.F32[a:b], load(l.in, a, b, l.buffers(worker, 1, b-a)))
}

func (l *Activation) gatedBackward(worker, lo, hi int) {
	buf := l.buffers(worker, 2, l.F)
	for r := lo; r < hi; r++ {
		a, in := r*l.F, 2*r*l.F
		gate, up := load(l.in, in, in+l.F, buf), load(l.in, in+l.F, in+2*l.F, tail(buf, l.F))
		l.gated.backward(l.dIn.F32[in:in+l.F], l.dIn.F32[in+l.F:in+2*l.F], l.dOut.F32[a:a+l.F], gate, up)
	}
}

// buffers returns k times n floats of the worker's in bfloat16 mode, else nothing.
func (l *Activation) buffers(worker, k, n int) []float32 {
	if l.in.DType == tensor.F32 {
		return nil
	}
	return l.c.scratch(worker, k*n)
}

// tail is buf from n on, or nothing where there is none.
func tail(buf []float32, n int) []float32 { return buf[min(n, len(buf)):] }
