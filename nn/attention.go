package nn

import (
	"math"

	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/tensor"
)

// Span is the number of keys of one softmax span. Spans start at multiples of Span
// in a document and are merged in ascending order, so that prefill, chunks of it
// and one token at a time give the same bits.
const Span = 128

// Heads is a view of the heads in a row-major tensor: head h of row r is the D
// elements from r*Cols + Offset + h*D on.
type Heads struct {
	tensor.Tensor
	Offset int
}

// Attention is causal softmax attention with grouped heads (arXiv 1706.03762,
// 2305.13245) in the manner of FlashAttention (arXiv 2205.14135): per document,
// query tiles against spans of keys, scores never stored. For query i,
//
//	s_j = softcap(scale * q_i . k_j)  for i - Window < j <= i in the document
//	out_i = sum_j exp(s_j - max) v_j / sum_j exp(s_j - max)
//
// It saves q, k, v, out and the maximum and reciprocal sum of each row and head.
type Attention struct {
	H, K, D int
	Scale   float32
	Softcap float32 // 0 is off
	Window  int     // keys that a query sees, itself included; 0 is all

	q, k, v Heads
	out     tensor.Tensor // N x H*D, saved
	m, invL []float32     // H x N, saved

	dOut, dQKV tensor.Tensor
	dOutHalf   tensor.Tensor // dOut in the compute type
	dot        []float32     // H x N: dOut . out per row and head

	c        *Context
	work     []attentionScratch
	slots    [1][2]tensor.Tensor
	round    func(worker, lo, hi int)
	forward  func(worker, lo, hi int)
	dots     func(worker, lo, hi int)
	backward func(worker, lo, hi int)
	cached   func(worker, lo, hi int)
	tiles    []cachedTile
	decoded  func(worker, lo, hi int)
	merged   func(worker, lo, hi int)
	spans    []decodeSpan
	partial  []float32 // per span and key head, H/K x (D + 2)
}

// attentionScratch is a worker's: tiles of Span x Span and Span x D.
type attentionScratch struct {
	s, dp        []float32 // Span x Span
	p16, ds16    []uint16  // Span x Span, bfloat16 mode
	o, os        []float32 // Span x D
	m, l, ms, ls []float32 // Span
	limit, lower []int32   // Span
}

// NewAttention returns attention of heads query heads over kvHeads key and value
// heads of dim channels.
func NewAttention(heads, kvHeads, dim int) *Attention {
	l := &Attention{H: heads, K: kvHeads, D: dim, Scale: float32(1 / math.Sqrt(float64(dim)))}
	l.round = func(_, lo, hi int) { roundRows(&l.slots[0], lo, hi) }
	l.forward, l.dots, l.backward, l.cached = l.forwardItems, l.dotRows, l.backwardItems, l.cachedItems
	l.decoded, l.merged, l.spans = l.decodedSpans, l.mergedHeads, make([]decodeSpan, 0, 64)
	return l
}

// Forward computes out, N x H*D, from q (H heads), k and v (K heads each), all in
// the compute type. Keys and values have the row stride of v's tensor.
func (l *Attention) Forward(c *Context, out tensor.Tensor, q, k, v Heads) {
	l.q, l.k, l.v, l.out, l.c = q, k, v, out, c
	n := out.Rows
	l.m, l.invL = c.Saved.Floats(l.H*n), c.Saved.Floats(l.H*n)
	l.prepare(c)
	c.Pool.For(len(c.Batch.Segments)*l.H, 1, l.forward)
}

// SetHeads replaces the saved queries and keys by the same values computed again.
func (l *Attention) SetHeads(q, k Heads) { l.q, l.k = q, k }

func (l *Attention) prepare(c *Context) {
	for len(l.work) < c.Pool.Threads() {
		l.work = append(l.work, attentionScratch{
			s: make([]float32, Span*Span), dp: make([]float32, Span*Span), p16: make([]uint16, Span*Span), ds16: make([]uint16, Span*Span),
			o: make([]float32, Span*l.D), os: make([]float32, Span*l.D),
			m: make([]float32, Span), l: make([]float32, Span), ms: make([]float32, Span), ls: make([]float32, Span),
			limit: make([]int32, Span), lower: make([]int32, Span),
		})
	}
}

func (l *Attention) forwardItems(worker, lo, hi int) {
	for item := lo; item < hi; item++ {
		seg, h := l.c.Batch.Segments[item/l.H], item%l.H
		first, n := int(seg.Start), int(seg.Len)
		keys, values := l.k.rows(first, h*l.K/l.H*l.D), l.v.rows(first, h*l.K/l.H*l.D)
		for q0 := 0; q0 < n; q0 += Span {
			rows := min(Span, n-q0)
			r := h*l.out.Rows + first + q0
			l.attend(worker, l.q.rows(first+q0, h*l.D), keys, values, queries{first: q0, step: 1, rows: rows, keys: n})
			w := &l.work[worker]
			l.storeRows(w, l.out, first+q0, h, rows)
			copy(l.m[r:r+rows], w.m)
			for i := range rows {
				l.invL[r+i] = 1 / w.l[i]
			}
		}
	}
}

// queries are rows of queries and the keys that they go with.
type queries struct {
	first, step int // row i is at position first + i*step of its document: step is 0 or 1
	rows, keys  int
	turned      int // the rows of a span of keys, where those are as Cache has them; else 0
}

// attend leaves the output of rows of queries in w.o, and their maxima and sums in
// w.m and w.l.
func (l *Attention) attend(worker int, q, keys, values Heads, at queries) {
	w, rows := &l.work[worker], at.rows
	w.begin(rows, l.D)
	for k0 := l.firstSpan(at.first); k0 <= at.first+(rows-1)*at.step; k0 += Span {
		l.attendSpan(worker, q, keys, values, at, k0, w.os, w.ms, w.ls)
		kernel.MergeSpan(w.o, w.m, w.l, w.os, w.ms, w.ls, rows, l.D, l.D, l.D)
	}
	kernel.DivideRows(w.o, w.l, rows, l.D, l.D)
}

// attendSpan computes the outputs, maxima and sums of rows of queries and the span of
// keys from k0 on.
func (l *Attention) attendSpan(worker int, q, keys, values Heads, at queries, k0 int, o, m, sum []float32) {
	w, gemm, rows := &l.work[worker], l.c.Gemm.Seq(worker), at.rows
	cols := min(Span, at.keys-k0)
	if at.turned > 0 {
		whole := (cols + wholeKeys - 1) / wholeKeys * wholeKeys
		mul(gemm, kernel.NN, rows, whole, l.D, q, keys.rows(k0/Span*at.turned, 0), w.s, Span, false)
	} else {
		mul(gemm, kernel.NT, rows, cols, l.D, q, keys.rows(k0, 0), w.s, Span, false)
	}
	l.limits(w, at, k0, cols)
	kernel.SoftmaxSpan(w.s, m, sum, rows, cols, Span, w.limit, w.lower[:l.lowers(rows)], l.Scale, l.Softcap)
	mul(gemm, kernel.NN, rows, l.D, cols, l.tile(w.s, w.p16, rows), values.rows(k0, 0), o, l.D, false)
}

// wholeKeys divides Span: products with keys that lie side by side take whole vector
// registers of them, and nobody looks at the scores beyond the last key.
const wholeKeys = 16

// firstSpan is where the first span begins that a query at position p sees.
func (l *Attention) firstSpan(p int) int {
	if l.Window == 0 || p < l.Window {
		return 0
	}
	return (p - l.Window + 1) / Span * Span
}

// limits sets the columns [lower, limit) of a span that each row sees.
func (l *Attention) limits(w *attentionScratch, at queries, k0, cols int) {
	for i := range at.rows {
		p := at.first + i*at.step - k0
		w.limit[i] = int32(max(0, min(p+1, cols)))
		if l.Window > 0 {
			w.lower[i] = int32(max(0, min(p-l.Window+1, cols)))
		}
	}
}

func (l *Attention) lowers(rows int) int {
	if l.Window == 0 {
		return 0
	}
	return rows
}

// tile is a Span-wide tile as an operand in the compute type.
func (l *Attention) tile(x []float32, half []uint16, rows int) Heads {
	t := Heads{Tensor: tensor.Tensor{DType: l.c.DType, Rows: rows, Cols: Span, F32: x, BF16: half}}
	if l.c.DType == tensor.BF16 {
		kernel.RoundBF16(half[:rows*Span], x[:rows*Span])
	}
	return t
}

// storeRows writes w.o as rows of head h of out.
func (l *Attention) storeRows(w *attentionScratch, out tensor.Tensor, row, h, rows int) {
	for i := range rows {
		at := (row+i)*out.Cols + h*l.D
		if o := w.o[i*l.D : (i+1)*l.D]; out.DType == tensor.BF16 {
			kernel.RoundBF16(out.BF16[at:at+l.D], o)
		} else {
			copy(out.F32[at:at+l.D], o)
		}
	}
}

// rows is the view from a row on, moved by an offset in it.
func (x Heads) rows(row, offset int) Heads {
	x.Offset += row*x.Cols + offset
	return x
}

// mul is C = op(A) op(B), or C += it, by one worker.
func mul(g *kernel.SeqGemm, form kernel.Form, m, n, k int, a, b Heads, c []float32, stride int, accumulate bool) {
	dst := kernel.MatF32{Data: c, Stride: stride}
	if a.DType == tensor.BF16 {
		g.GemmBF16(form, m, n, k, kernel.MatBF16{Data: a.BF16[a.Offset:], Stride: a.Cols}, kernel.MatBF16{Data: b.BF16[b.Offset:], Stride: b.Cols}, dst, accumulate, nil)
		return
	}
	g.Gemm(form, m, n, k, kernel.MatF32{Data: a.F32[a.Offset:], Stride: a.Cols}, kernel.MatF32{Data: b.F32[b.Offset:], Stride: b.Cols}, dst, accumulate, nil)
}
