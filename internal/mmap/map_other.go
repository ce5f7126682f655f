//go:build !unix && !windows

package mmap

import "os"

// Open reads a file, where mapping is not to be had.
func Open(path string) (image []byte, unmap func() error, err error) {
	image, err = os.ReadFile(path)
	return image, func() error { return nil }, err
}
