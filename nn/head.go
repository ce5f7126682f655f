package nn

import (
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/tensor"
)

// headBytes bounds the logits that exist at a time. Larger chunks share the packing
// of the weight among more rows: 512 rows at 50,000 tokens lose 1% to it.
const headBytes = 104 << 20

// Head is the output projection fused with the cross-entropy: logits = in W^T,
// soft-capped if Softcap > 0 (arXiv 2408.00118), loss = log(sum exp(logits)) -
// logits[target]. Tokens go through in chunks, so that the logits of a batch
// never exist at once. It saves nothing: Loss goes forward and backward.
type Head struct {
	V, C    int
	Weight  *Param // V x C
	Softcap float32

	logits   tensor.Tensor // chunk x V
	losses   []float32
	targets  []int32
	coef     float32
	backward bool
	slots    [1][2]tensor.Tensor
	rows     func(worker, lo, hi int)
	round    func(worker, lo, hi int)
}

// NewHead returns a head over the given weight.
func NewHead(weight *Param, softcap float32) *Head {
	l := &Head{V: weight.Shape[0], C: weight.Shape[1], Weight: weight, Softcap: softcap}
	l.rows = l.entropy
	l.round = func(_, lo, hi int) { roundRows(&l.slots[0], lo, hi) }
	return l
}

// Chunk is the number of rows that go through at a time.
func (l *Head) Chunk(rows int) int {
	chunk := headBytes / 4 / l.V
	if chunk >= rows {
		return rows
	}
	return max(chunk/64*64, 64)
}

// Loss writes the loss of each of in's N rows (N x C, compute type) for its target
// into losses; a negative target gives 0. If dIn is not empty it is overwritten by
// the gradient of coef times the sum of the losses by in (N x C float32), and the
// weight's gradient is added.
func (l *Head) Loss(c *Context, losses []float32, dIn, in tensor.Tensor, targets []int32, coef float32) {
	l.coef, l.backward = coef, !dIn.IsZero()
	chunk := l.Chunk(in.Rows)
	mark := c.Temp.Mark()
	logits := c.Temp.Floats(chunk * l.V)
	inner := c.Temp.Mark()
	for lo := 0; lo < in.Rows; lo += chunk {
		hi := min(lo+chunk, in.Rows)
		x := in.Slice(lo, hi)
		l.logits = tensor.FromF32(logits, hi-lo, l.V)
		l.losses, l.targets = losses[lo:hi], targets[lo:hi]
		l.product(c, l.logits.F32, x)
		c.Pool.For(x.Rows, rowGrain(l.V), l.rows)
		if !l.backward {
			continue
		}
		d := c.compute(l.logits, l.round, &l.slots[0])
		if l.Weight.Grad != nil {
			c.product(kernel.TN, l.V, l.C, x.Rows, d, x, l.Weight.Grad, l.C, !c.First || lo > 0, nil)
		}
		if l.Weight.kept != nil {
			l.Weight.keptBackward(c, dIn.Slice(lo, hi), l.logits)
		} else {
			c.product(kernel.NN, x.Rows, l.C, l.V, d, l.Weight.operand(c), dIn.F32[lo*l.C:hi*l.C], l.C, false, nil)
		}
		c.Temp.Release(inner)
	}
	c.Temp.Release(mark)
}

func (l *Head) entropy(_, lo, hi int) {
	kernel.CrossEntropy(l.losses[lo:hi], l.logits.F32[lo*l.V:hi*l.V], l.targets[lo:hi], hi-lo, l.V, l.V, l.Softcap, l.coef, l.backward)
}

// Logits computes out, N x V float32, from in, N x C in the compute type.
func (l *Head) Logits(c *Context, out, in tensor.Tensor) {
	l.product(c, out.F32, in)
	if l.Softcap > 0 {
		kernel.Scale(out.F32, out.F32, 1/l.Softcap)
		kernel.Tanh(out.F32, out.F32)
		kernel.Scale(out.F32, out.F32, l.Softcap)
	}
}

// product computes the logits of in's rows before the soft cap.
func (l *Head) product(c *Context, logits []float32, in tensor.Tensor) {
	if l.Weight.kept != nil {
		l.Weight.keptProduct(c, in, logits, nil, nil)
		return
	}
	c.product(kernel.NT, in.Rows, l.V, l.C, in, l.Weight.operand(c), logits, l.V, false, nil)
}
