package nn

import (
	"math"
	"testing"

	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/internal/rng"
	"github.com/aries-serpent/codexml/tensor"
)

// layer is a layer under test: what it computes and, in float64, what it should.
type layer struct {
	rows, in, out int
	params        []*Param
	forward       func(c *Context, out, in tensor.Tensor)
	backward      func(c *Context, dIn, dOut tensor.Tensor)
	reference     func(x matrix, w []matrix) matrix
}

// fill draws normal values.
func fill(x []float32, stream uint64, scale float32) {
	key := rng.Key{Seed: 7, Stream: 1000 + stream}
	for i := range x {
		x[i] = scale * float32(rng.Float64(key, uint64(i))*2-1)
	}
}

// documents is a batch of two rows with several documents, one of a single slot.
func documents() *Batch {
	return &Batch{Rows: 2, SeqLen: 10, Samples: []int64{0, 1}, Segments: []Segment{{0, 6}, {6, 1}, {7, 3}, {10, 10}}}
}

func newTestContext(t *testing.T, dtype tensor.DType, b *Batch) *Context {
	pool := par.New(3)
	t.Cleanup(pool.Close)
	c := NewContext(pool, dtype, 1<<20, 1<<20)
	c.First, c.StepSlots = true, b.Slots()
	c.SetBatch(b)
	return c
}

// check compares forward with the reference, and backward with its differences.
func (l layer) check(t *testing.T) {
	t.Helper()
	b := documents()
	c := newTestContext(t, tensor.F32, b)
	in, out := make([]float32, l.rows*l.in), make([]float32, l.rows*l.out)
	dIn, dOut := make([]float32, len(in)), make([]float32, len(out))
	fill(in, 1, 1)
	fill(dOut, 2, 1)
	w := make([]matrix, len(l.params))
	for i, p := range l.params {
		fill(p.Data, uint64(10+i), 0.7)
		fill(p.Grad, uint64(20+i), 1) // of the step before: the first batch starts anew
		w[i] = widen(p.Data)
	}
	x := widen(in)
	l.forward(c, tensor.FromF32(out, l.rows, l.out), tensor.FromF32(in, l.rows, l.in))
	near(t, "out", out, l.reference(x, w), 2e-6)

	l.backward(c, tensor.FromF32(dIn, l.rows, l.in), tensor.FromF32(append([]float32(nil), dOut...), l.rows, l.out))
	loss := func() float64 {
		sum := 0.0
		for i, y := range l.reference(x, w) {
			sum += y * float64(dOut[i])
		}
		return sum
	}
	near(t, "dIn", dIn, differences(x, loss), 2e-5)
	for i, p := range l.params {
		if p.Group == GroupVector {
			p.FinishGrad()
		}
		near(t, "d"+p.Name, p.Grad, differences(w[i], loss), 2e-5)
	}
}

func widen(x []float32) matrix {
	y := make(matrix, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// differences is the gradient of loss by x.
func differences(x matrix, loss func() float64) matrix {
	const h = 1e-5
	d := make(matrix, len(x))
	for i, v := range x {
		x[i] = v + h
		up := loss()
		x[i] = v - h
		d[i] = (up - loss()) / (2 * h)
		x[i] = v
	}
	return d
}

// near wants got within tolerance times the largest of want.
func near(t *testing.T, name string, got []float32, want matrix, tolerance float64) {
	t.Helper()
	largest := 0.1
	for _, v := range want {
		largest = max(largest, math.Abs(v))
	}
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", name, len(got), len(want))
	}
	for i, v := range got {
		if !(math.Abs(float64(v)-want[i]) <= tolerance*largest) {
			t.Errorf("%s[%d] = %v, want %v (largest %v)", name, i, v, want[i], largest)
			return
		}
	}
}

func TestLinear(t *testing.T) {
	w, b := NewParam("w", GroupMatrix, 7, 13), NewParam("b", GroupVector, 7)
	l := NewLinear(w, b)
	layer{rows: 20, in: 13, out: 7, params: []*Param{w, b}, backward: l.Backward,
		forward:   func(c *Context, out, in tensor.Tensor) { l.Forward(c, out, in, tensor.Tensor{}) },
		reference: func(x matrix, w []matrix) matrix { return refLinear(x, w[0], w[1], 13, 7) },
	}.check(t)
}

func TestLinearOnAResidual(t *testing.T) {
	w := NewParam("w", GroupMatrix, 5, 6)
	l := NewLinear(w, nil)
	residual := make([]float32, 20*5)
	fill(residual, 3, 1)
	layer{rows: 20, in: 6, out: 5, params: []*Param{w}, backward: l.Backward,
		forward: func(c *Context, out, in tensor.Tensor) { l.Forward(c, out, in, tensor.FromF32(residual, 20, 5)) },
		reference: func(x matrix, w []matrix) matrix {
			y := refLinear(x, w[0], nil, 6, 5)
			for i := range y {
				y[i] += float64(residual[i])
			}
			return y
		},
	}.check(t)
}

func TestNorm(t *testing.T) {
	for name, rms := range map[string]bool{"layernorm": false, "rmsnorm": true} {
		t.Run(name, func(t *testing.T) {
			for _, learned := range []bool{false, true} {
				var params []*Param
				var gain, bias *Param
				if learned {
					gain = NewParam("gain", GroupVector, 19)
					params = append(params, gain)
					if !rms {
						bias = NewParam("bias", GroupVector, 19)
						params = append(params, bias)
					}
				}
				l := NewNorm(19, rms, 1e-5, gain, bias)
				layer{rows: 20, in: 19, out: 19, params: params, forward: l.Forward,
					backward: func(c *Context, dIn, dOut tensor.Tensor) { l.Backward(c, dIn, dOut, false) },
					reference: func(x matrix, w []matrix) matrix {
						return refNorm(x, at(w, 0), at(w, 1), 19, rms, 1e-5)
					},
				}.check(t)
			}
		})
	}
}

// at is w[i], or nil where there is none.
func at(w []matrix, i int) matrix {
	if i < len(w) {
		return w[i]
	}
	return nil
}

func TestActivation(t *testing.T) {
	for name := range refActivations {
		t.Run(name, func(t *testing.T) {
			l := NewActivation(name, 11)
			layer{rows: 20, in: l.Inputs(), out: 11, forward: l.Forward, backward: l.Backward,
				reference: func(x matrix, _ []matrix) matrix { return refActivation(name, x, 11, l.Inputs() == 22) },
			}.check(t)
		})
	}
}

func TestHeadPrep(t *testing.T) {
	const heads, kv, dim, cols = 4, 2, 6, (4 + 2*2) * 6
	positions := newTestContext(t, tensor.F32, documents()).Positions
	for name, norm := range map[string]bool{"rotated": false, "normalised and rotated": true} {
		t.Run(name, func(t *testing.T) {
			l := NewHeadPrep(heads, kv, dim)
			l.Rotary, l.Norm, l.Eps = NewRotary(dim, 10000), norm, 1e-5
			var params []*Param
			if norm {
				l.QGain, l.KGain = NewParam("q", GroupVector, dim), NewParam("k", GroupVector, dim)
				params = []*Param{l.QGain, l.KGain}
			}
			layer{rows: 20, in: cols, out: (heads + kv) * dim, params: params, forward: l.Forward,
				backward: func(c *Context, dIn, dOut tensor.Tensor) {
					for r := range dIn.Rows {
						copy(dIn.F32[r*cols:], dOut.F32[r*dOut.Cols:(r+1)*dOut.Cols])
					}
					l.Backward(c, dIn)
				},
				reference: func(x matrix, w []matrix) matrix {
					var y matrix
					for r := range 20 {
						row := x[r*cols : r*cols+(heads+kv)*dim]
						if norm {
							row = append(refNorm(row[:heads*dim], w[0], nil, dim, true, 1e-5), refNorm(row[heads*dim:], w[1], nil, dim, true, 1e-5)...)
						}
						y = append(y, row...)
					}
					return refRotate(y, (heads+kv)*dim, heads+kv, dim, positions, 10000)
				},
			}.check(t)
		})
	}
}

func TestAttention(t *testing.T) {
	const heads, kv, dim = 4, 2, 6
	for name, set := range map[string]func(l *Attention){
		"causal":  func(*Attention) {},
		"windows": func(l *Attention) { l.Window = 3 },
		"capped":  func(l *Attention) { l.Softcap = 0.9 },
	} {
		t.Run(name, func(t *testing.T) {
			l := NewAttention(heads, kv, dim)
			set(l)
			layer{rows: 20, in: (heads + 2*kv) * dim, out: heads * dim, backward: l.Backward,
				forward: func(c *Context, out, in tensor.Tensor) {
					l.Forward(c, out, Heads{Tensor: in}, Heads{Tensor: in, Offset: heads * dim}, Heads{Tensor: in, Offset: (heads + kv) * dim})
				},
				reference: func(x matrix, _ []matrix) matrix {
					return refAttention(x, heads, kv, dim, documents().Segments, float64(l.Scale), float64(l.Softcap), l.Window)
				},
			}.check(t)
		})
	}
}

func TestEmbedding(t *testing.T) {
	const vocab, cols = 9, 5
	tokens, positions := NewParam("tokens", GroupEmbedding, vocab, cols), NewParam("positions", GroupEmbedding, 10, cols)
	l := NewEmbedding(tokens, positions, false)
	b := documents()
	for i := range b.Slots() {
		b.Tokens = append(b.Tokens, int32(i*i%vocab))
	}
	layer{rows: 20, in: 0, out: cols, params: []*Param{tokens, positions},
		forward: func(c *Context, out, _ tensor.Tensor) {
			c.SetBatch(b)
			l.Forward(c, out)
		},
		backward: func(c *Context, _, dOut tensor.Tensor) {
			l.Backward(c, dOut)
			l.FinishGrad(c)
		},
		reference: func(_ matrix, w []matrix) matrix {
			var y matrix
			for _, s := range b.Segments {
				for p := range int(s.Len) {
					for j := range cols {
						y = append(y, w[0][int(b.Tokens[int(s.Start)+p])*cols+j]+w[1][p*cols+j])
					}
				}
			}
			return y
		},
	}.check(t)
}

func TestHeadLoss(t *testing.T) {
	const vocab, cols, rows = 23, 6, 20
	for name, softcap := range map[string]float32{"plain": 0, "capped": 1.5} {
		t.Run(name, func(t *testing.T) {
			weight := NewParam("weight", GroupHead, vocab, cols)
			l := NewHead(weight, softcap)
			targets := make([]int32, rows)
			for i := range targets {
				targets[i] = int32(i*7%(vocab+1)) - 1 // one is masked
			}
			c := newTestContext(t, tensor.F32, documents())
			in, dIn, losses := make([]float32, rows*cols), make([]float32, rows*cols), make([]float32, rows)
			fill(in, 1, 1)
			fill(weight.Data, 2, 0.7)
			l.Loss(c, losses, tensor.FromF32(dIn, rows, cols), tensor.FromF32(in, rows, cols), targets, 0.25)
			x, w := widen(in), widen(weight.Data)
			near(t, "losses", losses, refCrossEntropy(x, w, cols, vocab, targets, float64(softcap)), 2e-6)
			loss := func() float64 {
				sum := 0.0
				for _, v := range refCrossEntropy(x, w, cols, vocab, targets, float64(softcap)) {
					sum += 0.25 * v
				}
				return sum
			}
			near(t, "dIn", dIn, differences(x, loss), 2e-5)
			near(t, "dWeight", weight.Grad, differences(w, loss), 2e-5)
		})
	}
}
