// Package shards reads the index of a model whose tensors lie in several files:
// model.safetensors.index.json and pytorch_model.bin.index.json. The readers of those
// formats use it. Nothing is allocated that the index's own size does not justify,
// and no name in it leads out of its folder.
package shards

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aries-serpent/codexml/internal/jsonscan"
)

// MaxIndex is the largest index that is read, in bytes.
const MaxIndex = 64 << 20

// ErrIndex is wrapped by every error about what an index contains.
var ErrIndex = errors.New("not a valid index of a model in several files")

// Index says which file has which tensor.
type Index struct {
	Path  string
	Files []string // names beside the index, sorted
	file  map[string]string
}

// Read reads an index.
func Read(path string) (*Index, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > MaxIndex {
		return nil, fmt.Errorf("%s: %w: it has %d bytes, at most %d are read", path, ErrIndex, info.Size(), MaxIndex)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	x, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	x.Path = path
	return x, nil
}

// Parse reads an index from its text.
func Parse(data []byte) (*Index, error) {
	x := &Index{}
	s := jsonscan.New(data)
	err := s.Object(func(name jsonscan.Text) error {
		if string(name.Bytes()) == "weight_map" && x.file == nil {
			x.file = map[string]string{}
			return s.Object(func(tensor jsonscan.Text) error { return x.add(s, tensor.String()) })
		}
		_, err := s.Value()
		return err
	})
	if err == nil {
		err = s.End()
	}
	if err == nil && len(x.file) == 0 {
		err = errors.New("want an object weight_map from tensors to files")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIndex, err)
	}
	seen := map[string]bool{}
	for _, f := range x.file {
		seen[f] = true
	}
	x.Files = slices.Sorted(maps.Keys(seen))
	return x, nil
}

func (x *Index) add(s *jsonscan.Scanner, tensor string) error {
	file, err := s.String()
	if err != nil {
		return err
	}
	if x.file[tensor] != "" {
		return fmt.Errorf("tensor %.100q comes twice", tensor)
	}
	if file == "" || file == "." || file != filepath.Base(file) || !filepath.IsLocal(file) {
		return fmt.Errorf("tensor %.100q is in %.100q, want the name of a file beside the index", tensor, file)
	}
	x.file[tensor] = file
	return nil
}

// Open opens a model: the file at path, or, where path ends in suffix and so is an
// index, every file that it names, and compares it with what they have. open opens one
// and returns the names of its tensors.
func Open(path, suffix string, open func(path string) (names []string, err error)) error {
	if !strings.HasSuffix(path, suffix) {
		_, err := open(path)
		return err
	}
	index, err := Read(path)
	if err != nil {
		return err
	}
	names := map[string][]string{}
	for _, file := range index.Files {
		if names[file], err = open(index.FilePath(file)); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return index.Check(names)
}

// FilePath is where a file of the index is.
func (x *Index) FilePath(file string) string { return filepath.Join(filepath.Dir(x.Path), file) }

// Check compares the index with what its files have: tensors, by file.
func (x *Index) Check(tensors map[string][]string) error {
	found := 0
	for _, file := range x.Files {
		for _, name := range tensors[file] {
			if got := x.file[name]; got != file {
				if got == "" {
					got = "nowhere"
				}
				return fmt.Errorf("%s: %w: %s has tensor %.100q, which the index places in %s: files of several models are mixed up", x.Path, ErrIndex, file, name, got)
			}
			found++
		}
	}
	if found == len(x.file) {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(x.file)) {
		if !slices.Contains(tensors[x.file[name]], name) {
			return fmt.Errorf("%s: %w: tensor %.100q is not in %s: fetch the model again", x.Path, ErrIndex, name, x.file[name])
		}
	}
	return nil
}
