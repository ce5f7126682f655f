package doctor

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	pscpu "github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/mem"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/internal/cpu"
)

const (
	// littleMemory and littleDisk are what a quickstart run needs with room to spare.
	littleMemory = 2 << 30
	littleDisk   = 2 << 30
	// goTimeout bounds the wait for a toolchain that hangs.
	goTimeout = 5 * time.Second
)

func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

func (r *Report) askCPU(ctx context.Context) {
	if infos, err := pscpu.InfoWithContext(ctx); err == nil && len(infos) > 0 {
		r.CPU.Model = infos[0].ModelName
	}
	r.CPU.LogicalCores, _ = pscpu.CountsWithContext(ctx, true)
	r.CPU.PhysicalCores, _ = pscpu.CountsWithContext(ctx, false)
	r.CPU.LogicalCores = max(r.CPU.LogicalCores, r.CPU.Usable)
}

func (r *Report) askMemory(ctx context.Context) {
	v, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		r.note("memory: cannot be read: %v", err)
		return
	}
	r.Memory = Memory{Total: v.Total, Available: v.Available}
}

func (r *Report) askDisk(ctx context.Context, dir string) {
	r.Disk.Path = dir
	u, err := disk.UsageWithContext(ctx, dir)
	if err != nil {
		r.note("disk: %s cannot be read: %v", dir, err)
		return
	}
	r.Disk.Total, r.Disk.Free = u.Total, u.Free
}

func (r *Report) askGo(ctx context.Context) {
	path, err := exec.LookPath("go")
	if err != nil {
		r.note("go: no toolchain in PATH: the quickstart trains on codexml's own source unless --corpus names a folder")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, goTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "env", "GOVERSION", "GOROOT").Output()
	version, root, ok := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if err != nil || !ok {
		r.note("go: %s does not answer 'go env GOVERSION GOROOT': %v", path, err)
		return
	}
	r.Go = GoTool{Found: true, Path: path, Version: version, Root: strings.TrimSpace(root)}
}

// judge notes what a person should know about the figures.
func (r *Report) judge(tier cpu.Tier) {
	if tier < cpu.Best() {
		r.note("tier: %s forces %s, this machine has %s: unset it for full speed", cpu.Env, tier, cpu.Best())
	}
	if limit := r.Cgroup.CPUs; limit > 0 && limit < float64(r.CPU.Usable) {
		r.note("cpu: the control group grants %.4g of %d processors, so %d threads are used", limit, r.CPU.Usable, r.Threads)
	}
	room := r.Memory.Available
	if limit := uint64(r.Cgroup.Memory); limit > 0 {
		room = min(room, limit)
	}
	if r.Memory.Total > 0 && room < littleMemory {
		r.note("memory: %s are available, a quickstart wants %s", cmdenv.Bytes(room), cmdenv.Bytes(uint64(littleMemory)))
	}
	if r.Disk.Total > 0 && r.Disk.Free < littleDisk {
		r.note("disk: %s are free, a quickstart wants %s", cmdenv.Bytes(r.Disk.Free), cmdenv.Bytes(uint64(littleDisk)))
	}
}
