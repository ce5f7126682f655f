//go:build unix

package mmap

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Open maps a file into memory, read-only, and returns what undoes it. An empty
// file gives an empty image.
func Open(path string) (image []byte, unmap func() error, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	size, err := mappable(f)
	if size == 0 || err != nil {
		return nil, func() error { return nil }, err
	}
	image, err = unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, &fs.PathError{Op: "map", Path: path, Err: err}
	}
	return image, func() error { return unix.Munmap(image) }, nil
}
