//go:build !purego

package kernel

import "unsafe"

// maxUnit is the number of steps in the largest unit of Panels: blocks of k begin with one.
const maxUnit = 256

// directItems is the number of panels in an item of a product that takes them as they lie.
const directItems = 4

// panelTable is the kernels of a tier for each type: see _gen/quant.
type panelTable [numBlockTypes]func(args *panelArgs)

// splitDirect makes items of whole panels.
func (t *simd) splitDirect(p *product, threads int) int {
	if threads == 1 {
		return 1
	}
	return max(threads, ceil(ceil(p.n, panelRows), directItems))
}

// maxDirect is the most rows of activations for which panels are taken as they lie; with
// more, float32 made of them once pays. Measured at 8, on Zen 3.
const maxDirect = 8

func (p *product) direct() bool { return p.b.kept != nil && p.m <= maxDirect }

// direct computes C from panels as they lie, up to four rows at a time.
func (w *work) direct() {
	b, args := w.p.b.kept, &w.s.panel
	args.units = w.p.k / (b.steps * b.blocks)
	for j := w.j0; j < w.j1; j += panelRows {
		args.panel = unsafe.Pointer(&b.data[j/panelRows*b.panel])
		for i := w.i0; i < w.i1; {
			rows := min(len(w.t.panelRows), w.i1-i)
			w.directRows(b.kind, i, rows, j, min(panelRows, w.j1-j))
			i += rows
		}
	}
	*args = panelArgs{} // keeps nobody's memory
}

// directRows computes some rows from i on and some columns of C, those of a panel.
func (w *work) directRows(kind BlockType, i, rows, j, cols int) {
	args, c := &w.s.panel, w.p.c.Data[i*w.p.c.Stride+j:]
	out, ldc, wide := c, w.p.c.Stride, panelRows
	if cols < panelRows {
		out, ldc = grow(&w.s.tile, panelRows*rows), panelRows
	}
	if rows > 1 {
		wide = 2 * w.t.width
	}
	args.x, args.ldb, args.ldc = &w.a.f32[w.a.index(i, 0)], 4*w.a.stride, 4*ldc
	for args.first = 0; args.first < cols; args.first += wide {
		args.out = &out[args.first]
		w.t.panelRows[rows-1][kind](args)
	}
	for r := 0; r < rows && cols < panelRows; r++ {
		copy(c[r*w.p.c.Stride:][:cols], out[r*ldc:])
	}
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
