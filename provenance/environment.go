// Package provenance records how a result came to be: the environment that a
// command ran in, the hashes of its inputs and outputs, and the report that joins
// them and can be verified. Commands and the trainer call it and hand in what they
// know (seeds, hashes, the tier in use); it looks at the machine and at the build
// itself, never at flags or environment variables. Its functions are safe for
// concurrent use. Hashes and texts are deterministic; what describes the machine
// is not part of any hash but the hardware's fingerprint.
package provenance

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	pscpu "github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"

	"github.com/aries-serpent/codexml/internal/cpu"
	"github.com/aries-serpent/codexml/internal/fsatomic"
)

// SchemaVersion is that of environment.json and report.json.
const SchemaVersion = "v1"

// EnvironmentFile is the record's name in a run's folder.
const EnvironmentFile = "environment.json"

// Environment says where a command ran. What could not be found out is zero.
type Environment struct {
	SchemaVersion string    `json:"schema_version"`
	Timestamp     time.Time `json:"timestamp"` // UTC
	Command       []string  `json:"command"`
	Seed          int64     `json:"seed"`

	Platform string `json:"platform"` // GOOS/GOARCH
	Kernel   string `json:"kernel"`   // the operating system's version
	Hostname string `json:"hostname,omitempty"`
	CPU      CPU    `json:"cpu"`
	Memory   uint64 `json:"memory_bytes"`
	Threads  int    `json:"threads"` // workers in use

	Code Code `json:"code"`

	// HardwareFingerprint is Fingerprint of this record.
	HardwareFingerprint string         `json:"hardware_fingerprint"`
	Extras              map[string]any `json:"extras,omitempty"`
}

// CPU describes the processor.
type CPU struct {
	Model         string `json:"model"`
	PhysicalCores int    `json:"physical_cores"`
	LogicalCores  int    `json:"logical_cores"`
	BestTier      string `json:"best_tier"` // of the engine's kernels that it can run
	Tier          string `json:"tier"`      // in use
}

// Code says which build ran.
type Code struct {
	GoVersion string            `json:"go_version"`
	Module    string            `json:"module"`
	Version   string            `json:"version"`
	Commit    string            `json:"git_commit"`
	Time      string            `json:"git_time,omitempty"` // of the commit
	Modified  bool              `json:"git_modified"`       // the working tree differed from the commit
	Settings  map[string]string `json:"build_settings"`
	Modules   []Module          `json:"modules"` // linked in, sorted by path
}

// Module is a dependency. Sum is its hash in go.sum; a replaced module has the
// replacement's path, version and sum.
type Module struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	Sum     string `json:"sum,omitempty"`
}

// Inputs are what the caller knows.
type Inputs struct {
	Command  []string
	Seed     int64
	Tier     cpu.Tier // in use
	Threads  int
	Time     time.Time
	Hostname bool             // record the machine's name; off by default, as it can be personal
	Build    *debug.BuildInfo // nil: this program's
	Extras   map[string]any
}

// Collect looks at the machine and the build.
func Collect(ctx context.Context, in Inputs) Environment {
	build := in.Build
	if build == nil {
		build, _ = debug.ReadBuildInfo()
	}
	e := Environment{
		SchemaVersion: SchemaVersion, Timestamp: in.Time.UTC().Truncate(time.Millisecond), Command: slices.Clone(in.Command), Seed: in.Seed, Threads: in.Threads,
		Platform: runtime.GOOS + "/" + runtime.GOARCH, CPU: CPU{BestTier: cpu.Best().String(), Tier: in.Tier.String()}, Code: describe(build), Extras: in.Extras,
	}
	if infos, err := pscpu.InfoWithContext(ctx); err == nil && len(infos) > 0 {
		e.CPU.Model = infos[0].ModelName
	}
	e.CPU.PhysicalCores, _ = pscpu.CountsWithContext(ctx, false)
	e.CPU.LogicalCores, _ = pscpu.CountsWithContext(ctx, true)
	if v, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		e.Memory = v.Total
	}
	e.Kernel, _ = host.KernelVersionWithContext(ctx)
	if in.Hostname {
		e.Hostname, _ = os.Hostname()
	}
	e.HardwareFingerprint = e.Fingerprint()
	return e
}

// describe reads the build's record; nil is a build without one.
func describe(build *debug.BuildInfo) Code {
	c := Code{GoVersion: runtime.Version(), Version: "devel", Settings: map[string]string{}, Modules: []Module{}}
	if build == nil {
		return c
	}
	c.Module = build.Main.Path
	if v := build.Main.Version; v != "" && v != "(devel)" {
		c.Version = v
	}
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			c.Commit = s.Value
		case "vcs.time":
			c.Time = s.Value
		case "vcs.modified":
			c.Modified = s.Value == "true"
		default:
			c.Settings[s.Key] = s.Value
		}
	}
	for _, m := range build.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c.Modules = append(c.Modules, Module{m.Path, m.Version, m.Sum})
	}
	slices.SortFunc(c.Modules, func(a, b Module) int { return cmp.Compare(a.Path, b.Path) })
	return c
}

// Fingerprint is the SHA-256 of what the hardware is: operating system and
// architecture, processor, cores, best tier, and memory in whole GiB (kernels
// keep a varying bit for themselves). Not of the machine's name, nor of what is
// in use.
func (e Environment) Fingerprint() string {
	h := sha256.New()
	fmt.Fprintf(h, "platform %s\ncpu %s\nphysical cores %d\nlogical cores %d\ntier %s\nmemory %d GiB\n",
		e.Platform, e.CPU.Model, e.CPU.PhysicalCores, e.CPU.LogicalCores, e.CPU.BestTier, (e.Memory+1<<29)>>30)
	return hex.EncodeToString(h.Sum(nil))
}

// Write makes path this record.
func (e Environment) Write(path string) error { return writeJSON(path, e) }

// ReadEnvironment reads a record that Write made.
func ReadEnvironment(path string) (Environment, error) {
	var e Environment
	return e, readJSON(path, &e, &e.SchemaVersion)
}

func writeJSON(path string, v any) error {
	return fsatomic.WriteFile(path, 0o644, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	})
}

func readJSON(path string, v any, version *string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read record: %w", err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("read record %s: %w", path, err)
	}
	if *version != SchemaVersion {
		return fmt.Errorf("read record %s: schema_version is %q, want %q: it was written by another release", path, *version, SchemaVersion)
	}
	return nil
}
