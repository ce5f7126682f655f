package fsatomic

import (
	"io"
	"io/fs"
	"os"
)

// System is what the package does to a file system: everything that writes, so
// that tests can make any of it fail. Errors are those of package os.
type System interface {
	// Create makes a new file; it fails with fs.ErrExist if there is one.
	Create(name string, perm fs.FileMode) (File, error)
	// Mkdir makes one folder.
	Mkdir(name string, perm fs.FileMode) error
	// Rename moves a file over another, or a folder to a name that is free.
	Rename(from, to string) error
	// SyncDir brings a folder's entries to the disk, where the system can.
	SyncDir(name string) error
	// RemoveAll deletes a file or a folder with what is in it.
	RemoveAll(name string) error
}

// File is an open file of a System.
type File interface {
	io.Writer
	// Sync brings the contents to the disk.
	Sync() error
	Close() error
}

// osSystem is the real file system.
type osSystem struct{}

func (osSystem) Create(name string, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (osSystem) Mkdir(name string, perm fs.FileMode) error { return os.Mkdir(name, perm) }
func (osSystem) Rename(from, to string) error              { return os.Rename(from, to) }
func (osSystem) RemoveAll(name string) error               { return os.RemoveAll(name) }
func (osSystem) SyncDir(name string) error                 { return syncDir(name) }
