package doctor

import (
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/internal/cpu"
)

func TestTiers(t *testing.T) {
	for _, used := range cpu.Tiers() {
		all := tiers(used)
		if len(all) != cpu.NumTiers {
			t.Fatalf("%d tiers, want %d", len(all), cpu.NumTiers)
		}
		for i, row := range all {
			if row.On != (row.Edges == equal) {
				t.Errorf("%+v: the edge vectors of a tier that is on are not equal", row)
			}
			switch tier := cpu.Tier(i); {
			case row.On != (tier <= cpu.Best()), row.Why == "":
				t.Errorf("%+v: wrong state, or no reason", row)
			case tier == used && row.Why != "in use", tier > used && row.On && !strings.Contains(row.Why, cpu.Env):
				t.Errorf("%+v: wrong reason with %v in use", row, used)
			}
		}
	}
}

// TestMissing demands a reason for every tier that this machine lacks.
func TestMissing(t *testing.T) {
	for tier := cpu.Best() + 1; int(tier) < cpu.NumTiers; tier++ {
		if why := missing(tier); strings.HasSuffix(why, " ") {
			t.Errorf("%v: %q names nothing", tier, why)
		}
	}
}

func TestJudge(t *testing.T) {
	good := Report{CPU: CPU{Usable: 4}, Memory: Memory{Total: 8 << 30, Available: 6 << 30}, Disk: Disk{Total: 1 << 40, Free: 1 << 39}}
	judged := func(change func(*Report)) []string {
		r := good
		change(&r)
		r.judge(cpu.Best())
		return r.Notes
	}
	for name, c := range map[string]struct {
		change func(*Report)
		want   string
	}{
		"good":         {func(*Report) {}, ""},
		"unknown":      {func(r *Report) { r.Memory, r.Disk = Memory{}, Disk{} }, ""},
		"cpu limit":    {func(r *Report) { r.Cgroup.CPUs, r.Threads = 1.5, 2 }, "cpu: the control group grants 1.5 of 4 processors, so 2 threads are used"},
		"memory":       {func(r *Report) { r.Memory.Available = 1 << 30 }, "memory: 1.0 GiB are available, a quickstart wants 2.0 GiB"},
		"memory limit": {func(r *Report) { r.Cgroup.Memory = 1 << 29 }, "memory: 512.0 MiB are available, a quickstart wants 2.0 GiB"},
		"disk":         {func(r *Report) { r.Disk.Free = 1 << 30 }, "disk: 1.0 GiB are free, a quickstart wants 2.0 GiB"},
	} {
		if got := strings.Join(judged(c.change), "\n"); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
