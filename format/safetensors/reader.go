package safetensors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const lengthSize = 8

// File is a checked file whose data is somewhere else: in memory (Parse), where
// it is never copied, or behind an io.ReaderAt (Open).
type File struct {
	Header
	start int64 // of the data
	r     io.ReaderAt
	data  []byte // of Parse: the data
}

// Parse checks a file in memory, which may be mapped. The File shares data.
func Parse(data []byte) (*File, error) {
	text, err := headerLength(data, int64(len(data)))
	if err != nil {
		return nil, err
	}
	start := lengthSize + text
	h, err := parseHeader(data[lengthSize:start], int64(len(data))-start)
	if err != nil {
		return nil, err
	}
	return &File{Header: *h, start: start, data: data[start:]}, nil
}

// Open checks a file of size bytes and reads its header. r must stay readable
// while the File is used.
func Open(r io.ReaderAt, size int64) (*File, error) {
	var prefix [lengthSize]byte
	if size >= lengthSize {
		if err := readFull(r, prefix[:], 0); err != nil {
			return nil, fmt.Errorf("read safetensors header: %w", err)
		}
	}
	length, err := headerLength(prefix[:], size)
	if err != nil {
		return nil, err
	}
	text := make([]byte, length) // not more than the file has
	if err := readFull(r, text, lengthSize); err != nil {
		return nil, fmt.Errorf("read safetensors header: %w", err)
	}
	start := lengthSize + length
	h, err := parseHeader(text, size-start)
	if err != nil {
		return nil, err
	}
	return &File{Header: *h, start: start, r: r}, nil
}

// headerLength reads the header's length from a file's first bytes.
func headerLength(prefix []byte, size int64) (int64, error) {
	if size < lengthSize {
		return 0, formatError("want at least %d bytes, got %d", lengthSize, size)
	}
	n := binary.LittleEndian.Uint64(prefix)
	if n > MaxHeader {
		return 0, formatError("the header's length is %d, the limit %d", n, MaxHeader)
	}
	if int64(n) > size-lengthSize {
		return 0, formatError("the header's length is %d, the file has %d bytes", n, size)
	}
	return int64(n), nil
}

// readFull is io.ReaderAt's ReadAt without the end of file that may come with the last bytes.
func readFull(r io.ReaderAt, p []byte, at int64) error {
	n, err := r.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// DataStart is where the data begins in the file.
func (f *File) DataStart() int64 { return f.start }

// Bytes returns a tensor's bytes without copying. The file must come from Parse.
func (f *File) Bytes(t Tensor) []byte {
	if f.r != nil {
		panic("safetensors: File.Bytes: the file is not in memory; use ReadAt")
	}
	return f.data[t.Begin:t.End:t.End]
}

// ReadAt fills p with a tensor's bytes from offset at.
func (f *File) ReadAt(t Tensor, p []byte, at int64) error {
	if at < 0 || int64(len(p)) > t.End-t.Begin-at {
		panic(fmt.Sprintf("safetensors: File.ReadAt: %d bytes at %d of a tensor of %d", len(p), at, t.End-t.Begin))
	}
	if f.r == nil {
		copy(p, f.data[t.Begin+at:])
		return nil
	}
	return readFull(f.r, p, f.start+t.Begin+at)
}
