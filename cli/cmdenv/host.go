package cmdenv

import (
	"io/fs"
	"math"
	"os"
	"path"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// Limits are what control groups leave of the machine. A zero is no limit.
type Limits struct {
	Version int     // 1 or 2; 0 where there are no control groups
	CPUs    float64 // processors' worth of time
	Memory  int64   // bytes
}

// HostLimits are the limits of this process, read once.
var HostLimits = sync.OnceValue(func() Limits { return readLimits(os.DirFS("/")) })

// DefaultThreads is the number of processors that this process may use: not more
// than its CPU mask, its control groups and GOMAXPROCS allow.
func DefaultThreads() int {
	n := min(runtime.NumCPU(), runtime.GOMAXPROCS(0))
	if limit := HostLimits().CPUs; limit > 0 {
		n = min(n, int(math.Ceil(limit)))
	}
	return max(n, 1)
}

// readLimits finds the process's control groups below root, of both versions,
// and takes the tightest limit on the way from each to its mount's root: a limit
// of an outer group binds the inner ones.
func readLimits(root fs.FS) Limits {
	var l Limits
	cpu, memory := math.Inf(1), int64(math.MaxInt64)
	mounts := cgroupMounts(root)
	for _, line := range lines(root, "proc/self/cgroup") {
		id, rest, _ := strings.Cut(line, ":")
		controllers, group, ok := strings.Cut(rest, ":")
		if !ok {
			continue
		}
		if id == "0" && controllers == "" {
			for dir := range mounts["2"].upwards(group) {
				l.Version = 2
				cpu = min(cpu, ratio(lines(root, dir+"/cpu.max")))
				memory = min(memory, number(lines(root, dir+"/memory.max")))
			}
			continue
		}
		for controller := range strings.SplitSeq(controllers, ",") {
			for dir := range mounts[controller].upwards(group) {
				switch controller {
				case "cpu":
					l.Version = max(l.Version, 1)
					quota := append(lines(root, dir+"/cpu.cfs_quota_us"), lines(root, dir+"/cpu.cfs_period_us")...)
					cpu = min(cpu, ratio([]string{strings.Join(quota, " ")}))
				case "memory":
					l.Version = max(l.Version, 1)
					memory = min(memory, number(lines(root, dir+"/memory.limit_in_bytes")))
				}
			}
		}
	}
	if !math.IsInf(cpu, 1) {
		l.CPUs = cpu
	}
	if memory < 1<<60 { // version 1 writes "no limit" as nearly 2^63
		l.Memory = memory
	}
	return l
}

// cgroupMount is where a hierarchy is mounted and which of its groups is the
// mount's root.
type cgroupMount struct{ point, root string }

// upwards yields the folders of a group and of all groups around it that the
// mount shows, relative to the file system's root.
func (m cgroupMount) upwards(group string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		if m.point == "" {
			return
		}
		rel := strings.TrimPrefix(path.Clean("/"+strings.TrimPrefix(group, m.root)), "/")
		for {
			if !yield(path.Join(m.point, rel)) || rel == "" {
				return
			}
			if rel = path.Dir(rel); rel == "." {
				rel = ""
			}
		}
	}
}

// cgroupMounts maps version 1 controllers, and "2", to their mounts.
func cgroupMounts(root fs.FS) map[string]cgroupMount {
	mounts := map[string]cgroupMount{}
	for _, line := range lines(root, "proc/self/mountinfo") {
		before, after, ok := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 5 || len(right) < 3 {
			continue
		}
		m := cgroupMount{point: strings.TrimPrefix(left[4], "/"), root: strings.TrimSuffix(left[3], "/")}
		switch right[0] {
		case "cgroup2":
			mounts["2"] = m
		case "cgroup":
			for option := range strings.SplitSeq(right[2], ",") {
				mounts[option] = m
			}
		}
	}
	return mounts
}

func lines(root fs.FS, name string) []string {
	data, err := fs.ReadFile(root, name)
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

// ratio reads "quota period"; "max" and -1 are no limit.
func ratio(lines []string) float64 {
	if len(lines) == 0 {
		return math.Inf(1)
	}
	fields := strings.Fields(lines[0])
	if len(fields) != 2 {
		return math.Inf(1)
	}
	quota, err1 := strconv.ParseFloat(fields[0], 64)
	period, err2 := strconv.ParseFloat(fields[1], 64)
	if err1 != nil || err2 != nil || quota <= 0 || period <= 0 {
		return math.Inf(1)
	}
	return quota / period
}

func number(lines []string) int64 {
	if len(lines) == 1 {
		if n, err := strconv.ParseInt(lines[0], 10, 64); err == nil && n > 0 {
			return n
		}
	}
	return math.MaxInt64
}
