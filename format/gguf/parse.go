package gguf

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

// The least that an entry and a tensor take in a file: counts are held against it.
const (
	minEntry  = 8 + 4 + 1
	minTensor = 8 + 4 + 4 + 8
	// maxDepth is how deep arrays may lie in arrays.
	maxDepth = 8
)

// image is one file, checked.
type image struct {
	Metadata
	version uint32
	tensors []Tensor
}

// cursor reads a file from front to back.
type cursor struct {
	data []byte
	at   int
}

func (c *cursor) left() uint64 { return uint64(len(c.data) - c.at) }

func (c *cursor) take(n uint64, what string) ([]byte, error) {
	if n > c.left() {
		return nil, formatError("at byte %d: %s takes %d bytes, the file has %d more", c.at, what, n, c.left())
	}
	out := c.data[c.at : c.at+int(n)]
	c.at += int(n)
	return out, nil
}

func (c *cursor) uint32(what string) (uint32, error) {
	data, err := c.take(4, what)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(data), nil
}

func (c *cursor) uint64(what string) (uint64, error) {
	data, err := c.take(8, what)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(data), nil
}

// count reads a number of things that take at least size bytes each.
func (c *cursor) count(size uint64, what string) (int, error) {
	n, err := c.uint64(what)
	if err == nil && n > c.left()/size {
		err = formatError("%s %d is more than the file's %d further bytes can hold", what, n, c.left())
	}
	return int(n), err
}

func (c *cursor) text(what string) (string, error) {
	n, err := c.uint64(what)
	if err != nil {
		return "", err
	}
	data, err := c.take(n, what)
	return string(data), err
}

// parseImage checks one file.
func parseImage(data []byte) (*image, error) {
	c := &cursor{data: data}
	f := &image{Metadata: Metadata{image: data}}
	numTensors, err := f.start(c)
	if err != nil {
		return nil, err
	}
	if err := f.readMetadata(c); err != nil {
		return nil, err
	}
	if uint64(numTensors) > c.left()/minTensor {
		return nil, formatError("the number of tensors %d is more than the file's %d further bytes can hold", numTensors, c.left())
	}
	offsets := make([]uint64, numTensors)
	f.tensors = make([]Tensor, numTensors)
	for i := range f.tensors {
		if f.tensors[i], offsets[i], err = readTensor(c); err != nil {
			return nil, err
		}
	}
	alignment, err := f.alignment()
	if err != nil {
		return nil, err
	}
	return f, f.place(offsets, uint64(c.at), alignment)
}

// start reads what comes before the metadata.
func (f *image) start(c *cursor) (numTensors int, err error) {
	head, err := c.take(4, "the magic")
	if err != nil {
		return 0, err
	}
	if string(head) != magic {
		return 0, formatError("it begins with %q, want %q", head, magic)
	}
	if f.version, err = c.uint32("the version"); err != nil {
		return 0, err
	}
	switch {
	case f.version&0xffff == 0 && f.version != 0:
		return 0, formatError("it is big-endian, which is not supported: convert it with gguf-convert-endian of the Python package gguf")
	case f.version != 2 && f.version != 3:
		return 0, formatError("it has version %d, versions 2 and 3 are supported: convert the model again with a current llama.cpp", f.version)
	}
	return c.count(minTensor, "the number of tensors")
}

func (f *image) readMetadata(c *cursor) error {
	n, err := c.count(minEntry, "the number of metadata entries")
	if err != nil {
		return err
	}
	f.entries = make([]entry, n)
	for i := range f.entries {
		if f.entries[i], err = readEntry(c); err != nil {
			return err
		}
	}
	f.byKey = make([]int32, n)
	for i := range f.byKey {
		f.byKey[i] = int32(i)
	}
	slices.SortFunc(f.byKey, func(a, b int32) int { return strings.Compare(f.entries[a].key, f.entries[b].key) })
	for i := 1; i < n; i++ {
		if key := f.entries[f.byKey[i]].key; key == f.entries[f.byKey[i-1]].key {
			return formatError("metadata %.100q comes twice", key)
		}
	}
	return nil
}

func readEntry(c *cursor) (entry, error) {
	key, err := c.text("a metadata key")
	if err != nil {
		return entry{}, err
	}
	kind, err := c.uint32("the kind of metadata " + limited(key))
	if err != nil {
		return entry{}, err
	}
	size, err := valueSize(Kind(kind), c.data[c.at:], 0)
	if err != nil {
		return entry{}, fmt.Errorf("metadata %.100q at byte %d: %w", key, c.at, err)
	}
	begin := c.at
	c.at += size
	return entry{key: key, kind: Kind(kind), begin: begin, end: c.at}, nil
}

func limited(key string) string { return key[:min(len(key), 100)] }

// valueSize checks a value at the beginning of data and returns its size in bytes.
func valueSize(k Kind, data []byte, depth int) (int, error) {
	c := &cursor{data: data}
	switch {
	case k >= numKinds:
		return 0, formatError("value of unknown %v", k)
	case k == KindString:
		n, err := c.uint64("a string's length")
		if err == nil {
			_, err = c.take(n, "a string")
		}
		return c.at, err
	case k != KindArray:
		_, err := c.take(uint64(kinds[k].size), "a value")
		return c.at, err
	}
	if depth == maxDepth {
		return 0, formatError("arrays lie more than %d deep in one another", maxDepth)
	}
	elem, err := c.uint32("an array's kind")
	if err != nil {
		return 0, err
	}
	if Kind(elem) >= numKinds {
		return 0, formatError("array of unknown %v", Kind(elem))
	}
	size := kinds[elem].size
	least := size
	if least == 0 {
		least = 8 // a length
	}
	n, err := c.count(uint64(least), "an array's length")
	if err != nil {
		return 0, err
	}
	if size > 0 {
		return c.at + n*size, nil
	}
	for range n {
		size, err := valueSize(Kind(elem), data[c.at:], depth+1)
		if err != nil {
			return 0, err
		}
		c.at += size
	}
	return c.at, nil
}

func readTensor(c *cursor) (t Tensor, offset uint64, err error) {
	if t.Name, err = c.text("a tensor's name"); err != nil {
		return t, 0, err
	}
	what := "the description of tensor " + limited(t.Name)
	rank, err := c.uint32(what)
	if err != nil {
		return t, 0, err
	}
	if rank > MaxRank {
		return t, 0, formatError("tensor %.100q has %d dimensions, at most %d are allowed", t.Name, rank, MaxRank)
	}
	t.Shape = make([]int, rank)
	for i := range t.Shape {
		dim, err := c.uint64(what)
		if err != nil {
			return t, 0, err
		}
		if dim > math.MaxInt {
			return t, 0, formatError("tensor %.100q: dimension %d is too large", t.Name, dim)
		}
		t.Shape[len(t.Shape)-1-i] = int(dim)
	}
	kind, err := c.uint32(what)
	if err != nil {
		return t, 0, err
	}
	t.Type = Type(kind)
	offset, err = c.uint64(what)
	return t, offset, err
}

func (f *image) alignment() (uint64, error) {
	v, ok := f.Meta("general.alignment")
	if !ok {
		return DefaultAlignment, nil
	}
	n, err := v.Int()
	if err != nil {
		return 0, err
	}
	if n <= 0 || n&(n-1) != 0 || n > math.MaxUint32 {
		return 0, formatError("general.alignment is %d, want a power of two", n)
	}
	return uint64(n), nil
}

// place finds the tensors' bytes, given where each begins, counted from the first
// aligned byte after the descriptions.
func (f *image) place(offsets []uint64, end, alignment uint64) error {
	start := min((end+alignment-1)/alignment*alignment, uint64(len(f.image)))
	data := f.image[start:]
	order := make([]int32, len(offsets))
	for i := range f.tensors {
		t, offset := &f.tensors[i], offsets[i]
		order[i] = int32(i)
		size, err := t.size()
		if err != nil {
			return formatError("%w", err)
		}
		if offset%alignment != 0 {
			return formatError("tensor %.100q begins at byte %d of the data, want a multiple of %d", t.Name, offset, alignment)
		}
		if offset > uint64(len(data)) || uint64(size) > uint64(len(data))-offset {
			return formatError("tensor %.100q: %v of shape %v takes %d bytes at %d, the file has %d bytes of data: it is cut off, or lies", t.Name, t.Type, t.Shape, size, offset, len(data))
		}
		t.Data = data[offset : offset+uint64(size) : offset+uint64(size)]
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(offsets[a], offsets[b]), cmp.Compare(len(f.tensors[a].Data), len(f.tensors[b].Data)))
	})
	for i := 1; i < len(order); i++ {
		before, t := f.tensors[order[i-1]], f.tensors[order[i]]
		if offsets[order[i]] < offsets[order[i-1]]+uint64(len(before.Data)) {
			return formatError("tensors %.100q and %.100q overlap", before.Name, t.Name)
		}
	}
	return nil
}
