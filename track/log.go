package track

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// file is what a log needs of an *os.File.
type file interface {
	io.WriterAt
	Sync() error
	Truncate(size int64) error
	Close() error
}

// log is a file that grows by whole lines and is rotated by size: PATH.1 is the
// newest of the full ones.
type log struct {
	path     string
	mode     fs.FileMode
	maxBytes int64 // 0: never rotated
	backups  int

	f    file
	size int64
}

// openLog opens or makes a log and cuts off the torn line that a crash may have
// left at its end.
func openLog(path string, mode fs.FileMode, maxBytes int64, backups int) (*log, error) {
	l := &log{path: path, mode: mode, maxBytes: maxBytes, backups: backups}
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("open log %s: %w", path, err)
	}
	return l, nil
}

func (l *log) open() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_RDWR, l.mode)
	if err != nil {
		return err
	}
	size, err := wholeLines(f)
	if err == nil {
		err = f.Truncate(size)
	}
	if err != nil {
		f.Close()
		return err
	}
	l.f, l.size = f, size
	return nil
}

// wholeLines is the length of f up to the end of its last whole line.
func wholeLines(f *os.File) (int64, error) {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	buf := make([]byte, 4096)
	for end > 0 {
		n := min(end, int64(len(buf)))
		if _, err := f.ReadAt(buf[:n], end-n); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return end - n + int64(i) + 1, nil
		}
		end -= n
	}
	return 0, nil
}

// append writes whole lines at once. After an error none of them is there.
func (l *log) append(lines []byte) error {
	if len(lines) == 0 {
		return nil
	}
	if l.f == nil {
		return fmt.Errorf("append to %s: %w", l.path, fs.ErrClosed)
	}
	if l.maxBytes > 0 && l.size > 0 && l.size+int64(len(lines)) > l.maxBytes {
		if err := l.rotate(); err != nil {
			return fmt.Errorf("rotate %s: %w", l.path, err)
		}
	}
	n, err := l.f.WriteAt(lines, l.size)
	if err != nil {
		if n > 0 { // part of a record, as when the disk is full
			err = errors.Join(err, l.f.Truncate(l.size))
		}
		return fmt.Errorf("append to %s: %w", l.path, err)
	}
	l.size += int64(n)
	return nil
}

// rotate gives every file the next number, dropping the last, and starts a new
// one. A crash in between leaves a gap in the numbers, which readers skip.
func (l *log) rotate() error {
	if err := l.close(); err != nil {
		return err
	}
	for i := l.backups; i >= 1; i-- {
		from := l.path
		if i > 1 {
			from = backup(l.path, i-1)
		}
		if err := os.Rename(from, backup(l.path, i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(err, l.open())
		}
	}
	if l.backups == 0 {
		if err := os.Remove(l.path); err != nil {
			return errors.Join(err, l.open())
		}
	}
	return l.open()
}

func backup(path string, i int) string { return fmt.Sprintf("%s.%d", path, i) }

func (l *log) sync() error {
	if l.f == nil {
		return fmt.Errorf("sync %s: %w", l.path, fs.ErrClosed)
	}
	return l.f.Sync()
}

func (l *log) close() error {
	if l.f == nil {
		return nil
	}
	err := errors.Join(l.f.Sync(), l.f.Close())
	l.f = nil
	return err
}
