//go:build !purego

package kernel

import (
	"math"
	"unsafe"

	"github.com/aries-serpent/codexml/internal/par"
)

// order is how the elements of a chain become the steps of a kernel.
type order uint8

const (
	plain   order = iota // step k is element k, as float32
	swapped              // the two elements of a pair exchanged, as float32
	paired               // step k is the pair 2k, 2k+1 of bfloat16
	orders
)

// side is an operand, seen as lines (rows of A, columns of B) of k elements.
type side struct {
	operand
	k     int
	order order
	along bool   // lines lie along k in memory, else across
	pad   uint16 // second half of the last pair of an odd k: -0 in A and +0 in B multiply to -0, which changes no sum
}

// index is where element k of a line is.
func (s *side) index(line, k int) int {
	if s.along {
		return line*s.stride + k
	}
	return k*s.stride + line
}

// step is one step of a line.
func (s *side) step(line, k int) float32 {
	switch s.order {
	case swapped:
		if k^1 < s.k {
			k ^= 1
		}
	case paired:
		high := s.pad
		if 2*k+1 < s.k {
			high = s.bf16[s.index(line, 2*k+1)]
		}
		return math.Float32frombits(uint32(s.bf16[s.index(line, 2*k)]) | uint32(high)<<16)
	}
	return s.at(s.index(line, k))
}

// fill writes steps [from, to) after step k of lines to dst, wide elements from
// step to step: what the vector loops leave over.
func (s *side) fill(dst []float32, wide, line, lines, k, from, to int) {
	for q := from; q < to; q++ {
		for c := range lines {
			dst[q*wide+c] = s.step(line+c, k+q)
		}
	}
}

// address is where element k of a line is.
func (s *side) address(line, k int) unsafe.Pointer {
	if i := s.index(line, k); s.half {
		return unsafe.Pointer(&s.bf16[i])
	} else {
		return unsafe.Pointer(&s.f32[i])
	}
}

// bytes is the distance of two rows in memory.
func (s *side) bytes() int {
	if s.half {
		return 2 * s.stride
	}
	return 4 * s.stride
}

// packRowsFunc is one of packRows: for 8 columns, 16, and so on.
type packRowsFunc = func(dst *float32, dstStep, panelStep int, src unsafe.Pointer, srcStep, rows, panels int)

var (
	packRowsF32  = [...]packRowsFunc{nil, packRowsF32x8, packRowsF32x16, packRowsF32x24, packRowsF32x32, packRowsF32x40, packRowsF32x48}
	packRowsBF16 = [...]packRowsFunc{nil, packRowsBF16x8, packRowsBF16x16, packRowsBF16x24, packRowsBF16x32, packRowsBF16x40, packRowsBF16x48}
)

// packPanel writes kb steps from k of lines, wide elements from step to step.
// Lines that there are not hold anything: their sums are never stored.
func (s *side) packPanel(dst []float32, wide, line, lines, k, kb int) {
	if s.along {
		for at := 0; at < lines; at += 8 {
			n := min(8, lines-at)
			done := 0
			if n == 8 {
				done = s.packTransposed(dst[at:], wide, line+at, k, kb)
			}
			s.fill(dst[at:], wide, line+at, n, k, done, kb)
		}
		return
	}
	done := 0
	if whole := lines / 8; whole > 0 {
		done = s.packRows(dst, wide, 0, line, whole, 1, k, kb)
	}
	s.fill(dst, wide, line, lines, k, done, kb)
	if whole := lines &^ 7; whole < lines {
		s.fill(dst[whole:], wide, line+whole, lines-whole, k, 0, done)
	}
}

// packTransposed packs 8 lines along k and returns the number of steps it did.
func (s *side) packTransposed(dst []float32, wide, line, k, kb int) int {
	f, elements := packTransposedF32, k
	switch {
	case s.order == paired:
		elements = 2 * k
		if 2*(k+kb) > s.k {
			kb--
		}
	case s.order == swapped:
		f = packTransposedSwap
	case s.half:
		f = packTransposedBF16
	}
	if kb < 8 {
		return 0
	}
	f(&dst[0], 4*wide, s.address(line, elements), s.bytes(), kb/8)
	return kb &^ 7
}

// packRows packs panels of 8*vecs lines across k, step elements from panel to
// panel, and returns the number of steps it did.
func (s *side) packRows(dst []float32, wide, step, line, vecs, panels, k, kb int) int {
	ld := s.bytes()
	switch s.order {
	case paired:
		if 2*(k+kb) > s.k {
			kb--
		}
		if kb > 0 {
			packPairs(&dst[0], 4*wide, 4*step, s.address(line, 2*k), ld, kb, panels, vecs)
		}
	case swapped:
		kb &^= 1
		if kb > 0 {
			packRowsBF16[vecs](&dst[0], 8*wide, 4*step, s.address(line, k+1), 2*ld, kb/2, panels)
			packRowsBF16[vecs](&dst[wide], 8*wide, 4*step, s.address(line, k), 2*ld, kb/2, panels)
		}
	default:
		f := packRowsF32[vecs]
		if s.half {
			f = packRowsBF16[vecs]
		}
		f(&dst[0], 4*wide, 4*step, s.address(line, k), ld, kb, panels)
	}
	return kb
}

// gap is the number of elements between panels and between tiles, so that they do
// not collide in a cache.
const gap = 16

// panelSource is where the panels of an item come from.
type panelSource uint8

const (
	panelsPacked panelSource = iota // B came packed
	panelsDirect                    // B is read where it lies
	panelsUnpack                    // B came packed as pairs, and float32 is needed
	panelsKept                      // B came in Panels, and float32 is needed
	panelsAlong                     // packed panel by panel where they are used first, while hot
	panelsAcross                    // packed all together, row by row as they lie
)

func (w *work) panelSource() panelSource {
	switch {
	case w.p.b.kept != nil:
		return panelsKept
	case w.p.packed && w.p.b.half && w.b.order != paired:
		return panelsUnpack
	case w.p.packed:
		return panelsPacked
	case w.b.along:
		return panelsAlong
	case w.i1-w.i0 <= directRows && w.b.stride < directStride && !w.b.half && (w.j1 < w.p.n || w.p.n%w.t.width == 0):
		return panelsDirect
	}
	return panelsAcross
}

// panelAt is the room for the panel at column j.
func (w *work) panelAt(j int) int {
	return (j-w.base)*w.kstep + (j-w.base)/(w.t.width*maxVecs)*gap
}

// begin starts a block of k.
func (p panelSource) begin(w *work) {
	w.base, w.filled = w.j0, w.j0
	if p == panelsPacked || p == panelsDirect {
		return
	}
	wide := w.t.width * maxVecs
	w.group = w.j1 - w.j0
	if w.i1-w.i0 <= w.istep {
		w.group = wide
		if p == panelsAcross {
			w.group *= max(1, fetchSize/(w.kstep*wide))
		}
	}
	grow(&w.s.b, (ceil(w.group, wide)+1)*(wide*w.kstep+gap)) // one more, as the last two may be narrower
}

// panel puts the panel at column j, kb steps from k, into the kernels' arguments,
// and what comes after it.
func (p panelSource) panel(w *work, k, kb, i, j, vecs int) {
	args, wide := &w.s.args, vecs*w.t.width
	args.ldb, args.next, args.nextLines = 4*wide, nil, 0
	switch p {
	case panelsPacked:
		args.b = w.packedPanel(j, vecs, k, w.steps)
		return
	case panelsDirect:
		args.b, args.ldb = w.b.address(j, k), w.b.bytes()
		return
	}
	if j >= w.base+w.group {
		w.base = j
	}
	dst := w.s.b[w.panelAt(j):]
	args.b = unsafe.Pointer(&dst[0])
	if i == w.i0 && j >= w.filled {
		switch p {
		case panelsUnpack:
			w.unpack(dst, j, vecs, k, kb)
		case panelsKept:
			w.fillKept(dst, j, vecs, k, kb)
		case panelsAlong:
			w.b.packPanel(dst, wide, j, min(wide, w.p.n-j), k, kb)
		default:
			w.filled = w.packAcross(k, kb, j, min(w.j1, j+w.group))
		}
	}
	w.fetchB(p, kb, i, j, wide)
}

// packAcross packs the panels from column j to column end together, row by row as
// they lie, and returns the column after them.
func (w *work) packAcross(k, kb, j, end int) int {
	wide := w.t.width * maxVecs
	first, full := j, 0
	for j+wide <= end && w.t.vecs(w.p.n, j) == maxVecs {
		j, full = j+wide, full+1
	}
	done := 0
	if full > 0 {
		room := w.s.b[w.panelAt(first):]
		done = w.b.packRows(room, wide, wide*w.kstep+gap, first, wide/8, full, k, kb)
	}
	for q := first; q < j && done < kb; q += wide {
		w.b.fill(w.s.b[w.panelAt(q):], wide, q, wide, k, done, kb)
	}
	for j < end {
		vecs := w.t.vecs(w.p.n, j)
		w.b.packPanel(w.s.b[w.panelAt(j):], vecs*w.t.width, j, min(vecs*w.t.width, w.p.n-j), k, kb)
		j += vecs * w.t.width
	}
	return j
}

// fetchB lets the kernels fetch the next panel while they work on this one.
func (w *work) fetchB(p panelSource, kb, i, j, wide int) {
	if w.a.along || w.group*w.kstep < fetchSize || i == w.i0 && p != panelsAcross {
		return
	}
	j += wide
	if j >= w.j1 {
		if j = w.j0; i+w.istep >= w.i1 {
			return
		}
	}
	if j < w.base+w.group {
		w.s.args.next, w.s.args.nextLines = unsafe.Pointer(&w.s.b[w.panelAt(j)]), kb*wide/32
	}
}

// unpack widens part of a packed panel of pairs.
func (w *work) unpack(dst []float32, j, vecs, k, kb int) {
	wide := vecs * w.t.width
	src := w.packedPanel(j, vecs, k/2, ceil(w.p.k, 2))
	if w.b.order == plain {
		unpackPairsBF16(&dst[0], src, ceil(kb, 2), wide/8)
		return
	}
	unpackPairsSwap(&dst[0], src, ceil(kb, 2), wide/8)
	if kb%2 == 1 { // the last element has no partner to change places with
		copy(dst[(kb-1)*wide:kb*wide], dst[kb*wide:])
	}
}

// packedPanel is the panel at column j, from a step on, of a packed B with the
// given steps in all.
func (w *work) packedPanel(j, vecs, step, steps int) unsafe.Pointer {
	return unsafe.Pointer(&w.p.b.panels[j*steps+step*vecs*w.t.width])
}

// pack makes panels of B, of all k: float32, or pairs of bfloat16.
func (t *simd) pack(pool *par.Pool, form Form, n, k int, b operand) operand {
	s := side{operand: b, k: k, along: form == NT}
	steps := k
	if b.half {
		s.order, steps = paired, ceil(k, 2)
	}
	panels := make([]float32, ceil(n, t.width)*t.width*steps)
	if steps > 0 {
		count := t.panels(n)
		pool.For(count, 1, func(_, lo, _ int) {
			j := t.panelColumn(n, lo, count)
			wide := t.vecs(n, j) * t.width
			s.packPanel(panels[j*steps:], wide, j, min(wide, n-j), 0, steps)
		})
	}
	return operand{half: b.half, panels: panels}
}

// tilesOfA is a block of A: the kernels that read it, where its tiles are, and the
// bytes between rows (or steps) and between tiles. With VDPBF16PS and an odd k the
// last step is apart.
type tilesOfA struct {
	table    *stripTable
	at       unsafe.Pointer
	ld, tile int
	inPlace  bool
	tail     int // 1 if the last step is at last
	last     unsafe.Pointer
}

// blockA makes kb steps from k of rows from i readable. Where A's rows lie along k
// the kernels broadcast from there; bfloat16 without VDPBF16PS is widened, and
// rows that lie across are packed tile by tile.
func (w *work) blockA(k, kb, i, rows int) tilesOfA {
	switch {
	case !w.a.along:
		return w.packTiles(k, kb, i, rows)
	case w.a.order == paired:
		a := w.rowsOfA(w.t.dotRows, i, 2*k)
		if 2*(k+kb) > w.p.k {
			last := grow(&w.s.a, rows)
			w.a.fillRows(last, 1, i, rows, k+kb-1, 1)
			a.tail, a.last = 1, unsafe.Pointer(&last[0])
		}
		return a
	case w.a.half:
		return w.widen(w.t.alongRows, k, kb, i, rows)
	}
	return w.rowsOfA(w.t.alongRows, i, k)
}

func (w *work) rowsOfA(table *stripTable, i, k int) tilesOfA {
	ld := w.a.bytes()
	return tilesOfA{table: table, at: w.a.address(i, k), ld: ld, tile: w.t.rows * ld, inPlace: true}
}

// fillRows writes kb steps from k of rows to dst, ld elements from row to row.
func (s *side) fillRows(dst []float32, ld, line, lines, k, kb int) {
	for r := range lines {
		for q := range kb {
			dst[r*ld+q] = s.step(line+r, k+q)
		}
	}
}

// widen copies a block of A's rows as float32.
func (w *work) widen(table *stripTable, k, kb, i, rows int) tilesOfA {
	ld := ceil(kb, 16)*16 + 16 // never a power of two
	dst := grow(&w.s.a, rows*ld)
	f := widenRowsBF16
	if w.a.order == swapped {
		f = widenRowsSwap
	}
	whole := kb &^ 7
	if whole > 0 {
		f(&dst[0], 4*ld, w.a.address(i, k), w.a.bytes(), rows, whole/8)
	}
	w.a.fillRows(dst[whole:], ld, i, rows, k+whole, kb-whole)
	return tilesOfA{table: table, at: unsafe.Pointer(&dst[0]), ld: 4 * ld, tile: 4 * ld * w.t.rows}
}

// packTiles packs rows that lie across k, tile by tile.
func (w *work) packTiles(k, kb, i, rows int) tilesOfA {
	mr := w.t.rows
	table, element, whole := w.t.alongColumns, k, kb
	if w.a.order == paired {
		table, element = w.t.dotColumns, 2*k
		if 2*(k+kb) > w.p.k {
			whole--
		}
	}
	full, step := rows/mr, kb*mr+gap
	dst := grow(&w.s.a, ceil(rows, mr)*step)
	quads := whole / 4
	if w.a.order == paired {
		quads = whole / 2
	}
	done := 0
	if full > 0 && quads > 0 {
		w.t.packTiles[w.a.order](&dst[0], 4*step, w.a.address(i, element), w.a.bytes(), quads, full)
		if done = 4 * quads; w.a.order == paired {
			done = 2 * quads
		}
	}
	for t := range full {
		w.a.fill(dst[t*step:], mr, i+t*mr, mr, k, done, kb)
	}
	if rest := rows - full*mr; rest > 0 {
		w.a.fill(dst[full*step:], mr, i+full*mr, rest, k, 0, kb)
	}
	return tilesOfA{table: table, at: unsafe.Pointer(&dst[0]), ld: 4 * mr, tile: 4 * step}
}

// thinA is a few rows of A as float32 in the order of memory; an odd k gets a -0
// more, the partner of the +0 that ends a packed B.
func (w *work) thinA(i, rows, pairs int) tilesOfA {
	table := w.t.halfMixed
	if w.p.pairs {
		table = w.t.halfPairs
	}
	if !w.a.half && w.p.k%2 == 0 {
		return w.rowsOfA(table, i, 0)
	}
	ld := 2 * pairs
	w.a.order = plain
	if w.a.half {
		a := w.widen(table, 0, w.p.k, i, rows)
		ld = a.ld / 4
		w.padThin(ld, rows)
		return a
	}
	dst := grow(&w.s.a, rows*ld)
	for r := range rows {
		copy(dst[r*ld:], w.a.f32[w.a.index(i+r, 0):][:w.p.k])
	}
	w.padThin(ld, rows)
	return tilesOfA{table: table, at: unsafe.Pointer(&dst[0]), ld: 4 * ld, tile: 4 * ld * w.t.rows}
}

func (w *work) padThin(ld, rows int) {
	if w.p.k%2 == 1 {
		for r := range rows {
			w.s.a[r*ld+w.p.k] = float32(math.Copysign(0, -1))
		}
	}
}
