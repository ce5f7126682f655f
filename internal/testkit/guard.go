package testkit

import (
	"testing"
	"unsafe"
)

// Element is what the engine's vectors are made of.
type Element interface {
	~float32 | ~float64 | ~uint8 | ~int8 | ~uint16 | ~int32 | ~uint32 | ~int64
}

const (
	guardBytes = 256  // each band: more than the widest store of any kernel
	guardValue = 0xA5 // as float32 and bfloat16 a tiny negative number, never a result
	lineBytes  = 64   // a cache line, and the widest vector
)

// Guarded returns n zeroed elements with a guard band on either side, starting
// offset elements after the start of a cache line, and a func that fails the
// test if a band was written to. Call it after the kernel ran.
func Guarded[T Element](tb testing.TB, n, offset int) (data []T, check func()) {
	tb.Helper()
	var one T
	size := int(unsafe.Sizeof(one))
	raw := make([]byte, lineBytes+2*guardBytes+(offset+n)*size)
	for i := range raw {
		raw[i] = guardValue
	}
	misaligned := int(uintptr(unsafe.Pointer(unsafe.SliceData(raw))) % lineBytes)
	start := guardBytes + (lineBytes-misaligned)%lineBytes + offset*size
	end := start + n*size
	clear(raw[start:end])
	data = unsafe.Slice((*T)(unsafe.Pointer(&raw[start])), n)
	return data, func() {
		tb.Helper()
		for i := start - 1; i >= 0; i-- {
			if raw[i] != guardValue {
				tb.Fatalf("byte %d before a vector of %d (offset %d) was overwritten", start-i, n, offset)
			}
		}
		for i := end; i < len(raw); i++ {
			if raw[i] != guardValue {
				tb.Fatalf("byte %d after a vector of %d (offset %d) was overwritten", i-end+1, n, offset)
			}
		}
	}
}

// GuardedCopy is Guarded holding a copy of src.
func GuardedCopy[T Element](tb testing.TB, src []T, offset int) (data []T, check func()) {
	tb.Helper()
	data, check = Guarded[T](tb, len(src), offset)
	copy(data, src)
	return data, check
}
