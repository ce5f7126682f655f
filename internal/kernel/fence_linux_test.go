package kernel

import (
	"syscall"
	"unsafe"
)

// fences are areas of memory that may be read only, behind which is none.
var fences = [2][]byte{newFence(1 << 20), newFence(1 << 20)}

func newFence(size int) []byte {
	area, err := syscall.Mmap(-1, 0, size+syscall.Getpagesize(), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		panic(err)
	}
	if err := syscall.Mprotect(area[size:], syscall.PROT_NONE); err != nil {
		panic(err)
	}
	return area[:size:size]
}

// fenced is a copy of x whose end is the end of memory: to read further is to crash.
func fenced[T float32 | uint16](which int, x []T) []T {
	if len(x) == 0 {
		return nil
	}
	bytes := len(x) * int(unsafe.Sizeof(x[0]))
	area := fences[which]
	to := unsafe.Slice((*T)(unsafe.Pointer(&area[len(area)-bytes])), len(x))
	copy(to, x)
	return to
}
