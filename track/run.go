package track

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"time"
)

// Options of Open. The zero value has the defaults.
type Options struct {
	// RunID names the run; empty makes a new one (NewRunID).
	RunID string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// MaxBytes is the size at which metrics.ndjson and its manifest are rotated; 0 is 64 MiB, below 0 is never.
	MaxBytes int64
	// Backups is the number of full files kept, .1 the newest; 0 is 5, below 0 keeps none.
	Backups int
	// Mode is the permission of new files; 0 is 0600.
	Mode fs.FileMode
}

const (
	defaultMaxBytes = 64 << 20
	defaultBackups  = 5
	defaultMode     = 0o600
)

func (o Options) withDefaults() Options {
	if o.RunID == "" {
		o.RunID = NewRunID()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.Backups == 0 {
		o.Backups = defaultBackups
	}
	if o.Mode == 0 {
		o.Mode = defaultMode
	}
	o.MaxBytes, o.Backups = max(o.MaxBytes, 0), max(o.Backups, 0)
	return o
}

// NewRunID returns a random UUID of version 4.
func NewRunID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Run is the Tracker that writes to a run's folder.
type Run struct {
	id  string
	now func() time.Time

	mu       sync.Mutex
	metrics  *log
	params   *log
	manifest func() (*log, error) // made when first needed
	opened   []*log
}

var _ Tracker = (*Run)(nil)

// Open goes on with, or starts, the records in the folder dir, which must exist.
func Open(dir string, opts Options) (*Run, error) {
	opts = opts.withDefaults()
	r := &Run{id: opts.RunID, now: opts.Now}
	open := func(name string, maxBytes int64) (*log, error) {
		l, err := openLog(filepath.Join(dir, name), opts.Mode, maxBytes, opts.Backups)
		if err == nil {
			r.opened = append(r.opened, l)
		}
		return l, err
	}
	r.manifest = sync.OnceValues(func() (*log, error) { return open(ManifestFile, opts.MaxBytes) })
	var err error
	if r.metrics, err = open(MetricsFile, opts.MaxBytes); err != nil {
		return nil, err
	}
	if r.params, err = open(ParamsFile, 0); err != nil {
		return nil, errors.Join(err, r.metrics.close())
	}
	return r, nil
}

// RunID implements Tracker.
func (r *Run) RunID() string { return r.id }

func (r *Run) header() header {
	return header{SchemaVersion: SchemaVersion, Timestamp: Timestamp(r.now()), RunID: r.id}
}

// LogMetrics implements Tracker.
func (r *Run) LogMetrics(metrics ...Metric) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines, details, err := metricLines(r.header(), metrics)
	if err != nil {
		return fmt.Errorf("log metrics: %w", err)
	}
	if details.Len() > 0 { // first, so that no metric refers to nothing
		manifest, err := r.manifest()
		if err != nil {
			return err
		}
		if err := manifest.append(details.Bytes()); err != nil {
			return err
		}
	}
	return r.metrics.append(lines.Bytes())
}

// LogParams implements Tracker.
func (r *Run) LogParams(p Params) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var line bytes.Buffer
	if err := appendLine(&line, p.line(r.header())); err != nil {
		return fmt.Errorf("log parameters: %w", err)
	}
	return r.params.append(line.Bytes())
}

// Sync implements Tracker.
func (r *Run) Sync() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.each((*log).sync)
}

// Close implements Tracker.
func (r *Run) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.each((*log).close)
}

func (r *Run) each(do func(*log) error) error {
	var all []error
	for _, l := range r.opened {
		all = append(all, do(l))
	}
	return errors.Join(all...)
}
