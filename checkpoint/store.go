package checkpoint

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aries-serpent/codexml/internal/fsatomic"
)

// Mode says which values of a metric are better.
type Mode string

// The modes.
const (
	Min Mode = "min"
	Max Mode = "max"
)

// Options of a Store. The zero value keeps every checkpoint and ranks none.
type Options struct {
	// KeepLast is the number of newest checkpoints that Save keeps; 0 keeps all.
	KeepLast int
	// BestK is the number of best checkpoints that Save keeps beside them.
	BestK int
	// BestMetric is the name in Meta.Metrics that ranks checkpoints; empty ranks none.
	BestMetric string
	// BestMode says whether low or high values are better; empty is Min.
	BestMode Mode
	// Threads that hash; 0 takes all processors.
	Threads int
	// Now is the clock of created_at; nil is time.Now.
	Now func() time.Time
	// System is the file system; nil is the real one. Tests inject failures here.
	System fsatomic.System
}

// Store is a folder of checkpoints.
type Store struct {
	root    string
	options Options
	writer  fsatomic.Writer

	mu       sync.Mutex
	prepared bool   // the folder is there and clean
	loaded   string // name of the checkpoint that was loaded last; never deleted
}

// New returns the store in the folder root, which need not exist before the first
// Save. It touches nothing.
func New(root string, options Options) (*Store, error) {
	if options.BestMode == "" {
		options.BestMode = Min
	}
	if options.KeepLast < 0 || options.BestK < 0 || options.BestMode != Min && options.BestMode != Max {
		return nil, fmt.Errorf("checkpoints: want keep_last and best_k of 0 or more and mode min or max, got %d, %d and %q", options.KeepLast, options.BestK, options.BestMode)
	}
	if options.BestK > 0 && options.BestMetric == "" {
		return nil, fmt.Errorf("checkpoints: best_k is %d, but there is no best_metric to rank by: set it, or best_k to 0", options.BestK)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	return &Store{root: filepath.Clean(root), options: options, writer: fsatomic.Writer{System: options.System}}, nil
}

// Root is the store's folder.
func (s *Store) Root() string { return s.root }

// Recover removes what an interrupted Save left behind, and puts back a checkpoint
// whose replacement was interrupted. The one process that saves to the folder calls
// it before it loads; the first Save does it too.
func (s *Store) Recover() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := os.Stat(s.root); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return s.prepare()
}

func (s *Store) prepare() error {
	if s.prepared {
		return nil
	}
	if err := s.writer.MkdirAll(s.root, 0o755); err != nil {
		return err
	}
	if _, err := s.writer.Clean(s.root); err != nil {
		return err
	}
	s.prepared = true
	return nil
}

const (
	lastFile = "last"
	bestFile = "best.json"
	prefix   = "step-"
)

func nameOf(step int) string { return prefix + strconv.Itoa(step) }

// stepOf reads a checkpoint's name.
func stepOf(name string) (int, bool) {
	digits, ok := strings.CutPrefix(name, prefix)
	step, err := strconv.Atoi(digits)
	return step, ok && err == nil && step >= 0 && nameOf(step) == name
}

// steps lists the steps of the checkpoint folders, the highest first.
func (s *Store) steps() ([]int, error) {
	entries, err := os.ReadDir(s.root)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("list checkpoints: %w", err)
	}
	var steps []int
	for _, e := range entries {
		if step, ok := stepOf(e.Name()); ok && e.IsDir() {
			steps = append(steps, step)
		}
	}
	slices.SortFunc(steps, func(a, b int) int { return b - a })
	return steps, nil
}

// last is the name in the file last, "" if there is none that can be used.
func (s *Store) last() string {
	const longest = 64
	f, err := os.Open(filepath.Join(s.root, lastFile))
	if err != nil {
		return ""
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, longest))
	name := strings.TrimSpace(string(text))
	if _, ok := stepOf(name); !ok || err != nil {
		return ""
	}
	return name
}

// Info is what a list of checkpoints shows of one.
type Info struct {
	Name      string             `json:"name"`
	Path      string             `json:"path"`
	Step      int                `json:"step"`
	Epoch     int                `json:"epoch"`
	CreatedAt string             `json:"created_at"`
	Metrics   map[string]float64 `json:"metrics,omitempty"`
	Bytes     int64              `json:"bytes"` // of the tensor files
	Digest    string             `json:"digest"`
	Last      bool               `json:"last"`
	Best      int                `json:"best,omitempty"` // rank in best.json, from 1
	// Problem says what is wrong with a checkpoint whose meta.json cannot be used.
	// List does not read the tensor files: Verify does.
	Problem string `json:"problem,omitempty"`

	metricValue *float64
	sequence    int
}

func (s *Store) infoOf(name string, m Meta) Info {
	info := Info{Name: name, Path: filepath.Join(s.root, name), Step: m.Step, Epoch: m.Epoch, CreatedAt: m.CreatedAt, Metrics: m.Metrics, Digest: m.Digest, sequence: m.Sequence}
	for _, f := range m.Files {
		info.Bytes += f.Bytes
	}
	if v, ok := m.Metrics[s.options.BestMetric]; ok {
		info.metricValue = &v
	}
	return info
}

// List lists the checkpoints, the newest first. Those that cannot be read are in
// the list, with their problem.
func (s *Store) List() ([]Info, error) {
	infos, err := s.list()
	if err != nil {
		return nil, err
	}
	best := s.bestNames()
	for i := range infos {
		infos[i].Best = 1 + slices.Index(best, infos[i].Name)
	}
	return infos, nil
}

// list is List without the ranks: the order in which to resume.
func (s *Store) list() ([]Info, error) {
	steps, err := s.steps()
	if err != nil {
		return nil, err
	}
	infos := make([]Info, 0, len(steps))
	newest := -1 // step of the newest that can be read
	sequence := 0
	for _, step := range steps {
		info, err := s.read(step)
		if errors.Is(err, ErrNotFound) { // pruned meanwhile
			continue
		}
		if err != nil {
			info.Problem = err.Error()
		} else if info.sequence > sequence {
			newest, sequence = step, info.sequence
		}
		infos = append(infos, info)
	}
	last := s.last()
	// One that cannot be read does not tell its sequence: it comes first if it looks
	// like the newest, so that its damage is reported, and else after all others.
	class := func(i Info) int {
		switch {
		case i.Problem == "":
			return 1
		case i.Name == last || i.Step > newest:
			return 0
		}
		return 2
	}
	slices.SortStableFunc(infos, func(a, b Info) int { return cmp.Or(class(a)-class(b), cmp.Compare(b.sequence, a.sequence)) })
	if len(infos) > 0 {
		infos[0].Last = true
	}
	return infos, nil
}

// read is the Info of the checkpoint of a step, with an error if its meta.json
// cannot be used.
func (s *Store) read(step int) (Info, error) {
	info := Info{Name: nameOf(step), Path: filepath.Join(s.root, nameOf(step)), Step: step}
	m, _, err := readMeta(info.Path)
	if err != nil {
		return info, err
	}
	return s.infoOf(info.Name, m), nil
}
