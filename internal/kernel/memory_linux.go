package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// preferLargePages asks for large pages in the whole ones of b. The system may
// decline, and nothing but speed depends on it.
func preferLargePages(b []byte) {
	start := -uintptr(unsafe.Pointer(&b[0])) % largePage
	if end := (uintptr(len(b)) - start) / largePage * largePage; uintptr(len(b)) > start && end > 0 {
		_ = unix.Madvise(b[start:start+end], unix.MADV_HUGEPAGE)
	}
}
