//go:build !unix && !windows

package data

import "os"

// mapFile reads a file, where mapping is not to be had.
func mapFile(path string) (image []byte, unmap func() error, err error) {
	image, err = os.ReadFile(path)
	return image, func() error { return nil }, err
}
