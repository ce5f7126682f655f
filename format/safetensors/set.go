package safetensors

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/aries-serpent/codexml/internal/mmap"
	"github.com/aries-serpent/codexml/internal/shards"
)

// IndexSuffix is how the name of a split model's index ends.
const IndexSuffix = ".safetensors.index.json"

// Set is a model in one mapped file, or in several that an index names. Opening reads
// the headers alone. It is safe for concurrent use until it is closed.
type Set struct {
	// Paths are the files, in the order of their names.
	Paths []string
	files []*File
	where map[string]int // which file has a tensor
	unmap []func() error
}

// OpenSet maps a file, or the files of an index (a path that ends in IndexSuffix),
// and checks them.
func OpenSet(path string) (s *Set, err error) {
	s = &Set{where: map[string]int{}}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open %s: %w", path, err), s.Close())
			s = nil
		}
	}()
	return s, shards.Open(path, IndexSuffix, s.add)
}

func (s *Set) add(path string) (names []string, err error) {
	image, unmap, err := mmap.Open(path)
	if err != nil {
		return nil, err
	}
	s.unmap = append(s.unmap, unmap)
	f, err := Parse(image)
	if err != nil {
		return nil, err
	}
	for _, t := range f.Tensors {
		if i, twice := s.where[t.Name]; twice {
			return nil, formatError("tensor %.100q is in %s too", t.Name, filepath.Base(s.Paths[i]))
		}
		s.where[t.Name] = len(s.files)
	}
	s.files, s.Paths = append(s.files, f), append(s.Paths, path)
	return f.Names(), nil
}

// Names lists the tensors' names, sorted.
func (s *Set) Names() []string { return slices.Sorted(maps.Keys(s.where)) }

// Find returns the tensor of a name and its bytes, which are mapped.
func (s *Set) Find(name string) (Tensor, []byte, bool) {
	i, ok := s.where[name]
	if !ok {
		return Tensor{}, nil, false
	}
	t, ok := s.files[i].Find(name)
	return t, s.files[i].Bytes(t), ok
}

// Close unmaps the files: no tensor's bytes may be used afterwards.
func (s *Set) Close() error {
	var errs []error
	for _, unmap := range s.unmap {
		errs = append(errs, unmap())
	}
	s.unmap = nil
	return errors.Join(errs...)
}
