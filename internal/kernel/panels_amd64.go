//go:build !purego

package kernel

// maxUnit is the number of steps in the largest unit of Panels: blocks of k begin with one.
const maxUnit = 256

// rowItems is the number of panels in an item of a product of one row.
const rowItems = 4

// splitRow makes items of whole panels.
func (t *simd) splitRow(p *product, threads int) int {
	if threads == 1 || p.n*p.k < minWork {
		return 1
	}
	return max(threads, ceil(ceil(p.n, panelRows), rowItems))
}

// row computes one row of C from panels as they lie.
func (w *work) row() {
	b := w.p.b.kept
	x := w.a.f32[w.a.index(w.i0, 0):][:w.p.k]
	c := w.p.c.Data[w.i0*w.p.c.Stride:]
	for j := w.j0; j < w.j1; j += panelRows {
		sums := c[j:min(j+panelRows, w.j1)]
		if len(sums) == panelRows {
			b.rowGeneric(sums, x, j)
			continue
		}
		tile := grow(&w.s.tile, panelRows)
		b.rowGeneric(tile[:panelRows], x, j)
		copy(sums, tile)
	}
}

func (b *Panels) rowGeneric(sums, x []float32, j int) {
	w := make([]float32, len(x))
	for i := range sums {
		if j+i >= b.n {
			return
		}
		b.chain(w, j+i)
		sum := float32(0)
		for k := range x {
			sum = fmaGeneric(x[k], w[k], sum)
		}
		sums[i] = sum
	}
}

// weights writes kb steps from k of the panel at column j.
func (t *simd) weights(b *Panels, dst []float32, j, vecs, k, kb int) {
	w := make([]float32, b.k)
	for i := range vecs * t.width {
		if j+i < b.n {
			b.chain(w, j+i)
			for q := range kb {
				dst[q*vecs*t.width+i] = w[k+q]
			}
		}
	}
}
