package mmap

import (
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
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
	mapping, err := windows.CreateFileMapping(windows.Handle(f.Fd()), nil, windows.PAGE_READONLY, 0, 0, nil)
	if err != nil {
		return nil, nil, &fs.PathError{Op: "map", Path: path, Err: err}
	}
	defer windows.CloseHandle(mapping) // the view keeps it
	addr, err := windows.MapViewOfFile(mapping, windows.FILE_MAP_READ, 0, 0, uintptr(size))
	if err != nil {
		return nil, nil, &fs.PathError{Op: "map", Path: path, Err: err}
	}
	// Through a pointer to addr, as vet can't tell memory outside the heap.
	image = unsafe.Slice(*(**byte)(unsafe.Pointer(&addr)), size)
	return image, func() error { return windows.UnmapViewOfFile(addr) }, nil
}
