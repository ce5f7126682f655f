package nn

import (
	"fmt"

	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/tensor"
)

// keptRows are neighbouring rows of a parameter, from first on, as a file has them.
type keptRows struct {
	first  int
	panels *kernel.Panels
}

// backwardRows is the number of rows of a kept weight that are float32 at a time.
const backwardRows = 1024

// Keep freezes the parameter, a matrix, and lets it keep its weights as a file has
// them, quantised or half as wide, instead of in Data. The blocks are stacked; they
// are copied, and their types may differ. Layers compute with float32 activations and
// the dequantised weights, which Row gives: the bits are those of float32 weights. It
// panics unless the blocks pass their Check and make up the shape.
func (p *Param) Keep(pool *par.Pool, blocks ...tensor.Blocks) {
	rows := 0
	for _, b := range blocks {
		if err := b.Check(); err != nil {
			panic(fmt.Sprintf("nn: Param.Keep: %s: %v", p.Name, err))
		}
		if len(p.Shape) != 2 || b.Cols != p.Shape[1] {
			panic(fmt.Sprintf("nn: Param.Keep: %s has shape %v, its blocks have %d columns", p.Name, p.Shape, b.Cols))
		}
		rows += b.Rows
	}
	if rows != p.Shape[0] {
		panic(fmt.Sprintf("nn: Param.Keep: %s has shape %v, its blocks have %d rows", p.Name, p.Shape, rows))
	}
	p.Freeze()
	p.Data, p.Half, p.kept = nil, nil, nil
	first := 0
	for len(blocks) > 0 {
		same, rows := 1, blocks[0].Rows
		for same < len(blocks) && blocks[same].Type == blocks[0].Type {
			rows += blocks[same].Rows
			same++
		}
		p.kept = append(p.kept, keptRows{first, kernel.PackPanels(pool, blocks[0].Type, rows, blocks[0].Cols, stacked(blocks[:same]))})
		first, blocks = first+rows, blocks[same:]
	}
}

// stacked returns the rows of blocks one under the other.
func stacked(blocks []tensor.Blocks) func(i int) []byte {
	return func(i int) []byte {
		n := 0
		for i >= blocks[n].Rows {
			i -= blocks[n].Rows
			n++
		}
		return blocks[n].Row(i)
	}
}

// Kept says whether the weights are as Keep left them, and not in Data.
func (p *Param) Kept() bool { return p.kept != nil }

// KeptBytes is the memory of kept weights.
func (p *Param) KeptBytes() int {
	n := 0
	for _, x := range p.kept {
		n += x.panels.Bytes()
	}
	return n
}

// Row writes row i of a matrix, kept or not, as float32.
func (p *Param) Row(dst []float32, i int) {
	if p.kept == nil {
		copy(dst, p.Data[i*p.Shape[1]:(i+1)*p.Shape[1]])
		return
	}
	n := len(p.kept) - 1
	for p.kept[n].first > i {
		n--
	}
	p.kept[n].panels.Row(dst, i-p.kept[n].first)
}

// keptProduct computes out = in W^T, of as many columns as the parameter has rows. Where
// there are several products, first is set to the column where the running one begins.
func (p *Param) keptProduct(c *Context, in tensor.Tensor, out []float32, epi *kernel.Epilogue, first *int) {
	mark := c.Temp.Mark()
	x, n := c.widened(in), p.Shape[0]
	var bias []float32
	if epi != nil {
		bias = epi.Bias
	}
	for _, rows := range p.kept {
		if first != nil {
			*first = rows.first
		}
		if bias != nil {
			epi.Bias = bias[rows.first:]
		}
		c.Gemm.GemmPanels(in.Rows, kernel.MatF32{Data: x, Stride: in.Cols}, rows.panels, kernel.MatF32{Data: out[rows.first:], Stride: n}, epi)
	}
	c.Temp.Release(mark)
}

// keptBackward computes dIn = dOut W: chains over W's rows, some of which are float32 at
// a time.
func (p *Param) keptBackward(c *Context, dIn, dOut tensor.Tensor) {
	n, cols := p.Shape[0], p.Shape[1]
	mark := c.Temp.Mark()
	w := c.Temp.Floats(min(n, backwardRows) * cols)
	for lo := 0; lo < n; lo += backwardRows {
		hi := min(lo+backwardRows, n)
		c.Pool.For(hi-lo, 16, func(_, a, b int) {
			for i := a; i < b; i++ {
				p.Row(w[i*cols:(i+1)*cols], lo+i)
			}
		})
		c.Gemm.Gemm(kernel.NN, dIn.Rows, cols, hi-lo, kernel.MatF32{Data: dOut.F32[lo:], Stride: n}, kernel.MatF32{Data: w, Stride: cols},
			kernel.MatF32{Data: dIn.F32, Stride: cols}, lo > 0, nil)
	}
	c.Temp.Release(mark)
}

// widened is x as float32, in a temporary if it is not.
func (c *Context) widened(x tensor.Tensor) []float32 {
	if x.DType == tensor.F32 {
		return x.F32
	}
	out := c.Temp.Floats(x.Len())
	kernel.WidenBF16(out, x.BF16[:x.Len()])
	return out
}
