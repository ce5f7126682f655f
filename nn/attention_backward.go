package nn

import (
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/tensor"
)

// Backward overwrites dQKV, N x (H+2K)*D float32 (queries, keys, values), from
// dOut, N x H*D float32. With p the probabilities and dp = dOut . v,
//
//	ds = p * (dp - sum(dOut * out)) * scale,  dq = ds k,  dk = ds^T q,  dv = p^T dOut
//
// dq ascends over keys, dk and dv over (head in group, query), all from +0.
func (l *Attention) Backward(c *Context, dQKV, dOut tensor.Tensor) {
	l.c, l.dOut, l.dQKV = c, dOut, dQKV
	mark := c.Temp.Mark()
	l.dot = c.Temp.Floats(l.H * dOut.Rows)
	c.Pool.For(dOut.Rows, rowGrain(dOut.Cols), l.dots)
	l.dOutHalf = c.compute(dOut, l.round, &l.slots[0])
	c.Pool.For(len(c.Batch.Segments)*l.K, 1, l.backward)
	c.Temp.Release(mark)
}

func (l *Attention) dotRows(worker, lo, hi int) {
	width := l.H * l.D
	var buf []float32
	if l.out.DType == tensor.BF16 {
		buf = l.c.scratch(worker, width)
	}
	for i := lo; i < hi; i++ {
		out, d := load(l.out, i*width, (i+1)*width, buf), l.dOut.F32[i*width:(i+1)*width]
		for h := range l.H {
			l.dot[h*l.dOut.Rows+i] = kernel.Dot(d[h*l.D:(h+1)*l.D], out[h*l.D:(h+1)*l.D])
		}
	}
}

func (l *Attention) backwardItems(worker, lo, hi int) {
	for item := lo; item < hi; item++ {
		seg, group := l.c.Batch.Segments[item/l.K], item%l.K
		for k0 := 0; k0 < int(seg.Len); k0 += Span {
			for h := group * l.H / l.K; h < (group+1)*l.H/l.K; h++ {
				l.backwardSpan(worker, int(seg.Start), int(seg.Len), group, h, k0)
			}
		}
	}
}

// backwardSpan takes the queries of head h, tile by tile, past the keys of a span.
func (l *Attention) backwardSpan(worker, first, n, group, h, k0 int) {
	w, gemm := &l.work[worker], l.c.Gemm.Seq(worker)
	stride, cols := l.dQKV.Cols, min(Span, n-k0)
	keys, values := l.k.rows(first+k0, group*l.D), l.v.rows(first+k0, group*l.D)
	dK := l.dQKV.F32[(first+k0)*stride+(l.H+group)*l.D:]
	dV := l.dQKV.F32[(first+k0)*stride+(l.H+l.K+group)*l.D:]
	for q0 := k0; q0 < n; q0 += Span {
		if l.firstSpan(q0) > k0 {
			break
		}
		rows, row := min(Span, n-q0), h*l.dOut.Rows+first+q0
		q := l.q.rows(first+q0, h*l.D)
		dOut := Heads{Tensor: l.dOutHalf}.rows(first+q0, h*l.D)
		l.limits(w, queries{first: q0, step: 1, rows: rows}, k0, cols)
		mul(gemm, kernel.NT, rows, cols, l.D, q, keys, w.s, Span, false)
		mul(gemm, kernel.NT, rows, cols, l.D, dOut, values, w.dp, Span, false)
		kernel.AttentionBackward(w.s, w.dp, rows, cols, Span, w.limit, w.lower[:l.lowers(rows)], l.m[row:row+rows], l.invL[row:row+rows], l.dot[row:row+rows], l.Scale, l.Softcap)
		p, ds := l.tile(w.s, w.p16, rows), l.tile(w.dp, w.ds16, rows)
		again := q0 > k0 || h > group*l.H/l.K
		mul(gemm, kernel.TN, cols, l.D, rows, p, dOut, dV, stride, again)
		mul(gemm, kernel.TN, cols, l.D, rows, ds, q, dK, stride, again)
		mul(gemm, kernel.NN, rows, l.D, cols, ds, keys, l.dQKV.F32[(first+q0)*stride+h*l.D:], stride, k0 > l.firstSpan(q0))
	}
}
