// Package nn holds the layers: one file each, with Forward above Backward, the
// formula, and what is saved between the two. Layers know no files and no
// configuration. They are built once and used by one goroutine at a time, which
// spreads the work over the Context's pool; a step allocates nothing once warm,
// since every func handed to the pool is made when the layer is.
//
// Sizes: N token slots of a batch, C channels, H heads, K key-value heads, D
// channels of a head, F feed-forward channels, V vocabulary.
//
// Parameter gradients accumulate in data order, and the first batch of a step
// starts them (Context.First). Activation gradients overwrite unless said otherwise.
package nn

import (
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/tensor"
)

// Segment is a document in a batch: Len token slots from slot Start on. Attention
// and positions do not cross it.
type Segment struct{ Start, Len int32 }

// Batch is the input of a forward pass: Rows sequences of SeqLen slots each.
type Batch struct {
	Rows, SeqLen int
	Tokens       []int32
	Targets      []int32   // the token to predict at each slot; negative: none
	Segments     []Segment // every slot is in exactly one
	Samples      []int64   // number of each row in the whole training, for dropout
}

// Slots is the number of token slots.
func (b *Batch) Slots() int { return b.Rows * b.SeqLen }

// Context is what layers need beside their operands.
type Context struct {
	Pool  *par.Pool
	Gemm  *kernel.Gemmer
	Saved *tensor.Arena // what the backward pass needs; the model resets it
	Temp  *tensor.Arena // temporaries: who takes them gives them back
	DType tensor.DType  // of matrix-product inputs and saved activations

	Train     bool   // dropout is on
	Seed      uint64 // of the run
	Step      uint64
	StepSlots int  // slots of the whole optimiser step
	First     bool // this batch starts the step's parameter gradients
	Batch     *Batch
	Positions []int32 // of each slot in its document; set by SetBatch

	worker [][]float32
}

// NewContext returns a context for the given pool, with room for that many bytes
// of saved activations and of temporaries at first.
func NewContext(pool *par.Pool, dtype tensor.DType, savedBytes, tempBytes int) *Context {
	return &Context{
		Pool: pool, Gemm: kernel.NewGemmer(pool), Saved: tensor.NewArena(savedBytes), Temp: tensor.NewArena(tempBytes),
		DType: dtype, worker: make([][]float32, pool.Threads()),
	}
}

// SetBatch makes b the batch of the next passes.
func (c *Context) SetBatch(b *Batch) {
	c.Batch = b
	if n := b.Slots(); cap(c.Positions) < n {
		c.Positions = make([]int32, n)
	}
	c.Positions = c.Positions[:b.Slots()]
	for _, s := range b.Segments {
		for i := range s.Len {
			c.Positions[s.Start+i] = i
		}
	}
}

// scratch returns n floats that belong to a worker until its piece of work ends.
func (c *Context) scratch(worker, n int) []float32 {
	if cap(c.worker[worker]) < n {
		c.worker[worker] = make([]float32, n)
	}
	return c.worker[worker][:n]
}

// product computes C = op(A) op(B), adding to C if accumulate, by the rule of the
// operands' type. Row strides are those of whole tensors.
func (c *Context) product(form kernel.Form, m, n, k int, a, b tensor.Tensor, out []float32, stride int, accumulate bool, epi *kernel.Epilogue) {
	dst := kernel.MatF32{Data: out, Stride: stride}
	if a.DType == tensor.BF16 {
		c.Gemm.GemmBF16(form, m, n, k, kernel.MatBF16{Data: a.BF16, Stride: a.Cols}, kernel.MatBF16{Data: b.BF16, Stride: b.Cols}, dst, accumulate, epi)
		return
	}
	c.Gemm.Gemm(form, m, n, k, kernel.MatF32{Data: a.F32, Stride: a.Cols}, kernel.MatF32{Data: b.F32, Stride: b.Cols}, dst, accumulate, epi)
}

// compute returns x in the type of matrix products, rounding it into a
// temporary if it is not.
func (c *Context) compute(x tensor.Tensor, round func(worker, lo, hi int), slot *[2]tensor.Tensor) tensor.Tensor {
	if x.DType == c.DType {
		return x
	}
	slot[0], slot[1] = c.Temp.New(c.DType, x.Rows, x.Cols), x
	c.Pool.For(x.Rows, rowGrain(x.Cols), round)
	return slot[0]
}

// rowGrain is the number of rows of the given width in a piece of work: about
// 64 KiB, so that what a piece touches stays in the cache.
func rowGrain(cols int) int { return max(1, (1<<14)/max(cols, 1)) }

// load returns elements [lo, hi) of a row-major tensor as float32: in place, or
// widened into buf.
func load(t tensor.Tensor, lo, hi int, buf []float32) []float32 {
	if t.DType == tensor.F32 {
		return t.F32[lo:hi]
	}
	buf = buf[:hi-lo]
	kernel.WidenBF16(buf, t.BF16[lo:hi])
	return buf
}

// place returns where to compute elements [lo, hi) of t: in place, or in buf.
// commit rounds them into t if they are in buf.
func place(t tensor.Tensor, lo, hi int, buf []float32) []float32 {
	if t.DType == tensor.F32 {
		return t.F32[lo:hi]
	}
	return buf[:hi-lo]
}

func commit(t tensor.Tensor, lo, hi int, x []float32) {
	if t.DType == tensor.BF16 {
		kernel.RoundBF16(t.BF16[lo:hi], x)
	}
}
