package model

import (
	"github.com/aries-serpent/codexml/nn"
	"github.com/aries-serpent/codexml/tensor"
)

// Recompute says what the backward pass computes again instead of finding it saved.
type Recompute uint8

const (
	RecomputeNone  Recompute = iota
	RecomputeCheap           // outputs of norms, head preparation and activations
	RecomputeBlock           // whole blocks: only their inputs are saved
)

// Block is a pre-norm transformer block over the residual stream:
//
//	mid = x + Out(Attention(Prep(QKV(Norm1(x)))))
//	out = mid + Down(Act(Up(Norm2(mid))))
//
// With Post1 and Post2 each branch is normalised once more before it is added, as
// in Gemma 2.
type Block struct {
	Norm1, Norm2  *nn.Norm
	Post1, Post2  *nn.Norm // or nil
	QKV, Out      *nn.Linear
	Up, Down      *nn.Linear
	Prep          *nn.HeadPrep
	Attention     *nn.Attention
	Act           *nn.Activation
	x, qkv, qk    tensor.Tensor
	att, mid, pre tensor.Tensor
	recompute     Recompute
}

// Forward computes out, N x C float32, from x, N x C float32, which must stay as it
// is until Backward.
func (b *Block) Forward(c *nn.Context, out, x tensor.Tensor, recompute Recompute) {
	b.x, b.recompute = x, recompute
	if recompute != RecomputeBlock {
		b.forward(c, out)
		return
	}
	saved := c.Saved.Mark()
	b.forward(c, out)
	c.Saved.Release(saved)
}

func (b *Block) forward(c *nn.Context, out tensor.Tensor) {
	n := b.x.Rows
	temp := c.Temp.Mark()
	h := b.hold(c, n, b.QKV.In)
	b.Norm1.Forward(c, h, b.x)
	b.qkv = c.Saved.New(c.DType, n, b.QKV.Out)
	b.QKV.Forward(c, b.qkv, h, tensor.Tensor{})
	c.Temp.Release(temp)
	q, k, v := b.heads(c, b.Prep.Forward)
	b.att = c.Saved.New(c.DType, n, b.Out.In)
	b.Attention.Forward(c, b.att, q, k, v)
	b.mid = c.Saved.New(tensor.F32, n, b.Out.Out)
	b.add(c, b.mid, b.att, b.x, b.Out, b.Post1)
	c.Temp.Release(temp)

	h = b.hold(c, n, b.Up.In)
	b.Norm2.Forward(c, h, b.mid)
	b.pre = c.Saved.New(c.DType, n, b.Up.Out)
	b.Up.Forward(c, b.pre, h, tensor.Tensor{})
	c.Temp.Release(temp)
	a := b.hold(c, n, b.Down.In)
	b.Act.Forward(c, a, b.pre)
	b.add(c, out, a, b.mid, b.Down, b.Post2)
	c.Temp.Release(temp)
}

// add ends a branch: out = residual + post(last(in)).
func (b *Block) add(c *nn.Context, out, in, residual tensor.Tensor, last *nn.Linear, post *nn.Norm) {
	if post == nil {
		last.Forward(c, out, in, residual)
		return
	}
	branch := c.Saved.New(tensor.F32, in.Rows, last.Out)
	last.Forward(c, branch, in, tensor.Tensor{})
	post.ForwardResidual(c, out, branch, residual)
}

// backwardAdd is the backward pass of add: dIn is overwritten, d stays.
func (b *Block) backwardAdd(c *nn.Context, dIn, d tensor.Tensor, last *nn.Linear, post *nn.Norm) {
	mark := c.Temp.Mark()
	if post != nil {
		dBranch := c.Temp.New(tensor.F32, d.Rows, last.Out)
		post.Backward(c, dBranch, d, false)
		d = dBranch
	}
	last.Backward(c, dIn, d)
	c.Temp.Release(mark)
}

// hold returns storage for what is cheap to compute again.
func (b *Block) hold(c *nn.Context, rows, cols int) tensor.Tensor {
	if b.recompute == RecomputeCheap {
		return c.Temp.New(c.DType, rows, cols)
	}
	return c.Saved.New(c.DType, rows, cols)
}

// heads prepares queries and keys: in place unless they are normalised, since that
// needs its input for the backward pass.
func (b *Block) heads(c *nn.Context, prepare func(c *nn.Context, out, in tensor.Tensor)) (q, k, v nn.Heads) {
	p := b.Prep
	b.qk = b.qkv
	if p.Norm {
		b.qk = b.hold(c, b.qkv.Rows, (p.H+p.K)*p.D)
	}
	if p.Norm || p.Rotary != nil {
		prepare(c, b.qk, b.qkv)
	}
	return nn.Heads{Tensor: b.qk}, nn.Heads{Tensor: b.qk, Offset: p.H * p.D}, nn.Heads{Tensor: b.qkv, Offset: (p.H + p.K) * p.D}
}

// Backward turns d, N x C float32, from the gradient by the block's output into
// that by its input, in place, and adds the gradients of the parameters.
func (b *Block) Backward(c *nn.Context, d tensor.Tensor) {
	if b.recompute != RecomputeBlock {
		b.backward(c, d)
		return
	}
	saved, temp := c.Saved.Mark(), c.Temp.Mark()
	b.forward(c, c.Temp.New(tensor.F32, d.Rows, d.Cols))
	c.Temp.Release(temp)
	b.backward(c, d)
	c.Saved.Release(saved)
}

func (b *Block) backward(c *nn.Context, d tensor.Tensor) {
	b.backwardFeedForward(c, d)
	b.backwardAttention(c, d)
}

func (b *Block) backwardFeedForward(c *nn.Context, d tensor.Tensor) {
	n, temp := d.Rows, c.Temp.Mark()
	dPre := c.Temp.New(tensor.F32, n, b.Up.Out)
	inner := c.Temp.Mark()
	if b.recompute == RecomputeCheap {
		a := b.hold(c, n, b.Down.In)
		b.Act.Forward(c, a, b.pre)
		b.Down.SetInput(a)
	}
	dAct := dPre
	if b.Up.Out != b.Down.In { // gated
		dAct = c.Temp.New(tensor.F32, n, b.Down.In)
	}
	b.backwardAdd(c, dAct, d, b.Down, b.Post2)
	b.Act.Backward(c, dPre, dAct)
	c.Temp.Release(inner)
	if b.recompute == RecomputeCheap {
		h := b.hold(c, n, b.Up.In)
		b.Norm2.Recompute(c, h)
		b.Up.SetInput(h)
	}
	dNorm := c.Temp.New(tensor.F32, n, b.Up.In)
	b.Up.Backward(c, dNorm, dPre)
	b.Norm2.Backward(c, d, dNorm, true)
	c.Temp.Release(temp)
}

func (b *Block) backwardAttention(c *nn.Context, d tensor.Tensor) {
	n, temp := d.Rows, c.Temp.Mark()
	dQKV := c.Temp.New(tensor.F32, n, b.QKV.Out)
	inner := c.Temp.Mark()
	dAtt := c.Temp.New(tensor.F32, n, b.Out.In)
	b.backwardAdd(c, dAtt, d, b.Out, b.Post1)
	if b.recompute == RecomputeCheap && b.Prep.Norm {
		q, k, _ := b.heads(c, b.recomputeHeads)
		b.Attention.SetHeads(q, k)
	}
	b.Attention.Backward(c, dQKV, dAtt)
	c.Temp.Release(inner)
	if b.Prep.Norm || b.Prep.Rotary != nil {
		b.Prep.Backward(c, dQKV)
	}
	if b.recompute == RecomputeCheap {
		h := b.hold(c, n, b.QKV.In)
		b.Norm1.Recompute(c, h)
		b.QKV.SetInput(h)
	}
	dNorm := c.Temp.New(tensor.F32, n, b.QKV.In)
	b.QKV.Backward(c, dNorm, dQKV)
	b.Norm1.Backward(c, d, dNorm, true)
	c.Temp.Release(temp)
}

func (b *Block) recomputeHeads(c *nn.Context, out, _ tensor.Tensor) { b.Prep.Recompute(c, out) }

// Cached computes out from x for tokens that continue the documents of caches, one
// for each of the batch's segments.
func (b *Block) Cached(c *nn.Context, out, x tensor.Tensor, caches []*nn.Cache) {
	n := x.Rows
	b.recompute = RecomputeNone
	h := b.hold(c, n, b.QKV.In)
	b.Norm1.Forward(c, h, x)
	b.qkv = c.Saved.New(c.DType, n, b.QKV.Out)
	b.QKV.Forward(c, b.qkv, h, tensor.Tensor{})
	q, k, v := b.heads(c, b.Prep.Forward)
	att := c.Saved.New(c.DType, n, b.Out.In)
	b.Attention.Cached(c, att, q, k, v, caches)
	mid := c.Saved.New(tensor.F32, n, b.Out.Out)
	b.add(c, mid, att, x, b.Out, b.Post1)
	b.Norm2.Forward(c, h, mid)
	pre, a := c.Saved.New(c.DType, n, b.Up.Out), b.hold(c, n, b.Down.In)
	b.Up.Forward(c, pre, h, tensor.Tensor{})
	b.Act.Forward(c, a, pre)
	b.add(c, out, a, mid, b.Down, b.Post2)
}
