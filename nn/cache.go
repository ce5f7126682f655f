package nn

import (
	"fmt"

	"github.com/aries-serpent/codexml/tensor"
)

// Cache holds the keys and values of one document in the compute type: K*D values in a
// row per position, and the keys span by span and turned round, so that a product with
// a query reads them as they lie.
type Cache struct {
	Keys   tensor.Tensor // K*D rows for every Span positions, a column each
	Values tensor.Tensor // capacity x K*D
	Len    int           // positions; what lies beyond is unused
}

// NewCache returns room for the keys and values of capacity positions.
func NewCache(dtype tensor.DType, capacity, width int) *Cache {
	spans := (capacity + Span - 1) / Span
	arena := tensor.NewArena((capacity + spans*Span) * width * dtype.Size())
	return &Cache{Keys: arena.New(dtype, spans*width, Span), Values: arena.New(dtype, capacity, width)}
}

// Truncate forgets the positions from n on.
func (x *Cache) Truncate(n int) { x.Len = min(x.Len, n) }

// append stores the given rows after the last.
func (x *Cache) append(k, v Heads, rows int) {
	if x.Len+rows > x.Values.Rows {
		panic(fmt.Sprintf("nn: Cache: %d positions do not fit behind %d of %d", rows, x.Len, x.Values.Rows))
	}
	for i := range rows {
		copyRow(x.Values, x.Len+i, v.rows(i, 0))
	}
	for i := 0; i < rows; {
		p := x.Len + i
		n := min(rows-i, Span-p%Span)
		x.turn(k.rows(i, 0), p, n)
		i += n
	}
	x.Len += rows
}

// turn stores the keys of n positions of one span, from p on.
func (x *Cache) turn(k Heads, p, n int) {
	width := x.Values.Cols
	for c := range width {
		to := (p/Span*width+c)*Span + p%Span
		if from := k.Offset + c; x.Keys.DType == tensor.BF16 {
			for i, dst := 0, x.Keys.BF16[to:to+n]; i < n; i++ {
				dst[i] = k.BF16[from+i*k.Cols]
			}
		} else {
			for i, dst := 0, x.Keys.F32[to:to+n]; i < n; i++ {
				dst[i] = k.F32[from+i*k.Cols]
			}
		}
	}
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
	single := l.H/l.K <= Span
	for i, s := range c.Batch.Segments {
		first, n, start := int(s.Start), int(s.Len), caches[i].Len
		caches[i].append(k.rows(first, 0), v.rows(first, 0), n)
		single = single && n == 1
		for r := 0; r < n; r += Span {
			l.tiles = append(l.tiles, cachedTile{cache: caches[i], row: first + r, start: start + r, rows: min(Span, n-r)})
		}
	}
	l.prepare(c)
	if single {
		l.decode(c)
		return
	}
	c.Pool.For(l.K*len(l.tiles), 1, l.cached)
}

// cachedTile is a tile of queries: rows of the batch from row on, which are at
// positions from start on in the cache's document.
type cachedTile struct {
	cache            *Cache
	row, start, rows int
	span             int // of decode: the first of its spans
}

// cachedItems takes the query heads of a key head one after the other.
func (l *Attention) cachedItems(worker, lo, hi int) {
	group := l.H / l.K
	for item := lo; item < hi; item++ {
		t, h := l.tiles[item/l.K], item%l.K
		keys, values := t.heads(h, l.D)
		at := queries{first: t.start, step: 1, rows: t.rows, turned: t.cache.Values.Cols, keys: t.cache.Len}
		for q := h * group; q < (h+1)*group; q++ {
			l.attend(worker, l.q.rows(t.row, q*l.D), keys, values, at)
			l.storeRows(&l.work[worker], l.out, t.row, q, t.rows)
		}
	}
}

// heads are the keys, turned, and the values of key head h of dim channels.
func (t *cachedTile) heads(h, dim int) (keys, values Heads) {
	return Heads{Tensor: t.cache.Keys}.rows(h*dim, 0), Heads{Tensor: t.cache.Values}.rows(0, h*dim)
}
