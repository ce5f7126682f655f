package checkpoint

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/aries-serpent/codexml/format/safetensors"
	"github.com/aries-serpent/codexml/internal/jsonscan"
)

const (
	maxMetaSize = 256 << 20
	maxFiles    = 16
)

// readMeta reads and checks the meta.json of a checkpoint's folder, and returns its
// text too.
func readMeta(dir string) (Meta, []byte, error) {
	bad := func(problem string) error {
		return &CorruptError{Path: dir, Faults: []Fault{{File: MetaFile, Problem: problem}}}
	}
	f, err := os.Open(filepath.Join(dir, MetaFile))
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			return Meta{}, nil, fmt.Errorf("%w: %s is not there", ErrNotFound, dir)
		}
		return Meta{}, nil, bad("is missing; want a folder that Save wrote")
	}
	if err != nil {
		return Meta{}, nil, fmt.Errorf("read checkpoint: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Meta{}, nil, fmt.Errorf("read checkpoint: %w", err)
	}
	if info.Size() > maxMetaSize {
		return Meta{}, nil, bad(fmt.Sprintf("has %d bytes, the limit is %d", info.Size(), maxMetaSize))
	}
	text := make([]byte, info.Size())
	if _, err := io.ReadFull(f, text); err != nil {
		return Meta{}, nil, bad(err.Error())
	}
	m, err := parseMeta(text)
	if errors.Is(err, ErrVersion) {
		return Meta{}, nil, fmt.Errorf("%s: %w", dir, err)
	}
	if err != nil {
		return Meta{}, nil, bad(err.Error())
	}
	if step, ok := stepOf(filepath.Base(dir)); ok && step != m.Step {
		return Meta{}, nil, bad(fmt.Sprintf("is of step %d, the folder of step %d", m.Step, step))
	}
	return m, text, nil
}

// parseMeta reads the text of meta.json and checks its version and digest. The raw
// JSON fields share the text. It allocates no more than a few times its length.
func parseMeta(text []byte) (Meta, error) {
	if err := checkVersion(text); err != nil {
		return Meta{}, err
	}
	var m Meta
	fields := m.fields()
	seen := make([]bool, len(fields))
	s := jsonscan.New(text)
	err := s.Object(func(name jsonscan.Text) error {
		key := name.Bytes()
		for i, f := range fields {
			if f.name == string(key) {
				if seen[i] {
					return fmt.Errorf("%s comes twice", key)
				}
				seen[i] = true
				if err := scanField(s, f.at); err != nil {
					return fmt.Errorf("%s: %w", key, err)
				}
				return nil
			}
		}
		_, err := s.Value() // a newer minor version may have more
		return err
	})
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return Meta{}, err
	}
	want, err := digestOf(text)
	if err != nil {
		return Meta{}, err
	}
	if m.Digest != want {
		return Meta{}, fmt.Errorf("digest is %s, that of the contents %s: it was changed after it was written", m.Digest, want)
	}
	return m, nil
}

// checkVersion comes before everything else: a newer version may have other fields
// under the same names.
func checkVersion(text []byte) error {
	version := ""
	s := jsonscan.New(text)
	err := s.Object(func(name jsonscan.Text) (err error) {
		if string(name.Bytes()) == versionName && version == "" {
			version, err = s.String()
		} else {
			_, err = s.Value()
		}
		return err
	})
	if err != nil {
		return err
	}
	major, _, _ := strings.Cut(version, ".")
	ours, _, _ := strings.Cut(SchemaVersion, ".")
	if version == "" {
		return fmt.Errorf("%s is missing", versionName)
	}
	if major != ours {
		return fmt.Errorf("%w: %s is %.20q, want %s.x: use the codexml that wrote it or a newer one", ErrVersion, versionName, version, ours)
	}
	return nil
}

func scanField(s *jsonscan.Scanner, at any) (err error) {
	switch v := at.(type) {
	case *string:
		*v, err = s.String()
	case *int:
		var n int64
		if n, err = s.Uint(); err == nil && int64(int(n)) != n {
			err = fmt.Errorf("%d is too large for this machine", n)
		}
		*v = int(n)
	case *int64:
		*v, err = s.Uint()
	case **float64:
		var x float64
		x, err = s.Float()
		*v = &x
	case *map[string]float64:
		*v, err = scanMetrics(s)
	case *json.RawMessage:
		if first := s.Peek(); first != '{' {
			return s.Errorf("want an object")
		}
		*v, err = s.Value()
	case *[]FileRecord:
		*v, err = scanFiles(s)
	default:
		panic(fmt.Sprintf("checkpoint: a meta field of type %T", at))
	}
	return err
}

func scanMetrics(s *jsonscan.Scanner) (map[string]float64, error) {
	metrics := map[string]float64{}
	err := s.Object(func(name jsonscan.Text) error {
		if len(metrics) == maxMetrics {
			return s.Errorf("more than %d metrics", maxMetrics)
		}
		v, err := s.Float()
		metrics[name.String()] = v
		return err
	})
	return metrics, err
}

func scanFiles(s *jsonscan.Scanner) ([]FileRecord, error) {
	var files []FileRecord
	err := s.Array(func() error {
		if len(files) == maxFiles {
			return s.Errorf("more than %d files", maxFiles)
		}
		f, err := scanFile(s)
		files = append(files, f)
		return err
	})
	return files, err
}

func scanFile(s *jsonscan.Scanner) (FileRecord, error) {
	var f FileRecord
	err := s.Object(func(name jsonscan.Text) (err error) {
		switch string(name.Bytes()) {
		case "file":
			f.File, err = s.String()
		case "bytes":
			f.Bytes, err = s.Uint()
		case "sha256":
			f.SHA256, err = scanDigest(s)
		case "tensors":
			f.Tensors, err = scanTensors(s)
		default:
			_, err = s.Value()
		}
		return err
	})
	if err == nil && (f.File == "" || f.SHA256 == "") {
		err = s.Errorf("a file wants file, bytes, sha256 and tensors")
	}
	return f, err
}

// scanTensors goes over the list twice: it counts what it is about to allocate.
func scanTensors(s *jsonscan.Scanner) ([]TensorRecord, error) {
	var tensors []TensorRecord
	var dims []int
	count, countDims := 0, 0
	counting := *s
	err := eachTensor(&counting, func(r record) error {
		count++
		countDims += r.rank
		return nil
	})
	if err != nil {
		return nil, err
	}
	tensors, dims = make([]TensorRecord, 0, count), make([]int, 0, countDims)
	err = eachTensor(s, func(r record) error {
		shape := len(dims)
		for _, dim := range r.dims[:r.rank] {
			dims = append(dims, int(dim))
		}
		tensors = append(tensors, TensorRecord{r.name.String(), r.dtype.String(), dims[shape:len(dims):len(dims)], string(r.digest)})
		return nil
	})
	return tensors, err
}

// record is a tensor's record before anything is allocated for it.
type record struct {
	name, dtype jsonscan.Text
	dims        [safetensors.MaxRank]int64
	rank        int
	digest      []byte
}

func eachTensor(s *jsonscan.Scanner, use func(r record) error) error {
	const name, dtype, shape, digest = 1, 2, 4, 8
	return s.Array(func() error {
		var r record
		seen := 0
		err := s.Object(func(key jsonscan.Text) (err error) {
			switch string(key.Bytes()) {
			case "name":
				r.name, err = s.Text()
				seen |= name
			case "dtype":
				r.dtype, err = s.Text()
				seen |= dtype
			case "shape":
				err = scanShape(s, &r)
				seen |= shape
			case "sha256":
				r.digest, err = scanHex(s)
				seen |= digest
			default:
				_, err = s.Value()
			}
			return err
		})
		if err != nil {
			return err
		}
		if seen != name|dtype|shape|digest {
			return s.Errorf("a tensor wants name, dtype, shape and sha256")
		}
		return use(r)
	})
}

func scanShape(s *jsonscan.Scanner, r *record) error {
	r.rank = 0
	return s.Array(func() error {
		if r.rank == len(r.dims) {
			return s.Errorf("more than %d dimensions", len(r.dims))
		}
		dim, err := s.Uint()
		if err == nil && int64(int(dim)) != dim {
			err = s.Errorf("dimension %d is too large for this machine", dim)
		}
		r.dims[r.rank] = dim
		r.rank++
		return err
	})
}

func scanDigest(s *jsonscan.Scanner) (string, error) {
	text, err := scanHex(s)
	return string(text), err
}

// scanHex reads a SHA-256 without copying it.
func scanHex(s *jsonscan.Scanner) ([]byte, error) {
	text, err := s.Text()
	if err != nil {
		return nil, err
	}
	var raw [32]byte
	digits := text.Bytes()
	if n, err := hex.Decode(raw[:], digits[:min(len(digits), 2*len(raw))]); err != nil || n != len(raw) || len(digits) != 2*len(raw) {
		return nil, s.Errorf("want 64 hexadecimal digits, got %.80q", digits)
	}
	return digits, nil
}
