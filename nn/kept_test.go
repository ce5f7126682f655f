package nn

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/aries-serpent/codexml/internal/rng"
	"github.com/aries-serpent/codexml/tensor"
)

// halfRows are rows of float16 between -2 and 2.
func halfRows(rows, cols int, stream uint64) tensor.Blocks {
	data := make([]byte, 2*rows*cols)
	for i := range rows * cols {
		binary.LittleEndian.PutUint16(data[2*i:], uint16(rng.Uint32(rng.Key{Seed: 8, Stream: 1000 + stream}, uint64(i)))&0xbfff)
	}
	return tensor.Blocks{Type: tensor.BlockF16, Rows: rows, Cols: cols, Data: data}
}

// smallBlocks are rows of Q8_0 or Q4_1 with scales and minima of any bits under 2.
func smallBlocks(kind tensor.BlockType, rows, cols int, stream uint64) tensor.Blocks {
	size, _ := kind.RowBytes(cols)
	data := make([]byte, rows*size)
	for i := range data {
		data[i] = byte(rng.Uint32(rng.Key{Seed: 9, Stream: 1000 + stream}, uint64(i)))
	}
	block, _ := kind.RowBytes(32)
	for i := 0; i < len(data); i += block {
		data[i+1] &= 0xb3
		data[i+3] &= 0xb3
	}
	return tensor.Blocks{Type: kind, Rows: rows, Cols: cols, Data: data}
}

// A layer whose weights stay in blocks, of several types, computes the bits of a layer
// with the same weights in float32: forward, backward, with bias and residual.
func TestLinearWithKeptWeightsIsALinearWithTheirNumbers(t *testing.T) {
	const in, out = 64, 75
	c := newTestContext(t, tensor.F32, documents())
	n := c.Batch.Slots()
	parts := []tensor.Blocks{smallBlocks(tensor.BlockQ4_1, 40, in, 1), halfRows(8, in, 2), smallBlocks(tensor.BlockQ8_0, 27, in, 3)}
	parts[0].Order = make([]int32, 40)
	for i := range parts[0].Order {
		parts[0].Order[i] = int32(i*7) % 40
	}
	kept, plain := NewParam("w", GroupMatrix, out, in), NewParam("w", GroupMatrix, out, in)
	kept.Keep(c.Pool, parts...)
	if !kept.Kept() || kept.Data != nil || kept.Grad != nil || kept.Len() != out*in {
		t.Fatal("a kept parameter has data or a gradient, or lost its shape")
	}
	for i := range out {
		kept.Row(plain.Data[i*in:(i+1)*in], i)
	}
	plain.Freeze()
	bias := NewParam("b", GroupVector, out)
	fill(bias.Data, 4, 1)
	x, residual, dOut := make([]float32, n*in), make([]float32, n*out), make([]float32, n*out)
	fill(x, 5, 1)
	fill(residual, 6, 1)
	fill(dOut, 7, 1)
	var results [2][2][]float32
	for i, w := range []*Param{plain, kept} {
		l := NewLinear(w, bias)
		l.Drop = NewDropout(0, 0)
		y, dIn := make([]float32, n*out), make([]float32, n*in)
		l.Forward(c, tensor.FromF32(y, n, out), tensor.FromF32(x, n, in), tensor.FromF32(residual, n, out))
		l.Backward(c, tensor.FromF32(dIn, n, in), tensor.FromF32(dOut, n, out))
		results[i] = [2][]float32{y, dIn}
	}
	for i, what := range []string{"out", "dIn"} {
		for j, want := range results[0][i] {
			if got := results[1][i][j]; math.Float32bits(got) != math.Float32bits(want) {
				t.Fatalf("%s element %d: got %v, want %v", what, j, got, want)
			}
		}
	}
}
