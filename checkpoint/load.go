package checkpoint

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/aries-serpent/codexml/format/safetensors"
)

// Checkpoint is an opened checkpoint: its meta.json has been read and checked, its
// tensors are read, and checked, when asked for.
type Checkpoint struct {
	Path string
	Meta Meta

	text    []byte // of meta.json
	threads int
}

// Open opens the checkpoint in a folder.
func Open(path string) (*Checkpoint, error) {
	m, text, err := readMeta(path)
	if err != nil {
		return nil, err
	}
	return &Checkpoint{Path: path, Meta: m, text: text}, nil
}

// MetaJSON is the text of meta.json. It must not be changed.
func (c *Checkpoint) MetaJSON() []byte { return c.text }

// Read returns all that the checkpoint holds, verified.
func (c *Checkpoint) Read() (State, error) {
	weights, optimizer := &target{}, &target{}
	if err := c.fill(part{ModelFile, weights}, part{OptimizerFile, optimizer}); err != nil {
		return State{}, err
	}
	return State{Step: c.Meta.Step, Epoch: c.Meta.Epoch, Weights: weights.tensors, Optimizer: optimizer.tensors, Meta: c.Meta}, nil
}

// ReadWeights returns the weights, verified. The optimiser's file is not touched.
func (c *Checkpoint) ReadWeights() ([]Tensor, error) {
	weights := &target{}
	if err := c.fill(part{ModelFile, weights}); err != nil {
		return nil, err
	}
	return weights.tensors, nil
}

// ReadInto fills the tensors given, verified, in any order. If names or shapes
// differ it returns a MismatchError before it writes anything; after another error
// their values are undefined.
func (c *Checkpoint) ReadInto(weights, optimizer []Tensor) error {
	return c.fill(
		part{ModelFile, &target{sorted("ReadInto", weights), "weights"}},
		part{OptimizerFile, &target{sorted("ReadInto", optimizer), "optimizer tensors"}})
}

// ReadWeightsInto is ReadInto for the weights alone.
func (c *Checkpoint) ReadWeightsInto(weights []Tensor) error {
	return c.fill(part{ModelFile, &target{sorted("ReadWeightsInto", weights), "weights"}})
}

// Verify reads the whole checkpoint and compares every hash. What is wrong comes
// back as one CorruptError.
func (c *Checkpoint) Verify() error {
	return c.fill(part{ModelFile, nil}, part{OptimizerFile, nil})
}

// target is where the tensors of a file go.
type target struct {
	tensors []Tensor
	what    string // of tensors that were given; empty: they are to be made
}

// part is a file to verify and, unless to is nil, to fill tensors from.
type part struct {
	file string
	to   *target
}

// fill reads and verifies files of the checkpoint. All faults found are reported.
func (c *Checkpoint) fill(parts ...part) error {
	faults := faultList{path: c.Path}
	var jobs []func() error
	var mismatches []error
	for i := range parts {
		f, err := c.openFile(parts[i].file, &faults)
		if err != nil {
			return err
		}
		if f == nil {
			continue // its fault is in the list
		}
		defer f.Close()
		more, err := f.jobs(parts[i].to, &faults)
		if err != nil {
			mismatches = append(mismatches, fmt.Errorf("%s: %w", c.Path, err))
		}
		jobs = append(jobs, more...)
	}
	// Nothing has been written yet.
	if len(faults.all) > 0 {
		return faults.err()
	}
	if len(mismatches) > 0 {
		return errors.Join(mismatches...)
	}
	_ = run(c.threads, jobs) // jobs report faults only
	return faults.err()
}

// faultList collects faults from several goroutines, in the order of their index.
type faultList struct {
	path string
	mu   sync.Mutex
	all  []indexed
}

type indexed struct {
	index int
	fault Fault
}

func (l *faultList) add(index int, file, tensor, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, indexed{index, Fault{file, tensor, fmt.Sprintf(format, args...)}})
}

func (l *faultList) err() error {
	if len(l.all) == 0 {
		return nil
	}
	slices.SortStableFunc(l.all, func(a, b indexed) int {
		if a.fault.File != b.fault.File {
			return strings.Compare(a.fault.File, b.fault.File)
		}
		return a.index - b.index
	})
	e := &CorruptError{Path: l.path}
	for _, f := range l.all {
		e.Faults = append(e.Faults, f.fault)
	}
	return e
}

// tensorFile is an opened file whose header agrees with its record.
type tensorFile struct {
	*os.File
	record  FileRecord
	content *safetensors.File
}

// openFile opens a file and compares its header with meta.json. It returns nil if
// there were faults, and an error for what is no damage.
func (c *Checkpoint) openFile(name string, faults *faultList) (*tensorFile, error) {
	i := slices.IndexFunc(c.Meta.Files, func(r FileRecord) bool { return r.File == name })
	if i < 0 {
		faults.add(0, MetaFile, "", "has no record of %s", name)
		return nil, nil
	}
	f, err := os.Open(filepath.Join(c.Path, name))
	if errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	if err != nil {
		faults.add(0, name, "", "%v", err)
		return nil, nil
	}
	t := &tensorFile{File: f, record: c.Meta.Files[i]}
	if !t.check(faults) {
		_ = f.Close()
		return nil, nil
	}
	return t, nil
}

// check reads the header and compares it with the record.
func (f *tensorFile) check(faults *faultList) bool {
	info, err := f.Stat()
	if err != nil {
		faults.add(0, f.record.File, "", "%v", err)
		return false
	}
	if info.Size() != f.record.Bytes {
		faults.add(0, f.record.File, "", "has %d bytes, %s says %d", info.Size(), MetaFile, f.record.Bytes)
		return false
	}
	if f.content, err = safetensors.Open(f.File, info.Size()); err != nil {
		faults.add(0, f.record.File, "", "%v", err)
		return false
	}
	same := func(t safetensors.Tensor, r TensorRecord) bool {
		return t.Name == r.Name && t.DType.String() == r.DType && slices.Equal(t.Shape, r.Shape) && t.DType == safetensors.F32
	}
	if !slices.EqualFunc(f.content.Tensors, f.record.Tensors, same) {
		faults.add(0, f.record.File, "", "the tensors in its header are not those that %s names", MetaFile)
		return false
	}
	if !slices.Equal(names(f.content.Tensors), f.content.Names()) {
		faults.add(0, f.record.File, "", "its tensors are not sorted by name")
		return false
	}
	return true
}

func names(tensors []safetensors.Tensor) []string {
	out := make([]string, len(tensors))
	for i, t := range tensors {
		out[i] = t.Name
	}
	return out
}

// jobs returns what is to be done to verify the file and to fill the target: the
// whole file's hash, which takes longest, first.
func (f *tensorFile) jobs(to *target, faults *faultList) ([]func() error, error) {
	if to != nil {
		if err := f.fit(to); err != nil {
			return nil, err
		}
	}
	jobs := []func() error{func() error { f.verifyFile(faults); return nil }}
	for i := range f.content.Tensors {
		jobs = append(jobs, func() error {
			var into []float32
			if to != nil {
				into = to.tensors[i].F32
			}
			f.verifyTensor(i, to != nil, into, faults)
			return nil
		})
	}
	return jobs, nil
}

// fit compares a target that was given with the file, or makes it: the file has
// proved to be as large as its tensors.
func (f *tensorFile) fit(to *target) error {
	got := make([]Tensor, len(f.content.Tensors))
	for i, t := range f.content.Tensors {
		got[i] = Tensor{Name: t.Name, Shape: t.Shape}
	}
	if to.what != "" {
		return compare(to.what, to.tensors, got)
	}
	for i, t := range f.content.Tensors {
		got[i].F32 = make([]float32, (t.End-t.Begin)/4)
	}
	to.tensors = got
	return nil
}

// readSize is what is read and hashed at a time: small enough to be hashed from
// cache.
const readSize = 128 << 10

func (f *tensorFile) verifyFile(faults *faultList) {
	h := sha256.New()
	buf := make([]byte, min(readSize, f.record.Bytes))
	if _, err := io.CopyBuffer(struct{ io.Writer }{h}, io.NewSectionReader(f.File, 0, f.record.Bytes), buf); err != nil {
		faults.add(0, f.record.File, "", "%v", err)
		return
	}
	if got := sum(h); got != f.record.SHA256 {
		faults.add(0, f.record.File, "", "sha256 is %s, %s says %s", got, MetaFile, f.record.SHA256)
	}
}

// verifyTensor reads tensor i, into values if they are wanted, and compares its hash.
func (f *tensorFile) verifyTensor(i int, wanted bool, values []float32, faults *faultList) {
	t, record := f.content.Tensors[i], f.record.Tensors[i]
	h := sha256.New()
	size := t.End - t.Begin
	var buf []byte
	if wanted {
		buf = rawBytes(values)
	} else {
		buf = make([]byte, min(readSize, size))
	}
	for at := int64(0); at < size; {
		piece := buf[:min(readSize, size-at)]
		if wanted {
			piece = buf[at : at+int64(len(piece))]
		}
		if err := f.content.ReadAt(t, piece, at); err != nil {
			faults.add(i+1, f.record.File, t.Name, "%v", err)
			return
		}
		h.Write(piece)
		at += int64(len(piece))
	}
	if got := sum(h); got != record.SHA256 {
		faults.add(i+1, f.record.File, t.Name, "sha256 is %s, %s says %s", got, MetaFile, record.SHA256)
	}
	if wanted {
		fromLittleEndian(values)
	}
}
