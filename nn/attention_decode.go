package nn

import (
	"math"

	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/tensor"
)

// decodeSpan is a span of keys that the single row of a tile sees.
type decodeSpan struct{ tile, first int }

// decode is Cached for tiles of a single row. There are few key heads, so the spans are
// shared out as well: each leaves a result of its own, and those are merged in
// ascending order, as attend does with one span after the other.
func (l *Attention) decode(c *Context) {
	l.spans = l.spans[:0]
	for i := range l.tiles {
		t := &l.tiles[i]
		t.span = len(l.spans)
		for k0 := l.firstSpan(t.start); k0 <= t.start; k0 += Span {
			l.spans = append(l.spans, decodeSpan{i, k0})
		}
	}
	mark := c.Temp.Mark()
	l.partial = c.Temp.Floats(len(l.spans) * l.H * (l.D + 2))
	c.Pool.For(l.K*len(l.spans), 1, l.decoded)
	c.Pool.For(l.K*len(l.tiles), rowGrain(l.H/l.K*l.D*(len(l.spans)/len(l.tiles))), l.merged)
	l.partial = nil
	c.Temp.Release(mark)
}

// part is where an item of decode leaves the outputs, maxima and sums of the query
// heads of a key head.
func (l *Attention) part(item int) (o, m, sum []float32) {
	group := l.H / l.K
	x := l.partial[item*group*(l.D+2):][:group*(l.D+2)]
	return x[:group*l.D], x[group*l.D:][:group], x[group*(l.D+1):]
}

// decodedSpans takes the query heads of a key head side by side past a span of keys,
// which they read together.
func (l *Attention) decodedSpans(worker, lo, hi int) {
	group := l.H / l.K
	for item := lo; item < hi; item++ {
		span, h := l.spans[item/l.K], item%l.K
		t := &l.tiles[span.tile]
		keys, values := t.heads(h, l.D)
		q := l.q.rows(t.row, h*group*l.D)
		q.Cols = l.D
		o, m, sum := l.part(item)
		at := queries{first: t.start, rows: group, turned: t.cache.Values.Cols, keys: t.cache.Len}
		l.attendSpan(worker, q, keys, values, at, span.first, o, m, sum)
	}
}

// mergedHeads merges the spans of a key head.
func (l *Attention) mergedHeads(worker, lo, hi int) {
	group, w := l.H/l.K, &l.work[worker]
	for item := lo; item < hi; item++ {
		i, h := item/l.K, item%l.K
		end := len(l.spans)
		if i+1 < len(l.tiles) {
			end = l.tiles[i+1].span
		}
		w.begin(group, l.D)
		for s := l.tiles[i].span; s < end; s++ {
			o, m, sum := l.part(s*l.K + h)
			kernel.MergeSpan(w.o, w.m, w.l, o, m, sum, group, l.D, l.D, l.D)
		}
		kernel.DivideRows(w.o, w.l, group, l.D, l.D)
		l.storeHeads(w, l.tiles[i].row, h*group, group)
	}
}

// begin readies w.o, w.m and w.l for the first span of rows of dim channels.
func (w *attentionScratch) begin(rows, dim int) {
	for i := range rows {
		w.m[i], w.l[i] = float32(math.Inf(-1)), 0
	}
	clear(w.o[:rows*dim])
}

// storeHeads writes w.o as heads from h on of a row of the output.
func (l *Attention) storeHeads(w *attentionScratch, row, h, heads int) {
	at, n := row*l.out.Cols+h*l.D, heads*l.D
	if l.out.DType == tensor.BF16 {
		kernel.RoundBF16(l.out.BF16[at:at+n], w.o[:n])
	} else {
		copy(l.out.F32[at:at+n], w.o[:n])
	}
}
