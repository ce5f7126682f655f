package model

import (
	"github.com/aries-serpent/codexml/nn"
	"github.com/aries-serpent/codexml/tensor"
)

// Memory is what a training step of a model takes, in bytes. The optimiser's state
// is not in it.
type Memory struct {
	Weights     int // float32 masters, and the bfloat16 copies in bfloat16 mode
	Gradients   int
	Activations int // saved for the backward pass
	Temporaries int // of the backward pass
	Head        int // a chunk of logits
}

// Total is the sum of all parts.
func (m Memory) Total() int {
	return m.Weights + m.Gradients + m.Activations + m.Temporaries + m.Head
}

// Plan implements Model. It follows the allocations of Block and Head.
func (t *Transformer) Plan(rows, seqLen int, dtype tensor.DType) Memory {
	var m Memory
	for _, p := range t.params {
		m.Weights += 4 * p.Len()
		m.Gradients += 4 * len(p.Grad)
		if dtype == tensor.BF16 {
			m.Weights += 2 * p.Len()
		}
	}
	m.Gradients += 4 * t.cfg.DModel * min(rows*seqLen, t.cfg.VocabSize) // the embedding's rows
	n, size, b := rows*seqLen, dtype.Size(), t.Blocks[0]
	stream := 4 * n * t.cfg.DModel
	saved, held := b.sizes(n, size)
	m.Activations = stream*(1+len(t.Blocks)) + n*(size*t.cfg.DModel+8)
	if t.EmbedNorm != nil {
		m.Activations += stream
	}
	switch t.recompute {
	case RecomputeNone:
		m.Activations += len(t.Blocks) * (saved + held)
	case RecomputeCheap:
		m.Activations += len(t.Blocks) * saved
	case RecomputeBlock:
		m.Activations += saved + held
	}
	m.Temporaries = 2*stream + b.temporaries(n, size, t.recompute == RecomputeCheap)
	m.Head = t.Head.Chunk(n) * t.cfg.VocabSize * 4
	if dtype == tensor.BF16 {
		m.Head = m.Head * 3 / 2
	}
	m.Head = max(0, m.Head-(m.Temporaries-2*stream)) // the two are never there together
	return m
}

// sizes returns the bytes that a block saves for n slots, and those that it may
// compute again instead.
func (b *Block) sizes(n, size int) (saved, held int) {
	p := b.Prep
	saved = size*(b.QKV.Out+b.Out.In+b.Up.Out) + 4*b.Out.Out + 8*p.H // qkv, att, pre, mid, maxima and sums
	held = size * (b.QKV.In + b.Up.In + b.Down.In)
	if p.Norm {
		saved += 4 * (p.H + p.K)
		held += size * (p.H + p.K) * p.D
	}
	saved += 2 * statistics(b.Norm1)
	if b.Post1 != nil { // both branches and their statistics
		saved += 4*b.Out.Out + 4*b.Down.Out + 2*statistics(b.Post1)
	}
	return n * saved, n * held
}

func statistics(norm *nn.Norm) int {
	if norm.RMS {
		return 4
	}
	return 8
}

// temporaries is the peak of a block's backward pass, beside the gradient of the
// residual stream.
func (b *Block) temporaries(n, size int, cheap bool) int {
	half := 0 // a bfloat16 copy of a gradient that enters a product
	if size == 2 {
		half = 2
	}
	again := func(cols int) int {
		if cheap {
			return size * cols
		}
		return 0
	}
	gate := 0
	if b.Up.Out != b.Down.In {
		gate = 4 * b.Down.In
	}
	post := 0 // the gradient by a branch before its second norm
	if b.Post1 != nil {
		post = 4 * b.Out.Out
	}
	down := again(b.Down.In) + gate + post + half*b.Down.Out
	up := again(b.Up.In) + 4*b.Up.In + half*b.Up.Out
	feed := 4*b.Up.Out + max(down, up)
	qk := 0
	if b.Prep.Norm {
		qk = again((b.Prep.H + b.Prep.K) * b.Prep.D)
	}
	attention := 4*b.Out.In + max(post+half*b.Out.Out, qk+4*b.Prep.H+half*b.Out.In)
	qkv := again(b.QKV.In) + 4*b.QKV.In + half*b.QKV.Out
	return n * max(feed, 4*b.QKV.Out+max(attention, qkv))
}
