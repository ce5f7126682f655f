package tensor

import "github.com/aries-serpent/codexml/internal/kernel"

// align is the granule of an Arena in float32: a cache line.
const align = 16

// Arena hands out storage in order and takes it back in reverse. After the first
// step its slabs are as large as they will be, and nothing is allocated any more.
// Storage is not cleared: it holds whatever was there before.
type Arena struct {
	slabs [][]float32
	slab  int // the one in use
	used  int // elements of it in use
	least int // elements of a new slab, at least

	inUse, peak int
}

// Mark is a state of an Arena to go back to.
type Mark struct{ slab, used, inUse int }

// NewArena returns an arena whose first slab has room for the given number of
// bytes. Memory that is never used is never touched, so a generous size is free.
func NewArena(bytes int) *Arena {
	return &Arena{least: max((bytes+3)/4, 1<<12)}
}

// Mark returns the present state.
func (a *Arena) Mark() Mark { return Mark{a.slab, a.used, a.inUse} }

// Release takes back all that was handed out since m.
func (a *Arena) Release(m Mark) { a.slab, a.used, a.inUse = m.slab, m.used, m.inUse }

// Reset takes back everything.
func (a *Arena) Reset() { a.Release(Mark{}) }

// Peak is the largest number of bytes that was in use at a time.
func (a *Arena) Peak() int { return 4 * a.peak }

// Floats returns n elements.
func (a *Arena) Floats(n int) []float32 {
	size := (n + align - 1) / align * align
	for {
		if a.slab == len(a.slabs) {
			a.slabs = append(a.slabs, kernel.Floats(max(size, a.least)))
		}
		if s := a.slabs[a.slab]; a.used+size <= len(s) {
			out := s[a.used : a.used+n : a.used+n]
			a.used += size
			a.inUse += size
			a.peak = max(a.peak, a.inUse)
			return out
		}
		a.slab, a.used = a.slab+1, 0
	}
}

// Halves returns n 16-bit elements.
func (a *Arena) Halves(n int) []uint16 { return halves(a.Floats((n + 1) / 2))[:n] }

// New returns a rows x cols tensor.
func (a *Arena) New(d DType, rows, cols int) Tensor {
	t := Tensor{DType: d, Rows: rows, Cols: cols}
	if d == F32 {
		t.F32 = a.Floats(rows * cols)
	} else {
		t.BF16 = a.Halves(rows * cols)
	}
	return t
}
