//go:build !windows

package fsatomic

import (
	"errors"
	"os"
	"syscall"
)

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil // some network and user-space file systems cannot sync a folder
	}
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	return err
}
