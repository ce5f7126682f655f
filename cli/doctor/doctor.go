// Package doctor is the command codexml doctor: what this machine offers, what
// codexml makes of it, and why anything is off.
package doctor

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/internal/cpu"
	"github.com/aries-serpent/codexml/internal/kernel"
)

// Options are the command's inputs.
type Options struct {
	Env *cmdenv.Env
}

// Report is the command's result. Sizes are bytes; a limit of 0 is none.
type Report struct {
	CPU        CPU      `json:"cpu"`
	Tiers      []Tier   `json:"tiers"`
	Threads    int      `json:"threads"`    // workers that commands use
	GOMAXPROCS int      `json:"gomaxprocs"` // processors that Go schedules on
	Cgroup     Cgroup   `json:"cgroup"`
	Memory     Memory   `json:"memory"`
	Disk       Disk     `json:"disk"`
	Go         GoTool   `json:"go"`
	Notes      []string `json:"notes"` // what is off or scarce, and why
}

// CPU describes the processor.
type CPU struct {
	Model         string `json:"model"`
	Arch          string `json:"arch"`
	PhysicalCores int    `json:"physical_cores"` // 0: unknown
	LogicalCores  int    `json:"logical_cores"`
	Usable        int    `json:"usable"` // in this process's CPU mask
	Tier          string `json:"tier"`   // in use
	Forced        bool   `json:"forced"` // by CODEXML_CPU
}

// Tier is one of the engine's kernel tiers.
type Tier struct {
	Name string `json:"name"`
	On   bool   `json:"on"`
	Why  string `json:"why"`
	// Edges says whether the recorded edge cases of the bfloat16 rule come out
	// equal on this machine: equal, what differs, or nothing where the tier is off.
	Edges string `json:"edge_vectors,omitempty"`
}

// equal is the Edges of a tier that can be trusted.
const equal = "equal"

// Cgroup holds the limits of the process's control groups.
type Cgroup struct {
	Version int     `json:"version"` // 0: none
	CPUs    float64 `json:"cpus"`
	Memory  int64   `json:"memory"`
}

// Memory is the machine's memory.
type Memory struct {
	Total     uint64 `json:"total"`
	Available uint64 `json:"available"`
}

// Disk is the file system of the working folder.
type Disk struct {
	Path  string `json:"path"`
	Total uint64 `json:"total"`
	Free  uint64 `json:"free"`
}

// GoTool is the local Go toolchain, whose standard library is the quickstart's
// corpus.
type GoTool struct {
	Found   bool   `json:"found"`
	Path    string `json:"path,omitempty"`
	Version string `json:"version,omitempty"`
	Root    string `json:"root,omitempty"`
}

// New makes the command; runF replaces its body in tests.
func New(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	if runF == nil {
		runF = run
	}
	return &cobra.Command{
		Use:   "doctor",
		Short: "Show what this machine offers and what is off, and why",
		Long: "Show the processor and the kernel tier chosen for it, cores and control-group limits, memory,\n" +
			"disk space of the working folder, and the Go toolchain. CODEXML_CPU (generic, avx2, avx512,\n" +
			"avx512bf16) forces a tier; results are the same bits on all of them. Edge cases recorded on real\n" +
			"hardware are computed again on every tier; the exit code is 1 if one comes out different.",
		Example: "  codexml doctor\n  codexml doctor --json\n  CODEXML_CPU=generic codexml doctor",
		Args:    cmdenv.Args(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runF(cmd.Context(), opts) },
	}
}

func run(ctx context.Context, opts *Options) error {
	tier, err := opts.Env.Tier()
	if err != nil {
		return err
	}
	r := examine(ctx, opts.Env, tier)
	if err := opts.Env.Report(r, r.people); err != nil {
		return err
	}
	for _, t := range r.Tiers {
		if t.On && t.Edges != equal {
			return cmdenv.WithHint(fmt.Errorf("tier %s: the processor computes other bits than the law says: %s", t.Name, t.Edges),
				"force a lower tier with %s, and please report this processor", cpu.Env)
		}
	}
	return nil
}

// examine asks the machine. What cannot be found out stays zero and is noted.
func examine(ctx context.Context, env *cmdenv.Env, tier cpu.Tier) *Report {
	forced, _ := env.Lookup(cpu.Env)
	limits := cmdenv.HostLimits()
	r := &Report{
		CPU:     CPU{Arch: runtime.GOARCH, Usable: runtime.NumCPU(), Tier: tier.String(), Forced: forced != ""},
		Tiers:   tiers(tier),
		Threads: env.Threads, GOMAXPROCS: runtime.GOMAXPROCS(0),
		Cgroup: Cgroup{limits.Version, limits.CPUs, limits.Memory},
		Notes:  []string{},
	}
	r.askCPU(ctx)
	r.askMemory(ctx)
	r.askDisk(ctx, env.Dir)
	r.askGo(ctx)
	r.judge(tier)
	return r
}

// tiers lists every tier, lowest first, with the reason for its state.
func tiers(used cpu.Tier) []Tier {
	var all []Tier
	for i := range cpu.NumTiers {
		t := cpu.Tier(i)
		row := Tier{Name: t.String(), On: t <= cpu.Best()}
		switch {
		case !row.On:
			row.Why = missing(t)
		case t == used:
			row.Why = "in use"
		case t > used:
			row.Why = "available; " + cpu.Env + " forces " + used.String()
		default:
			row.Why = "available"
		}
		if row.On {
			row.Edges = replay(t)
		}
		all = append(all, row)
	}
	return all
}

// replay computes the recorded edge cases with tier t.
func replay(t cpu.Tier) string {
	defer kernel.Use(t)()
	if err := kernel.CheckBF16(); err != nil {
		return err.Error()
	}
	return equal
}

// people prints the report as tables.
func (r *Report) people(w io.Writer) {
	unlimited := func(limited bool, text string) string {
		if !limited {
			return "no limit"
		}
		return text
	}
	t := cmdenv.NewTable()
	t.Row("cpu", strings.TrimSpace(r.CPU.Model+" "+r.CPU.Arch))
	cores := fmt.Sprintf("%d usable of %d", r.CPU.Usable, r.CPU.LogicalCores)
	if r.CPU.PhysicalCores > 0 {
		cores += fmt.Sprintf(" (%d physical)", r.CPU.PhysicalCores)
	}
	t.Row("cores", cores)
	t.Row("threads", fmt.Sprintf("%d (GOMAXPROCS %d)", r.Threads, r.GOMAXPROCS))
	if r.Cgroup.Version == 0 {
		t.Row("cgroup", "none")
	} else {
		t.Row("cgroup", fmt.Sprintf("v%d: cpu %s, memory %s", r.Cgroup.Version,
			unlimited(r.Cgroup.CPUs > 0, fmt.Sprintf("%.4g", r.Cgroup.CPUs)), unlimited(r.Cgroup.Memory > 0, cmdenv.Bytes(r.Cgroup.Memory))))
	}
	t.Row("memory", fmt.Sprintf("%s available of %s", cmdenv.Bytes(r.Memory.Available), cmdenv.Bytes(r.Memory.Total)))
	t.Row("disk", fmt.Sprintf("%s free of %s at %s", cmdenv.Bytes(r.Disk.Free), cmdenv.Bytes(r.Disk.Total), r.Disk.Path))
	if r.Go.Found {
		t.Row("go", strings.TrimSpace(fmt.Sprintf("%s %s", r.Go.Version, r.Go.Root)))
	} else {
		t.Row("go", "not found")
	}
	t.WriteTo(w)

	fmt.Fprintln(w)
	t = cmdenv.NewTable("tier", "state", "edge vectors", "why")
	for _, tier := range r.Tiers {
		state, edges := "off", tier.Edges
		if tier.On {
			state = "on"
		}
		if tier.On && edges != equal {
			edges = "DIFFERENT"
		}
		t.Row(tier.Name, state, edges, tier.Why)
	}
	t.WriteTo(w)
	if len(r.Notes) > 0 {
		fmt.Fprintf(w, "\n%s\n", strings.Join(r.Notes, "\n"))
	}
}
