package pytorch

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aries-serpent/codexml/internal/mmap"
	"github.com/aries-serpent/codexml/internal/shards"
)

// IndexSuffix is how the name of a split model's index ends.
const IndexSuffix = ".bin.index.json"

// Parse reads a file in memory. Tensors are those of the dict that was saved, sorted;
// where it has none of its own but one dict in it has, that one's. They share data.
func Parse(data []byte) ([]Tensor, error) {
	if bytes.HasPrefix(data, []byte("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")) {
		return nil, formatError("it is of the kind that torch wrote before version 1.6: open it with torch.load and save it again with torch.save, or as safetensors")
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, formatError("no zip archive: %w", err)
	}
	a, err := newArchive(archive, data)
	if err != nil {
		return nil, err
	}
	pickle, err := a.read("data.pkl", -1)
	if err != nil {
		return nil, err
	}
	if len(pickle) > MaxPickle {
		return nil, formatError("its pickle has %d bytes, at most %d are read", len(pickle), MaxPickle)
	}
	m := &machine{data: pickle, storages: map[string]*storage{}, open: func(key string, size int64) ([]byte, error) { return a.read("data/"+key, size) }}
	root, err := m.run()
	if err != nil {
		return nil, err
	}
	return collect(root)
}

// archive is the files of a zip archive, by their names below its folder.
type archive struct {
	files map[string]*zip.File
	data  []byte
}

func newArchive(r *zip.Reader, data []byte) (*archive, error) {
	a := &archive{map[string]*zip.File{}, data}
	root := ""
	for _, f := range r.File {
		if dir, ok := strings.CutSuffix(f.Name, "/data.pkl"); ok && !strings.Contains(dir, "/") {
			root = dir
		}
	}
	for _, f := range r.File {
		name, ok := strings.CutPrefix(f.Name, root+"/")
		if !ok {
			continue
		}
		if a.files[name] != nil {
			return nil, formatError("the archive has %.100q twice", f.Name)
		}
		a.files[name] = f
	}
	if a.files["data.pkl"] == nil {
		return nil, formatError("the zip archive has no data.pkl: it was not written by torch.save")
	}
	if a.files["constants.pkl"] != nil || a.files["version"] != nil && a.files["code"] != nil {
		return nil, formatError("it is a TorchScript program: save the state_dict of the model instead")
	}
	order, err := a.read("byteorder", -1)
	if err == nil && strings.TrimSpace(string(order)) != "little" {
		return nil, formatError("its byte order is %.20q, want little", order)
	}
	return a, nil
}

// read returns the bytes of a file, which must lie there uncompressed; size is what
// it must have, -1 for any.
func (a *archive) read(name string, size int64) ([]byte, error) {
	f := a.files[name]
	if f == nil {
		return nil, formatError("the archive has no %.100q", name)
	}
	if f.Method != zip.Store || f.CompressedSize64 != f.UncompressedSize64 {
		return nil, formatError("%.100q is compressed, which torch.save does not do", name)
	}
	begin, err := f.DataOffset()
	if err != nil {
		return nil, formatError("%.100q: %w", name, err)
	}
	have := f.UncompressedSize64
	if begin < 0 || begin > int64(len(a.data)) || have > uint64(int64(len(a.data))-begin) {
		return nil, formatError("%.100q takes %d bytes at %d, the file has %d: it is cut off, or lies", name, have, begin, len(a.data))
	}
	if size >= 0 && uint64(size) != have {
		return nil, formatError("%.100q has %d bytes, the tensors' storage takes %d", name, have, size)
	}
	return a.data[begin : begin+int64(have) : begin+int64(have)], nil
}

// collect finds the tensors of what was saved.
func collect(root any) ([]Tensor, error) {
	d, ok := root.(*dict)
	if !ok {
		return nil, formatError("it holds no dict of tensors: save a model's state_dict")
	}
	out, err := direct(d)
	if err != nil || len(out) > 0 {
		return out, err
	}
	found := ""
	for _, item := range d.items {
		inner, ok := item[1].(*dict)
		if !ok {
			continue
		}
		list, err := direct(inner)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			continue
		}
		if found != "" {
			return nil, formatError("it holds several dicts of tensors, %s and %.100v: save the model's state_dict alone", found, item[0])
		}
		found, out = fmt.Sprintf("%.100v", item[0]), list
	}
	if len(out) == 0 {
		return nil, formatError("it holds no tensors")
	}
	return out, nil
}

// direct lists the tensors of a dict.
func direct(d *dict) (out []Tensor, err error) {
	for _, item := range d.items {
		t, ok := item[1].(*Tensor)
		if !ok {
			continue
		}
		name, ok := item[0].(string)
		if !ok {
			return nil, formatError("a tensor's name is %.100v, want text", item[0])
		}
		named := *t
		named.Name = name
		out = append(out, named)
	}
	slices.SortFunc(out, func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(out); i++ {
		if out[i].Name == out[i-1].Name {
			return nil, formatError("tensor %.100q comes twice", out[i].Name)
		}
	}
	return out, nil
}

// Set is a model in one mapped file, or in several that an index names.
type Set struct {
	// Paths are the files, in the order of their names.
	Paths   []string
	tensors map[string]Tensor
	unmap   []func() error
}

// OpenSet maps a file, or the files of an index (a path that ends in IndexSuffix),
// and checks them.
func OpenSet(path string) (s *Set, err error) {
	s = &Set{tensors: map[string]Tensor{}}
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
	list, err := Parse(image)
	if err != nil {
		return nil, err
	}
	for _, t := range list {
		if _, twice := s.tensors[t.Name]; twice {
			return nil, formatError("tensor %.100q is in another file too, beside %s", t.Name, filepath.Base(path))
		}
		s.tensors[t.Name] = t
		names = append(names, t.Name)
	}
	s.Paths = append(s.Paths, path)
	return names, nil
}

// Names lists the tensors' names, sorted.
func (s *Set) Names() []string { return slices.Sorted(maps.Keys(s.tensors)) }

// Find returns the tensor of a name.
func (s *Set) Find(name string) (Tensor, bool) {
	t, ok := s.tensors[name]
	return t, ok
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
