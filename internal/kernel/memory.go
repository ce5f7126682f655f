package kernel

import "unsafe"

// largePage is the size of a large page; what is smaller gets none.
const largePage = 2 << 20

// Floats returns n zeros, in large pages where they are many and the system has
// such pages: the processor then finds the places of a matrix without looking its
// pages up.
func Floats(n int) []float32 {
	x := make([]float32, n)
	if n >= largePage/4 {
		preferLargePages(unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 4*n))
	}
	return x
}

// Halves is Floats for 16-bit elements.
func Halves(n int) []uint16 {
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(Floats((n+1)/2)))), n)
}
