//go:build unix || windows

// Package mmap maps files into memory, read-only. Readers of large files (token
// files, tensors) use it, so that opening costs the same at any size. The file may
// be replaced by another while it is mapped, but not written to in place or
// shortened. Calls are independent of one another.
package mmap

import (
	"fmt"
	"math"
	"os"
)

// mappable is the size of a file that can be mapped.
func mappable(f *os.File) (int, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, fmt.Errorf("%s is not a file", f.Name())
	}
	if info.Size() > math.MaxInt {
		return 0, fmt.Errorf("%s has %d bytes, too many for this machine's addresses", f.Name(), info.Size())
	}
	return int(info.Size()), nil
}
