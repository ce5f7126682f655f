//go:build !purego

package kernel

import "unsafe"

// Blocks: a tile of C is held in registers; a panel of B (a tile's width by some
// steps of k) and a block of A share the second-level cache; an item is a share of
// C. The sizes were found by measurement on Zen 3 at widths of 192 to 3072
// (docs/log.md): measure again where the second-level cache is not 512 KiB.
const (
	maxSteps   = 768  // of k in a block
	maxRows    = 96   // of a block of A
	maxCols    = 1024 // of an item
	maxVecs    = 3    // registers in a row of a tile
	directRows = 8    // up to these, B is read where it is instead of being packed
	thinRows   = 4    // up to these, a packed bfloat16 B is widened in registers
)

// Flags of the strip kernels; the generator has the same.
const (
	loadC = 1 << iota // start from C, else from +0
	flush             // denormals, in and out
)

// stripFunc advances the chains of tiles of C, one under the other, by k steps
// against a panel of B. Distances are in bytes: ldc between rows of C, lda between
// rows (or steps) of A, tile between its tiles, ldb between steps of the panel.
type stripFunc = func(c *float32, ldc int, a unsafe.Pointer, lda, tile int, b unsafe.Pointer, ldb, k, tiles, flags int)

// stripTable is indexed by registers in a row and by rows.
type stripTable [maxVecs + 1][9]stripFunc

// simd multiplies with the vector registers of a tier.
type simd struct {
	width, rows             int // float32 in a register, rows of a tile
	alongRows, alongColumns *stripTable
	dotRows, dotColumns     *stripTable // VDPBF16PS, or nil
	halfPairs, halfMixed    *stripTable // B is a panel of pairs, up to thinRows rows
	burst, dotBurst         func(n int) // n multiply-adds on every register of a tile
	packTiles               [orders]func(dst *float32, tile int, src unsafe.Pointer, lds, quads, tiles int)
}

var (
	simdAVX2 = simd{
		width: 8, rows: 4,
		alongRows: &stripRowsAVX2, alongColumns: &stripColumnsAVX2,
		halfPairs: &stripHalfPairsAVX2, halfMixed: &stripHalfMixedAVX2, burst: burstAVX2,
		packTiles: [orders]func(*float32, int, unsafe.Pointer, int, int, int){
			plain: packColumnsF32x4, swapped: packColumnsSwapx4},
	}
	simdAVX512 = simd{
		width: 16, rows: 8,
		alongRows: &stripRowsAVX512, alongColumns: &stripColumnsAVX512,
		halfPairs: &stripHalfPairsAVX512, halfMixed: &stripHalfMixedAVX512, burst: burstAVX512,
		packTiles: [orders]func(*float32, int, unsafe.Pointer, int, int, int){
			plain: packColumnsF32x8, swapped: packColumnsSwapx8},
	}
	simdAVX512BF16 = simd{
		width: 16, rows: 8,
		alongRows: &stripRowsAVX512, alongColumns: &stripColumnsAVX512,
		dotRows: &stripRowsBF16AVX512, dotColumns: &stripColumnsBF16AVX512, halfMixed: &stripHalfMixedAVX512,
		burst: burstAVX512, dotBurst: burstBF16AVX512,
		packTiles: [orders]func(*float32, int, unsafe.Pointer, int, int, int){
			plain: packColumnsF32x8, paired: packColumnsPairsx8},
	}
)

func gemmAVX2(t *table)       { t.gemmOps = simdAVX2.ops() }
func gemmAVX512(t *table)     { t.gemmOps = simdAVX512.ops() }
func gemmAVX512BF16(t *table) { t.gemmOps = simdAVX512BF16.ops() }

func (t *simd) ops() gemmOps {
	return gemmOps{rows: t.rows, column: t.column, split: t.split, item: t.item, pack: t.pack, madds: t.madds}
}

// madds does n rounds of multiply-adds and returns how many those were.
func (t *simd) madds(n int, bf16 bool) int {
	each := t.rows * maxVecs * t.width
	if bf16 && t.dotBurst != nil {
		t.dotBurst(n)
		return 2 * n * each
	}
	t.burst(n)
	return n * each
}

// panels is the number of panels of n columns. They are maxVecs registers wide;
// where a single register would be left, the last two panels are two wide.
func (t *simd) panels(n int) int { return ceil(n, t.width*maxVecs) }

// vecs is the width in registers of the panel that begins at column j of n.
func (t *simd) vecs(n, j int) int {
	left := ceil(n-j, t.width)
	if left == maxVecs+1 {
		return 2
	}
	return min(left, maxVecs)
}

// column is where part i of the panels of n columns begins.
func (t *simd) column(n, i, parts int) int {
	panels := t.panels(n)
	first := panels * i / parts
	j := first * t.width * maxVecs
	if first > 0 && first == panels-1 && n-j <= t.width {
		j -= t.width
	}
	return min(j, n)
}

// split makes items of about maxCols columns, equal to a panel, a multiple of the
// threads in number; with too few columns for that, rows are shared out too.
func (t *simd) split(p *product, threads int) (across, down int) {
	if p.m*p.n*p.k < minWork {
		threads = 1
	}
	panels := t.panels(p.n)
	across, down = ceil(p.n, maxCols*threads)*threads, 1
	if across > panels {
		across, down = panels, min(threads, ceil(p.m, t.rows))
	}
	return across, down
}

// item computes rows [i0, i1) and columns [j0, j1) of C.
func (t *simd) item(p *product, s *scratch, worker, i0, i1, j0, j1 int) {
	w := t.work(p, s)
	switch {
	case w.steps == 0:
		w.noChains(i0, i1, j0, j1)
		p.finish(worker, i0, i1, j0, j1)
	case p.packed && p.b.half && w.b.order != paired && i1-i0 <= thinRows:
		w.thin(i0, i1, j0, j1)
		p.finish(worker, i0, i1, j0, j1)
	default:
		w.blocks(worker, i0, i1, j0, j1)
	}
}

// work is one item on its way.
type work struct {
	t     *simd
	p     *product
	s     *scratch
	a, b  side
	steps int // of the chains: k, or pairs of k
	flags int // of the kernels
}

func (t *simd) work(p *product, s *scratch) work {
	w := work{t: t, p: p, s: s, steps: p.k}
	order := plain
	switch {
	case p.pairs && t.dotRows != nil:
		order, w.steps = paired, ceil(p.k, 2)
	case p.pairs:
		order, w.flags = swapped, flush
	}
	w.a = side{operand: p.a, k: p.k, order: order, along: p.form != TN, pad: 0x8000}
	w.b = side{operand: p.b, k: p.k, order: order, along: p.form == NT}
	return w
}

// noChains leaves C as it is, or sets it to +0.
func (w *work) noChains(i0, i1, j0, j1 int) {
	for i := i0; i < i1 && !w.p.accumulate; i++ {
		clear(w.p.c.Data[i*w.p.c.Stride+j0 : i*w.p.c.Stride+j1])
	}
}

// blocks walks over blocks of k, of A's rows, and panels. A panel is packed where
// it is used first, while it is hot.
func (w *work) blocks(worker, i0, i1, j0, j1 int) {
	kstep := ceil(ceil(w.steps, ceil(w.steps, maxSteps)), 8) * 8
	istep := ceil(ceil(i1-i0, ceil(i1-i0, maxRows)), w.t.rows) * w.t.rows
	direct := i1-i0 <= directRows
	for k := 0; k < w.steps; k += kstep {
		kb := min(kstep, w.steps-k)
		for i := i0; i < i1; i += istep {
			rows := min(istep, i1-i)
			a := w.blockA(k, kb, i, rows)
			for j := j0; j < j1; {
				vecs := w.t.vecs(w.p.n, j)
				b := w.panel(k, kb, kstep, j, j0, j1, vecs, i == i0, direct)
				w.strip(a, b, k, kb, i, rows, j, vecs)
				j += vecs * w.t.width
			}
			if k+kb == w.steps {
				w.p.finish(worker, i, i+rows, j0, j1)
			}
		}
	}
}

// strip advances a column of tiles by kb steps, from step k on.
func (w *work) strip(a tilesOfA, b panelOfB, k, kb, i, rows, j, vecs int) {
	flags := w.flags
	if w.p.accumulate || k > 0 {
		flags |= loadC
	}
	if whole := kb - a.tail; whole > 0 {
		w.tiles(a, b, whole, i, rows, j, vecs, flags)
		flags |= loadC
	}
	if a.tail > 0 {
		a.at, a.ld, a.tile = a.last, 4, 4*w.t.rows
		b.at = unsafe.Add(b.at, (kb-1)*b.ld)
		w.tiles(a, b, 1, i, rows, j, vecs, flags)
	}
}

// tiles calls the kernels for whole tiles and for the rows that are left.
func (w *work) tiles(a tilesOfA, b panelOfB, k, i, rows, j, vecs, flags int) {
	c, ldc := w.p.c.Data[i*w.p.c.Stride+j:], w.p.c.Stride
	if w.p.n-j < vecs*w.t.width {
		w.edgeTiles(c, a, b, k, rows, w.p.n-j, vecs, flags)
		return
	}
	full, rest := rows/w.t.rows, rows%w.t.rows
	if full > 0 {
		a.table[vecs][w.t.rows](&c[0], 4*ldc, a.at, a.ld, a.tile, b.at, b.ld, k, full, flags)
	}
	if rest > 0 {
		at := unsafe.Add(a.at, full*a.tile)
		a.table[vecs][rest](&c[full*w.t.rows*ldc], 4*ldc, at, a.ld, a.tile, b.at, b.ld, k, 1, flags)
	}
}

// edgeTiles takes a right edge of C that is less than whole registers wide
// through a tile of its own.
func (w *work) edgeTiles(c []float32, a tilesOfA, b panelOfB, k, rows, cols, vecs, flags int) {
	wide := vecs * w.t.width
	tile := grow(&w.s.tile, w.t.rows*wide)
	for t := 0; t*w.t.rows < rows; t++ {
		r := min(w.t.rows, rows-t*w.t.rows)
		part := c[t*w.t.rows*w.p.c.Stride:]
		for i := range r {
			copy(tile[i*wide:], part[i*w.p.c.Stride:][:cols])
		}
		a.table[vecs][r](&tile[0], 4*wide, unsafe.Add(a.at, t*a.tile), a.ld, a.tile, b.at, b.ld, k, 1, flags)
		for i := range r {
			copy(part[i*w.p.c.Stride:][:cols], tile[i*wide:])
		}
	}
}

// thin computes a few rows of C from a packed bfloat16 B as it lies in memory.
func (w *work) thin(i0, i1, j0, j1 int) {
	rows, pairs := i1-i0, ceil(w.p.k, 2)
	a := w.thinA(i0, rows, pairs)
	for j := j0; j < j1; {
		vecs := w.t.vecs(w.p.n, j)
		w.tiles(a, w.packedPanel(j, vecs, 0, pairs), pairs, i0, rows, j, vecs, w.flags)
		j += vecs * w.t.width
	}
}
