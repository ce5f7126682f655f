//go:build !purego

package kernel

import "unsafe"

// Blocks: a tile of C is held in registers; a panel of B (a tile's width by some
// steps of k) and a block of A share the second-level cache; an item is a share of
// C. The sizes were found by measurement on Zen 3 at widths of 192 to 3072
// (docs/log.md): measure again where the second-level cache is not 512 KiB.
const (
	maxSteps     = 768  // of k in a block
	maxRows      = 96   // of a block of A that is read where it lies, or widened
	maxPacked    = 192  // of one that is packed
	maxCols      = 1024 // of an item
	maxVecs      = 3    // registers in a row of a tile
	directRows   = 32   // up to these, and a stride of B under directStride, B is read where it lies
	directStride = 1024
	fetchSize    = 1 << 16 // elements that are half of the second-level cache
	thinRows     = 4       // up to these, a packed bfloat16 B is widened in registers
)

// stripTable is indexed by registers in a row and by rows.
type stripTable [maxVecs + 1][9]func(args *stripArgs)

// simd multiplies with the vector registers of a tier.
type simd struct {
	width, rows             int // float32 in a register, rows of a tile
	alongRows, alongColumns *stripTable
	dotRows, dotColumns     *stripTable    // VDPBF16PS, or nil
	halfPairs, halfMixed    *stripTable    // B is a panel of pairs, up to thinRows rows
	burst, dotBurst         func(n int)    // n multiply-adds on every register of a tile
	panelFill               *panelTable    // what products of many rows with Panels need
	panelRows               [4]*panelTable // products of one to four rows with Panels
	packTiles               [orders]func(dst *float32, tile int, src unsafe.Pointer, lds, quads, tiles int)
}

var (
	simdAVX2 = simd{
		width: 8, rows: 4,
		alongRows: &stripRowsAVX2, alongColumns: &stripColumnsAVX2,
		halfPairs: &stripHalfPairsAVX2, halfMixed: &stripHalfMixedAVX2, burst: burstAVX2, panelRows: [4]*panelTable{&panelRowAVX2, &panelTwoAVX2, &panelThreeAVX2, &panelFourAVX2}, panelFill: &panelFillAVX2,
		packTiles: [orders]func(*float32, int, unsafe.Pointer, int, int, int){
			plain: packColumnsF32x4, swapped: packColumnsSwapx4},
	}
	simdAVX512 = simd{
		width: 16, rows: 8,
		alongRows: &stripRowsAVX512, alongColumns: &stripColumnsAVX512,
		halfPairs: &stripHalfPairsAVX512, halfMixed: &stripHalfMixedAVX512, burst: burstAVX512,
		panelRows: [4]*panelTable{&panelRowAVX512, &panelTwoAVX512, &panelThreeAVX512, &panelFourAVX512}, panelFill: &panelFillAVX512,
		packTiles: [orders]func(*float32, int, unsafe.Pointer, int, int, int){
			plain: packColumnsF32x8, swapped: packColumnsSwapx8},
	}
	simdAVX512BF16 = simd{
		width: 16, rows: 8,
		alongRows: &stripRowsAVX512, alongColumns: &stripColumnsAVX512,
		dotRows: &stripRowsBF16AVX512, dotColumns: &stripColumnsBF16AVX512, halfMixed: &stripHalfMixedAVX512,
		burst: burstAVX512, dotBurst: burstBF16AVX512, panelRows: [4]*panelTable{&panelRowAVX512, &panelTwoAVX512, &panelThreeAVX512, &panelFourAVX512}, panelFill: &panelFillAVX512,
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

// column is where part i of the columns of p begins.
func (t *simd) column(p *product, i, parts int) int {
	if p.direct() {
		return cut(p.n, panelRows, i, parts)
	}
	return t.panelColumn(p.n, i, parts)
}

// panelColumn is where part i of the panels of n columns begins.
func (t *simd) panelColumn(n, i, parts int) int {
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
	if p.direct() {
		return t.splitDirect(p, threads), 1
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
	w.i0, w.i1, w.j0, w.j1 = i0, i1, j0, j1
	switch {
	case w.steps == 0:
		w.noChains()
		p.finish(worker, i0, i1, j0, j1)
	case p.direct():
		w.direct()
		p.finish(worker, i0, i1, j0, j1)
	case p.packed && p.b.half && w.b.order != paired && i1-i0 <= thinRows:
		w.thin()
		p.finish(worker, i0, i1, j0, j1)
	default:
		w.blocks(worker)
	}
	s.args = stripArgs{} // keeps nobody's memory
}

// work is one item on its way.
type work struct {
	t              *simd
	p              *product
	s              *scratch
	a, b           side
	steps          int // of the chains: k, or pairs of k
	kstep, istep   int // of a block
	i0, i1, j0, j1 int
	base, group    int // columns that the room for panels holds
	filled         int // columns before it are packed
}

// simdScratch is what a worker needs of this file.
type simdScratch struct {
	args  stripArgs
	panel panelArgs
}

func (t *simd) work(p *product, s *scratch) work {
	w := work{t: t, p: p, s: s, steps: p.k}
	s.args = stripArgs{ldc: 4 * p.c.Stride}
	order := plain
	switch {
	case p.pairs && t.dotRows != nil:
		order, w.steps = paired, ceil(p.k, 2)
	case p.pairs:
		order, s.args.flags = swapped, flush
	}
	w.a = side{operand: p.a, k: p.k, order: order, along: p.form != TN, pad: 0x8000}
	w.b = side{operand: p.b, k: p.k, order: order, along: p.form == NT}
	return w
}

// noChains leaves C as it is, or sets it to +0.
func (w *work) noChains() {
	for i := w.i0; i < w.i1 && !w.p.accumulate; i++ {
		clear(w.p.c.Data[i*w.p.c.Stride+w.j0 : i*w.p.c.Stride+w.j1])
	}
}

// blocks walks over blocks of k, of A's rows, and panels.
func (w *work) blocks(worker int) {
	most := maxRows
	if !w.a.along {
		most = maxPacked
	}
	rows := w.i1 - w.i0
	unit := 8
	if w.p.b.kept != nil {
		unit = maxUnit
	}
	w.kstep = ceil(ceil(w.steps, ceil(w.steps, maxSteps)), unit) * unit
	w.istep = ceil(ceil(rows, ceil(rows, most)), w.t.rows) * w.t.rows
	b := w.panelSource()
	for k := 0; k < w.steps; k += w.kstep {
		kb := min(w.kstep, w.steps-k)
		b.begin(w)
		for i := w.i0; i < w.i1; i += w.istep {
			rows := min(w.istep, w.i1-i)
			a := w.blockA(k, kb, i, rows)
			w.fetchA(&a, k, kb, i)
			for j := w.j0; j < w.j1; {
				vecs := w.t.vecs(w.p.n, j)
				b.panel(w, k, kb, i, j, vecs)
				w.strip(a, k, kb, i, rows, j, vecs)
				j += vecs * w.t.width
				w.s.args.ahead += 64 * w.s.args.aheadLines
			}
			if k+kb == w.steps {
				w.p.finish(worker, i, i+rows, w.j0, w.j1)
			}
		}
	}
}

// fetchA lets the kernels fetch the next block of A while they work on this one:
// a part of it with every panel.
func (w *work) fetchA(a *tilesOfA, k, kb, i int) {
	args := &w.s.args
	args.ahead, args.aheadLines = 0, 0
	if !a.inPlace || w.istep*w.kstep > fetchSize/2 {
		return
	}
	nextI, nextK, rows := i+w.istep, k, min(w.istep, w.i1-i)
	if nextI >= w.i1 {
		nextI, nextK = w.i0, k+w.kstep
	}
	if nextK < w.steps && nextI+rows <= w.i1 {
		args.ahead = (nextI-i)*a.ld + (nextK-k)*4
		args.aheadLines = ceil(ceil(kb*4, 64), ceil(w.j1-w.j0, w.t.width*maxVecs))
	}
}

// strip advances a column of tiles by kb steps, from step k on, with the panel
// that args has.
func (w *work) strip(a tilesOfA, k, kb, i, rows, j, vecs int) {
	args := &w.s.args
	before := args.flags
	if w.p.accumulate || k > 0 {
		args.flags |= loadC
	}
	if args.k = kb - a.tail; args.k > 0 {
		w.tiles(a, i, rows, j, vecs)
		args.flags |= loadC
	}
	if a.tail > 0 {
		a.at, a.ld, a.tile = a.last, 4, 4*w.t.rows
		args.b = unsafe.Add(args.b, args.k*args.ldb)
		args.k, args.aheadLines, args.nextLines = 1, 0, 0
		w.tiles(a, i, rows, j, vecs)
	}
	args.flags = before
}

// tiles calls the kernels for whole tiles and for the rows that are left.
func (w *work) tiles(a tilesOfA, i, rows, j, vecs int) {
	args, c, ldc := &w.s.args, w.p.c.Data[i*w.p.c.Stride+j:], w.p.c.Stride
	args.lda, args.tile = a.ld, a.tile
	if w.p.n-j < vecs*w.t.width {
		w.edgeTiles(c, a, rows, w.p.n-j, vecs)
		return
	}
	full, rest := rows/w.t.rows, rows%w.t.rows
	if full > 0 {
		args.c, args.a, args.tiles = &c[0], a.at, full
		args.nextLines /= full
		a.table[vecs][w.t.rows](args)
	}
	if rest > 0 {
		args.c, args.a, args.tiles = &c[full*w.t.rows*ldc], unsafe.Add(a.at, full*a.tile), 1
		a.table[vecs][rest](args)
	}
}

// edgeTiles takes a right edge of C that is less than whole registers wide
// through a tile of its own.
func (w *work) edgeTiles(c []float32, a tilesOfA, rows, cols, vecs int) {
	args, wide := &w.s.args, vecs*w.t.width
	tile := grow(&w.s.tile, w.t.rows*wide)
	args.c, args.ldc, args.tiles, args.aheadLines, args.nextLines = &tile[0], 4*wide, 1, 0, 0
	for t := 0; t*w.t.rows < rows; t++ {
		r := min(w.t.rows, rows-t*w.t.rows)
		part := c[t*w.t.rows*w.p.c.Stride:]
		for i := range r {
			copy(tile[i*wide:], part[i*w.p.c.Stride:][:cols])
		}
		args.a = unsafe.Add(a.at, t*a.tile)
		a.table[vecs][r](args)
		for i := range r {
			copy(part[i*w.p.c.Stride:][:cols], tile[i*wide:])
		}
	}
	args.ldc = 4 * w.p.c.Stride
}

// thin computes a few rows of C from a packed bfloat16 B as it lies in memory.
func (w *work) thin() {
	rows, pairs := w.i1-w.i0, ceil(w.p.k, 2)
	a := w.thinA(w.i0, rows, pairs)
	args := &w.s.args
	args.k = pairs
	for j := w.j0; j < w.j1; {
		vecs := w.t.vecs(w.p.n, j)
		args.b, args.ldb = w.packedPanel(j, vecs, 0, pairs), 4*vecs*w.t.width
		w.tiles(a, w.i0, rows, j, vecs)
		j += vecs * w.t.width
	}
}
