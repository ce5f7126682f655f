package tensor

import "unsafe"

// halves views float32 storage as twice as many 16-bit elements.
func halves(f []float32) []uint16 {
	if len(f) == 0 {
		return nil
	}
	return unsafe.Slice((*uint16)(unsafe.Pointer(&f[0])), 2*len(f))
}
