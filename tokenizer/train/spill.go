package train

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/aries-serpent/codexml/tokenizer/internal/heap"
)

// runs are files of counted words that did not fit into memory, each in the order of
// their bytes. A word is written as its count, its length and its text.
type runs struct {
	dir string

	mu    sync.Mutex
	paths []string
	err   error // the first
}

// maxRuns is how many files are merged at a time: few enough for any limit on open
// files, and to read each in long stretches.
const maxRuns = 64

// spill writes a table as a run and empties it.
func (r *runs) spill(t *wordTable) {
	order := make([]uint32, len(t.entries))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int {
		return bytes.Compare(t.word(&t.entries[a]), t.word(&t.entries[b]))
	})
	err := r.write(func(w *bufio.Writer) error {
		for _, i := range order {
			e := &t.entries[i]
			if err := writeWord(w, t.word(e), e.count); err != nil {
				return err
			}
		}
		return nil
	})
	t.empty()
	r.note(err)
}

// note keeps the first error.
func (r *runs) note(err error) {
	r.mu.Lock()
	r.err = cmp.Or(r.err, err)
	r.mu.Unlock()
}

// failed returns the first error.
func (r *runs) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// write adds a run that fill writes. When there are too many, they become one.
func (r *runs) write(fill func(w *bufio.Writer) error) error {
	path, err := writeRun(r.dir, fill)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paths = append(r.paths, path)
	if len(r.paths) < maxRuns {
		return nil
	}
	path, err = writeRun(r.dir, func(w *bufio.Writer) error {
		return mergeRuns(r.paths, func(word []byte, count uint64) error { return writeWord(w, word, count) })
	})
	if err != nil {
		return err
	}
	removeAll(r.paths)
	r.paths = []string{path}
	return nil
}

// close removes the files.
func (r *runs) close() { removeAll(r.paths) }

func removeAll(paths []string) {
	for _, path := range paths {
		os.Remove(path)
	}
}

// writeRun makes a file of what fill writes.
func writeRun(dir string, fill func(w *bufio.Writer) error) (path string, err error) {
	f, err := os.CreateTemp(dir, "codexml-words-*")
	if err != nil {
		return "", fmt.Errorf("write counted words: %w", err)
	}
	w := bufio.NewWriterSize(f, 1<<16)
	err = cmp.Or(fill(w), w.Flush(), f.Close())
	if err != nil {
		f.Close()
		os.Remove(f.Name())
		return "", fmt.Errorf("write counted words: %w", err)
	}
	return f.Name(), nil
}

func writeWord(w *bufio.Writer, word []byte, count uint64) error {
	var head [2 * binary.MaxVarintLen64]byte
	n := binary.PutUvarint(head[:], count)
	n += binary.PutUvarint(head[n:], uint64(len(word)))
	if _, err := w.Write(head[:n]); err != nil {
		return err
	}
	_, err := w.Write(word)
	return err
}

// runReader reads a run word by word.
type runReader struct {
	file  *os.File
	r     *bufio.Reader
	word  []byte
	count uint64
}

// Before orders readers by the word they are at.
func (a *runReader) Before(b *runReader) bool { return bytes.Compare(a.word, b.word) < 0 }

// next reads a word; io.EOF after the last.
func (a *runReader) next() error {
	count, err := binary.ReadUvarint(a.r)
	if err != nil {
		return err
	}
	size, err := binary.ReadUvarint(a.r)
	if err != nil {
		return noEOF(err)
	}
	a.count = count
	a.word = slices.Grow(a.word[:0], int(size))[:size]
	_, err = io.ReadFull(a.r, a.word)
	return noEOF(err)
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// mergeRuns calls each with every different word, in order, and its count in all runs.
func mergeRuns(paths []string, each func(word []byte, count uint64) error) (err error) {
	var readers []*runReader
	defer func() {
		for _, r := range readers {
			r.file.Close()
		}
		if err != nil {
			err = fmt.Errorf("read counted words: %w", err)
		}
	}()
	var queue []*runReader
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		r := &runReader{file: f, r: bufio.NewReaderSize(f, 1<<16)}
		readers = append(readers, r)
		if err := pushNext(&queue, r); err != nil {
			return err
		}
	}
	var word []byte
	for len(queue) > 0 {
		word = append(word[:0], queue[0].word...)
		count := uint64(0)
		for len(queue) > 0 && bytes.Equal(queue[0].word, word) {
			r := heap.Pop(&queue)
			count += r.count
			if err := pushNext(&queue, r); err != nil {
				return err
			}
		}
		if err := each(word, count); err != nil {
			return err
		}
	}
	return nil
}

// pushNext queues a reader at its next word, if it has one.
func pushNext(queue *[]*runReader, r *runReader) error {
	switch err := r.next(); {
	case err == nil:
		heap.Push(queue, r)
		return nil
	case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil
	default:
		return err
	}
}
