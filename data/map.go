//go:build unix || windows

package data

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
