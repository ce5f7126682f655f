package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"syscall"
	"time"

	"github.com/aries-serpent/codexml/format/safetensors"
	"github.com/aries-serpent/codexml/internal/fsatomic"
)

const filePerm = 0o644

// Save writes a checkpoint named step-N, replacing one of that name, makes it the
// last, ranks it, and deletes what the options do not keep. The tensors are
// streamed, not copied, and must not change meanwhile.
//
// If Save fails before the checkpoint is in place, the checkpoints that were there
// still are; if after, the error says that it is saved.
func (s *Store) Save(state State) (Info, error) {
	if state.Step < 0 || state.Epoch < 0 {
		panic(fmt.Sprintf("checkpoint: Save: step %d, epoch %d", state.Step, state.Epoch))
	}
	model, err := newOutput(ModelFile, sorted("Save", state.Weights))
	if err != nil {
		return Info{}, err
	}
	optimizer, err := newOutput(OptimizerFile, sorted("Save", state.Optimizer))
	if err != nil {
		return Info{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	meta, err := s.metaOf(state)
	if err != nil {
		return Info{}, err
	}
	if err := s.prepare(); err != nil {
		return Info{}, err
	}
	before, err := s.list()
	if err != nil {
		return Info{}, err
	}
	for _, info := range before {
		meta.Sequence = max(meta.Sequence, info.sequence+1)
	}
	name := nameOf(state.Step)
	err = s.writer.WriteDir(filepath.Join(s.root, name), func(d *fsatomic.Dir) error { return s.write(d, &meta, model, optimizer) })
	if errors.Is(err, syscall.ENOSPC) {
		err = fmt.Errorf("%w: it takes %d bytes: free some, or keep fewer checkpoints (keep_last, best_k)", err, model.size()+optimizer.size())
	}
	if err != nil {
		return Info{}, fmt.Errorf("save checkpoint: %w", err)
	}
	info := s.infoOf(name, meta)
	info.Last = true
	if err := s.settle(name); err != nil {
		return info, fmt.Errorf("checkpoint %s is saved, but: %w", name, err)
	}
	return info, nil
}

// metaOf completes the caller's part of meta.json. It fails for what cannot be
// written before anything is.
func (s *Store) metaOf(state State) (Meta, error) {
	m := state.Meta
	m.SchemaVersion, m.Step, m.Epoch, m.Files, m.Sequence = SchemaVersion, state.Step, state.Epoch, nil, 1
	m.CreatedAt = s.options.Now().UTC().Format(time.RFC3339)
	m.MetricKey, m.MetricMode, m.MetricValue = s.options.BestMetric, "", nil
	if m.MetricKey != "" {
		m.MetricMode = string(s.options.BestMode)
	}
	if v, ok := m.Metrics[m.MetricKey]; ok {
		m.MetricValue = &v
	}
	if len(m.ConfigSnapshot) > 0 {
		hash, err := CanonicalSHA256(m.ConfigSnapshot)
		if err != nil {
			return Meta{}, fmt.Errorf("save checkpoint: config_snapshot: %w", err)
		}
		if m.ConfigHash != "" && m.ConfigHash != hash {
			return Meta{}, fmt.Errorf("save checkpoint: config_hash is %s, that of config_snapshot %s", m.ConfigHash, hash)
		}
		m.ConfigHash = hash
	}
	if _, err := m.encode(); err != nil {
		return Meta{}, fmt.Errorf("save checkpoint: %w", err)
	}
	return m, nil
}

// write fills the checkpoint's folder. The tensor files are written beside each
// other while their hashes are computed from memory: were a tensor to change
// meanwhile, the hashes would tell.
func (s *Store) write(d *fsatomic.Dir, meta *Meta, outputs ...*output) error {
	written := make(chan error, len(outputs))
	var hashes []func() error
	for _, o := range outputs {
		go func() { written <- d.WriteFile(o.record.File, filePerm, o.writeTo) }()
		hashes = append(hashes, o.hashFile)
	}
	for _, o := range outputs {
		hashes = append(hashes, o.hashTensors()...)
	}
	err := run(s.options.Threads, hashes)
	for range outputs {
		err = errors.Join(err, <-written)
	}
	if err != nil {
		return err
	}
	for _, o := range outputs {
		meta.Files = append(meta.Files, o.record)
	}
	text, err := meta.encode()
	if err != nil {
		return err
	}
	return d.WriteFile(MetaFile, filePerm, func(w io.Writer) error { _, err := w.Write(text); return err })
}

// output is a tensor file to be written and its record, which hashing completes.
type output struct {
	header  []byte
	tensors []Tensor
	record  FileRecord
}

func newOutput(file string, tensors []Tensor) (*output, error) {
	described := describe(tensors)
	header, dataSize, err := safetensors.EncodeHeader(described, fileMetadata)
	if err != nil {
		return nil, fmt.Errorf("save checkpoint: %s: %w", file, err)
	}
	o := &output{header: header, tensors: tensors, record: FileRecord{File: file, Bytes: int64(len(header)) + dataSize}}
	for _, t := range described {
		o.record.Tensors = append(o.record.Tensors, TensorRecord{Name: t.Name, DType: t.DType.String(), Shape: t.Shape})
	}
	return o, nil
}

func (o *output) size() int64 { return o.record.Bytes }

func (o *output) writeTo(w io.Writer) error {
	if _, err := w.Write(o.header); err != nil {
		return err
	}
	for _, t := range o.tensors {
		if err := pieces(t.F32, func(p []byte) error { _, err := w.Write(p); return err }); err != nil {
			return err
		}
	}
	return nil
}

func (o *output) hashFile() error {
	o.record.SHA256 = hashFile(o.header, o.tensors)
	return nil
}

func (o *output) hashTensors() []func() error {
	jobs := make([]func() error, len(o.tensors))
	for i, t := range o.tensors {
		jobs[i] = func() error { o.record.Tensors[i].SHA256 = hashTensor(t); return nil }
	}
	return jobs
}
