package safetensors

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/aries-serpent/codexml/internal/jsonscan"
)

const metadataName = "__metadata__"

// Header is the checked header of a file.
type Header struct {
	// Tensors are in the order of their bytes.
	Tensors  []Tensor
	byName   []int32 // positions in Tensors, sorted by name
	metadata []byte  // JSON object, nil if there is none
}

// Find returns the tensor of a name.
func (h *Header) Find(name string) (Tensor, bool) {
	i, ok := slices.BinarySearchFunc(h.byName, name, func(at int32, name string) int { return strings.Compare(h.Tensors[at].Name, name) })
	if !ok {
		return Tensor{}, false
	}
	return h.Tensors[h.byName[i]], true
}

// Names lists the tensors' names, sorted.
func (h *Header) Names() []string {
	names := make([]string, len(h.byName))
	for i, at := range h.byName {
		names[i] = h.Tensors[at].Name
	}
	return names
}

// Metadata returns a new map of the header's free-form entries, nil if it has none.
func (h *Header) Metadata() map[string]string {
	if h.metadata == nil {
		return nil
	}
	m := map[string]string{}
	_ = metadataEntries(jsonscan.New(h.metadata), func(key, value jsonscan.Text) { m[key.String()] = value.String() }) // was checked
	return m
}

func metadataEntries(s *jsonscan.Scanner, entry func(key, value jsonscan.Text)) error {
	return s.Object(func(key jsonscan.Text) error {
		value, err := s.Text()
		if err == nil {
			entry(key, value)
		}
		return err
	})
}

// parseHeader reads a header's JSON; dataSize is the number of bytes after it.
func parseHeader(text []byte, dataSize int64) (*Header, error) {
	var sizes headerSizes
	if err := scanHeader(text, &sizes); err != nil {
		return nil, err
	}
	h := &Header{Tensors: make([]Tensor, 0, sizes.tensors), byName: make([]int32, sizes.tensors), metadata: bytes.Clone(sizes.metadata)}
	dims := make([]int, 0, sizes.dims)
	if err := scanHeader(text, &headerFill{h, dims}); err != nil {
		return nil, err
	}
	slices.SortStableFunc(h.Tensors, func(a, b Tensor) int { return cmp.Or(cmp.Compare(a.Begin, b.Begin), cmp.Compare(a.End, b.End)) })
	for i := range h.byName {
		h.byName[i] = int32(i)
	}
	slices.SortFunc(h.byName, func(a, b int32) int { return strings.Compare(h.Tensors[a].Name, h.Tensors[b].Name) })
	return h, h.check(dataSize)
}

// check holds the header against itself and the size of the data: tensors lie
// side by side from the first byte to the last.
func (h *Header) check(dataSize int64) error {
	for i := 1; i < len(h.byName); i++ {
		if name := h.Tensors[h.byName[i]].Name; name == h.Tensors[h.byName[i-1]].Name {
			return formatError("tensor %.100q comes twice", name)
		}
	}
	at := int64(0)
	for _, t := range h.Tensors {
		if t.Begin != at || t.End < t.Begin {
			return formatError("tensor %.100q is at bytes %d to %d, want it to begin at %d: there is a hole or an overlap", t.Name, t.Begin, t.End, at)
		}
		size, ok := t.Bytes()
		if !ok {
			return formatError("tensor %.100q: %s of shape %v has no size in bytes", t.Name, t.DType, t.Shape)
		}
		if size != t.End-t.Begin {
			return formatError("tensor %.100q: %s of shape %v takes %d bytes, data_offsets give it %d", t.Name, t.DType, t.Shape, size, t.End-t.Begin)
		}
		at = t.End
	}
	if at != dataSize {
		return formatError("the header places %d bytes of data, there are %d", at, dataSize)
	}
	return nil
}

// visitor receives a header's parts. The first pass counts what the second fills,
// so that a header cannot ask for more memory than its own length justifies.
type visitor interface {
	tensor(name jsonscan.Text, d DType, begin, end int64)
	dim(size int64)
	meta(text []byte)
}

type headerSizes struct {
	tensors, dims int
	metadata      []byte
}

func (s *headerSizes) tensor(jsonscan.Text, DType, int64, int64) { s.tensors++ }
func (s *headerSizes) dim(int64)                                 { s.dims++ }
func (s *headerSizes) meta(text []byte)                          { s.metadata = text }

type headerFill struct {
	h    *Header
	dims []int // of all tensors; those after the last tensor are the next one's
}

func (f *headerFill) tensor(name jsonscan.Text, d DType, begin, end int64) {
	f.h.Tensors = append(f.h.Tensors, Tensor{Name: name.String(), DType: d, Shape: slices.Clip(f.dims), Begin: begin, End: end})
	f.dims = f.dims[len(f.dims):]
}
func (f *headerFill) dim(size int64) { f.dims = append(f.dims, int(size)) }
func (f *headerFill) meta([]byte)    {}

func scanHeader(text []byte, v visitor) error {
	s := jsonscan.New(text)
	seen := false
	err := s.Object(func(name jsonscan.Text) error {
		if string(name.Bytes()) != metadataName {
			return scanTensor(s, name, v)
		}
		if seen {
			return formatError("%s comes twice", metadataName)
		}
		seen = true
		if s.Null() {
			return nil
		}
		mark := *s
		if err := metadataEntries(s, func(_, _ jsonscan.Text) {}); err != nil {
			return err
		}
		object, err := mark.Value()
		v.meta(object)
		return err
	})
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return formatError("header: %w", err)
	}
	return nil
}

func scanTensor(s *jsonscan.Scanner, name jsonscan.Text, v visitor) error {
	const dtype, shape, offsets = 1, 2, 4
	var (
		seen  int
		d     DType
		place [2]int64
	)
	once := func(field int) error {
		if seen&field != 0 {
			return s.Errorf("tensor %.100q: a field comes twice", name.Bytes())
		}
		seen |= field
		return nil
	}
	err := s.Object(func(field jsonscan.Text) (err error) {
		switch string(field.Bytes()) {
		case "dtype":
			if err = once(dtype); err == nil {
				d, err = scanDType(s, name)
			}
		case "shape":
			if err = once(shape); err == nil {
				err = scanShape(s, name, v)
			}
		case "data_offsets":
			if err = once(offsets); err == nil {
				err = scanOffsets(s, name, &place)
			}
		default:
			_, err = s.Value()
		}
		return err
	})
	if err != nil {
		return err
	}
	if seen != dtype|shape|offsets {
		return s.Errorf("tensor %.100q: want dtype, shape and data_offsets", name.Bytes())
	}
	v.tensor(name, d, place[0], place[1])
	return nil
}

func scanDType(s *jsonscan.Scanner, name jsonscan.Text) (DType, error) {
	text, err := s.Text()
	if err != nil {
		return 0, err
	}
	d, ok := parseDType(text.Bytes())
	if !ok {
		return 0, s.Errorf("tensor %.100q: unknown dtype %.40q", name.Bytes(), text.Bytes())
	}
	return d, nil
}

func scanShape(s *jsonscan.Scanner, name jsonscan.Text, v visitor) error {
	rank := 0
	return s.Array(func() error {
		if rank++; rank > MaxRank {
			return s.Errorf("tensor %.100q: more than %d dimensions", name.Bytes(), MaxRank)
		}
		size, err := s.Uint()
		if err == nil && int64(int(size)) != size {
			err = s.Errorf("tensor %.100q: dimension %d is too large for this machine", name.Bytes(), size)
		}
		v.dim(size)
		return err
	})
}

func scanOffsets(s *jsonscan.Scanner, name jsonscan.Text, place *[2]int64) error {
	i := 0
	err := s.Array(func() (err error) {
		if i == len(place) {
			return s.Errorf("tensor %.100q: data_offsets: want 2 numbers, got more", name.Bytes())
		}
		place[i], err = s.Uint()
		i++
		return err
	})
	if err == nil && i < len(place) {
		err = s.Errorf("tensor %.100q: data_offsets: want 2 numbers, got %d", name.Bytes(), i)
	}
	return err
}
