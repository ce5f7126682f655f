package gguf

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aries-serpent/codexml/internal/mmap"
)

// File is an open model: one file, or all parts of a split one.
type File struct {
	// Metadata are those of the first part.
	Metadata
	// Tensors are in the file's order, part after part.
	Tensors []Tensor
	// Paths are the parts, in order; none if the file came from memory.
	Paths []string
	// Version of the first part.
	Version uint32

	byName []int32
	unmap  []func() error
}

// Parse checks a file in memory. The File shares data.
func Parse(data []byte) (*File, error) {
	part, err := parseImage(data)
	if err != nil {
		return nil, err
	}
	f := &File{Metadata: part.Metadata, Tensors: part.tensors, Version: part.version}
	return f, f.index()
}

// Open maps a file and checks it. A part of a split model,
// NAME-00001-of-00003.gguf, opens all parts, which must lie beside it.
func Open(path string) (f *File, err error) {
	f = &File{}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open %s: %w", path, err), f.Close())
			f = nil
		}
	}()
	part, err := f.mapPart(path)
	if err != nil {
		return f, err
	}
	count, err := part.split("split.count", 1)
	if err != nil {
		return f, err
	}
	if count <= 1 {
		f.add(part, path)
		return f, f.index()
	}
	paths, err := partPaths(path, count)
	if err != nil {
		return f, err
	}
	if err := f.openParts(path, part, paths); err != nil {
		return f, err
	}
	return f, f.index()
}

// openParts adds all parts; one of them is open already.
func (f *File) openParts(path string, open *image, paths []string) (err error) {
	for i, p := range paths {
		part := open
		if p != path {
			if part, err = f.mapPart(p); err != nil {
				return fmt.Errorf("part %d of %d: %w", i+1, len(paths), err)
			}
		}
		no, err := part.split("split.no", -1)
		if err != nil {
			return err
		}
		count, err := part.split("split.count", 1)
		if err != nil {
			return err
		}
		if no != i || count != len(paths) {
			return formatError("%s says that it is part %d of %d, want %d of %d by its name: it was renamed, or belongs to another model", p, no+1, count, i+1, len(paths))
		}
		f.add(part, p)
	}
	want, err := f.Int("split.tensors.count")
	if err == nil && want != int64(len(f.Tensors)) {
		return formatError("the parts have %d tensors together, split.tensors.count is %d", len(f.Tensors), want)
	}
	if errors.Is(err, ErrMissing) {
		return nil
	}
	return err
}

func (f *File) mapPart(path string) (*image, error) {
	data, unmap, err := mmap.Open(path)
	if err != nil {
		return nil, err
	}
	f.unmap = append(f.unmap, unmap)
	return parseImage(data)
}

func (f *File) add(part *image, path string) {
	if len(f.Paths) == 0 {
		f.Metadata, f.Version = part.Metadata, part.version
	}
	f.Tensors = append(f.Tensors, part.tensors...)
	f.Paths = append(f.Paths, path)
}

// split reads a number of the metadata about parts.
func (m *Metadata) split(key string, missing int) (int, error) {
	n, err := m.Int(key)
	if errors.Is(err, ErrMissing) {
		return missing, nil
	}
	if err == nil && (n < 0 || n > maxParts) {
		err = formatError("%s is %d, want 0 to %d", key, n, maxParts)
	}
	return int(n), err
}

// maxParts is what the five digits of a part's name can say.
const maxParts = 99999

var partName = regexp.MustCompile(`^(.*)-(\d{5})-of-(\d{5})\.gguf$`)

// PartPath is the name of part no (from 1) of count parts of a model.
func PartPath(prefix string, no, count int) string {
	return fmt.Sprintf("%s-%05d-of-%05d.gguf", prefix, no, count)
}

// partPaths lists the names of a split model's parts.
func partPaths(path string, count int) ([]string, error) {
	m := partName.FindStringSubmatch(path)
	if m == nil {
		return nil, formatError("it is a part of a model in %d files, want a name like %s", count, PartPath("model", 1, count))
	}
	if named, _ := strconv.Atoi(m[3]); named != count {
		return nil, formatError("its name says %d parts, its metadata %d", named, count)
	}
	paths := make([]string, count)
	for i := range paths {
		paths[i] = PartPath(m[1], i+1, count)
	}
	if !slices.Contains(paths, path) {
		return nil, formatError("%s is none of 1 to %d parts", filepath.Base(path), count)
	}
	return paths, nil
}

// index sorts the names; a name that comes twice is an error.
func (f *File) index() error {
	f.byName = make([]int32, len(f.Tensors))
	for i := range f.byName {
		f.byName[i] = int32(i)
	}
	slices.SortFunc(f.byName, func(a, b int32) int { return strings.Compare(f.Tensors[a].Name, f.Tensors[b].Name) })
	for i := 1; i < len(f.byName); i++ {
		if name := f.Tensors[f.byName[i]].Name; name == f.Tensors[f.byName[i-1]].Name {
			return formatError("tensor %.100q comes twice", name)
		}
	}
	return nil
}

// Find returns the tensor of a name.
func (f *File) Find(name string) (Tensor, bool) {
	i, ok := slices.BinarySearchFunc(f.byName, name, func(at int32, name string) int { return strings.Compare(f.Tensors[at].Name, name) })
	if !ok {
		return Tensor{}, false
	}
	return f.Tensors[f.byName[i]], true
}

// Close unmaps the file: no tensor's Data may be used afterwards.
func (f *File) Close() error {
	var errs []error
	for _, unmap := range f.unmap {
		errs = append(errs, unmap())
	}
	f.unmap = nil
	return errors.Join(errs...)
}
