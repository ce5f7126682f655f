package train

import (
	"cmp"
	"context"
	"encoding/binary"
	"iter"
	"math/bits"
	"sync"
)

// wordTable counts pieces of text: an open hash table whose entries point into one
// slice that holds each different piece once.
type wordTable struct {
	slots   []uint32 // entry+1; 0 is free
	entries []wordEntry
	text    []byte
}

// wordEntry is a piece and how often it was seen.
type wordEntry struct {
	count uint64
	hash  uint64
	start uint64 // in text
	size  uint32
}

func newWordTable() *wordTable { return &wordTable{slots: make([]uint32, 1<<12)} }

// word is the text of an entry.
func (w *wordTable) word(e *wordEntry) []byte { return w.text[e.start : e.start+uint64(e.size)] }

// add counts a piece n times. hash must be hashWord(piece).
func (w *wordTable) add(piece []byte, hash, n uint64) {
	mask := uint64(len(w.slots) - 1)
	at := hash >> 32 & mask
	for ; w.slots[at] != 0; at = (at + 1) & mask {
		e := &w.entries[w.slots[at]-1]
		if e.hash == hash && string(w.word(e)) == string(piece) {
			e.count += n
			return
		}
	}
	w.entries = append(w.entries, wordEntry{n, hash, uint64(len(w.text)), uint32(len(piece))})
	w.text = append(w.text, piece...)
	w.slots[at] = uint32(len(w.entries))
	if 2*len(w.entries) > len(w.slots) {
		w.grow()
	}
}

// grow doubles the table.
func (w *wordTable) grow() {
	w.slots = make([]uint32, 2*len(w.slots))
	mask := uint64(len(w.slots) - 1)
	for i := range w.entries {
		at := w.entries[i].hash >> 32 & mask
		for w.slots[at] != 0 {
			at = (at + 1) & mask
		}
		w.slots[at] = uint32(i + 1)
	}
}

// hashWord mixes a piece, eight bytes at a time. Nothing that is kept depends on it.
func hashWord(piece []byte) uint64 {
	h := uint64(len(piece)) * 0x9E3779B97F4A7C15
	for len(piece) >= 8 {
		h = mixWord(h, binary.LittleEndian.Uint64(piece))
		piece = piece[8:]
	}
	var last uint64
	for i, b := range piece {
		last |= uint64(b) << (8 * i)
	}
	return mixWord(h, last)
}

func mixWord(h, w uint64) uint64 {
	hi, lo := bits.Mul64(h^w, 0xA0761D6478BD642F)
	return hi ^ lo
}

// addText counts the pieces of a text.
func (w *wordTable) addText(text []byte, split Split) {
	split(text, func(piece []byte) { w.add(piece, hashWord(piece), 1) })
}

// addTable counts all that another table has counted.
func (w *wordTable) addTable(from *wordTable) {
	for i := range from.entries {
		e := &from.entries[i]
		w.add(from.word(e), e.hash, e.count)
	}
}

// chunkSize is about how much text a counting goroutine gets at a time.
const chunkSize = 1 << 20

// chunk is text copied from documents, to be counted.
type chunk struct {
	text []byte
	ends []int // of the texts in it
}

// countWords counts the pieces of all documents. Tables that outgrow their share of
// the memory are spilled.
func countWords(ctx context.Context, docs iter.Seq[[]byte], opts *Options) (*wordTable, error) {
	full, empty := make(chan *chunk, opts.Threads), make(chan *chunk, 2*opts.Threads+1)
	tables := make([]*wordTable, opts.Threads)
	spilled := &runs{dir: opts.TempDir}
	defer spilled.close()
	most := int(opts.Memory) / 2 / opts.Threads
	var counting sync.WaitGroup
	for i := range tables {
		tables[i] = newWordTable()
		counting.Go(func() {
			for c := range full {
				c.count(tables[i], opts.Split)
				empty <- c
				if tables[i].size() > most {
					spilled.spill(tables[i])
				}
			}
		})
	}
	for range cap(empty) {
		empty <- new(chunk)
	}
	err := fillChunks(ctx, docs, opts.Cut, full, empty, spilled.failed)
	counting.Wait()
	if err = cmp.Or(err, spilled.failed()); err != nil {
		return nil, err
	}
	return gather(tables, spilled, opts)
}

// gather makes one table of what was counted, without rare words.
func gather(tables []*wordTable, spilled *runs, opts *Options) (*wordTable, error) {
	if len(spilled.paths) == 0 {
		for _, t := range tables[1:] {
			tables[0].addTable(t)
		}
		return tables[0].without(opts.MinWordCount), nil
	}
	for _, t := range tables {
		spilled.spill(t)
	}
	if err := spilled.failed(); err != nil {
		return nil, err
	}
	all := newWordTable()
	words, size := int64(0), int64(0)
	err := mergeRuns(spilled.paths, func(word []byte, count uint64) error {
		if count < opts.MinWordCount {
			return nil
		}
		words++
		size += int64(len(word))
		if learningTakes(words, size) <= opts.Memory {
			all.append(word, count)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, checkFits(words, size, opts.Memory)
}

// append adds a word that the table does not have, and that need not be found again.
func (w *wordTable) append(word []byte, count uint64) {
	w.entries = append(w.entries, wordEntry{count: count, start: uint64(len(w.text)), size: uint32(len(word))})
	w.text = append(w.text, word...)
}

// without returns a table with the words that were seen at least so often.
func (w *wordTable) without(least uint64) *wordTable {
	if least <= 1 {
		return w
	}
	kept := newWordTable()
	for i := range w.entries {
		if e := &w.entries[i]; e.count >= least {
			kept.append(w.word(e), e.count)
		}
	}
	return kept
}

// size is about how many bytes the table takes.
func (w *wordTable) size() int { return cap(w.text) + 40*cap(w.entries) + 4*len(w.slots) }

// empty takes all words out, and keeps the room for as many.
func (w *wordTable) empty() {
	clear(w.slots)
	w.entries, w.text = w.entries[:0], w.text[:0]
}

// count counts the chunk's texts and empties it.
func (c *chunk) count(table *wordTable, split Split) {
	start := 0
	for _, end := range c.ends {
		table.addText(c.text[start:end], split)
		start = end
	}
	c.text, c.ends = c.text[:0], c.ends[:0]
}

// fillChunks copies the documents into chunks, and closes full after the last.
// Large documents are cut where a piece ends in any case, so that the counts are
// those of the whole.
func fillChunks(ctx context.Context, docs iter.Seq[[]byte], cut Cut, full chan<- *chunk, empty <-chan *chunk, failed func() error) error {
	defer close(full)
	c := <-empty
	send := func() {
		full <- c
		c = <-empty
	}
	for doc := range docs {
		for len(doc) > 0 {
			if err := cmp.Or(ctx.Err(), failed()); err != nil {
				return err
			}
			n := cut(doc, chunkSize)
			c.text = append(c.text, doc[:n]...)
			c.ends = append(c.ends, len(c.text))
			if doc = doc[n:]; len(c.text) >= chunkSize {
				send()
			}
		}
	}
	full <- c
	return nil
}
