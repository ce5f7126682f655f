//go:build !purego

package kernel

import "unsafe"

// maxUnit is the number of steps in the largest unit of Panels: blocks of k begin with one.
const maxUnit = 256

// rowItems is the number of panels in an item of a product of one row.
const rowItems = 4

// panelTable is the kernels of a tier for each type: see _gen/quant.
type panelTable [numBlockTypes]func(args *panelArgs)

// splitRow makes items of whole panels.
func (t *simd) splitRow(p *product, threads int) int {
	if threads == 1 || p.n*p.k < minWork {
		return 1
	}
	return max(threads, ceil(ceil(p.n, panelRows), rowItems))
}

// row computes one row of C from panels as they lie.
func (w *work) row() {
	b, args := w.p.b.kept, &w.s.panel
	c := w.p.c.Data[w.i0*w.p.c.Stride:]
	args.x, args.units = &w.a.f32[w.a.index(w.i0, 0)], w.p.k/(b.steps*b.blocks)
	for j := w.j0; j < w.j1; j += panelRows {
		sums := c[j:min(j+panelRows, w.j1)]
		args.panel, args.out = unsafe.Pointer(&b.data[j/panelRows*b.panel]), &sums[0]
		if len(sums) == panelRows {
			w.t.panelRow[b.kind](args)
			continue
		}
		tile := grow(&w.s.tile, panelRows)
		args.out = &tile[0]
		w.t.panelRow[b.kind](args)
		copy(sums, tile)
	}
	*args = panelArgs{} // keeps nobody's memory
}

// fillKept makes float32 of kb steps from k of the columns of a panel of products, vecs
// registers wide. Columns that Panels has not hold anything.
func (w *work) fillKept(dst []float32, j, vecs, k, kb int) {
	b, args, wide := w.p.b.kept, &w.s.panel, vecs*w.t.width
	unit := b.steps * b.blocks
	args.units, args.ldb = kb/unit, 4*wide
	for v := 0; v < wide && j+v < b.n; v += w.t.width {
		at := (j+v)/panelRows*b.panel + k/unit*b.unit
		args.panel, args.first, args.out = unsafe.Pointer(&b.data[at]), (j+v)%panelRows, &dst[v]
		w.t.panelFill[b.kind](args)
	}
	*args = panelArgs{}
}
