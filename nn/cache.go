package nn

import (
	"fmt"

	"github.com/aries-serpent/codexml/tensor"
)

// Cache holds the keys and values of one document, one row of K*D each per
// position, in the compute type. Rows from Len on are unused.
type Cache struct {
	Keys, Values tensor.Tensor // capacity x K*D
	Len          int
}

// NewCache returns room for the keys and values of capacity positions.
func NewCache(dtype tensor.DType, capacity, width int) *Cache {
	arena := tensor.NewArena(2 * capacity * width * dtype.Size())
	return &Cache{Keys: arena.New(dtype, capacity, width), Values: arena.New(dtype, capacity, width)}
}

// Truncate forgets the positions from n on.
func (x *Cache) Truncate(n int) { x.Len = min(x.Len, n) }

// append stores the given rows after the last.
func (x *Cache) append(k, v Heads, rows int) {
	if x.Len+rows > x.Keys.Rows {
		panic(fmt.Sprintf("nn: Cache: %d positions do not fit behind %d of %d", rows, x.Len, x.Keys.Rows))
	}
	for i := range rows {
		copyRow(x.Keys, x.Len+i, k.rows(i, 0))
		copyRow(x.Values, x.Len+i, v.rows(i, 0))
	}
	x.Len += rows
}

func copyRow(dst tensor.Tensor, row int, src Heads) {
	lo, hi := row*dst.Cols, (row+1)*dst.Cols
	if dst.DType == tensor.BF16 {
		copy(dst.BF16[lo:hi], src.BF16[src.Offset:])
	} else {
		copy(dst.F32[lo:hi], src.F32[src.Offset:])
	}
}

// Cached appends the rows of k and v to the caches and computes out for the rows of
// q: the batch's segment i continues the document of caches[i]. The bits are those
// of Forward.
func (l *Attention) Cached(c *Context, out tensor.Tensor, q, k, v Heads, caches []*Cache) {
	l.q, l.out, l.c, l.tiles = q, out, c, l.tiles[:0]
	for i, s := range c.Batch.Segments {
		first, n, start := int(s.Start), int(s.Len), caches[i].Len
		caches[i].append(k.rows(first, 0), v.rows(first, 0), n)
		for r := 0; r < n; r += Span {
			l.tiles = append(l.tiles, cachedTile{caches[i], first + r, start + r, min(Span, n-r)})
		}
	}
	l.prepare(c)
	c.Pool.For(l.H*len(l.tiles), 1, l.cached)
}

// cachedTile is a tile of queries: rows of the batch from row on, which are at
// positions from start on in the cache's document.
type cachedTile struct {
	cache            *Cache
	row, start, rows int
}

func (l *Attention) cachedItems(worker, lo, hi int) {
	for item := lo; item < hi; item++ {
		t, h := l.tiles[item/l.H], item%l.H
		offset := h * l.K / l.H * l.D
		keys, values := Heads{Tensor: t.cache.Keys}.rows(0, offset), Heads{Tensor: t.cache.Values}.rows(0, offset)
		l.attend(worker, l.q.rows(t.row, h*l.D), keys, values, t.start, t.rows, t.cache.Len)
		l.storeRows(&l.work[worker], l.out, t.row, h, t.rows)
	}
}
