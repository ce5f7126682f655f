package cmdenv

import (
	"testing"
	"testing/fstest"
)

// TestReadLimits replays the files of control groups as systems show them.
func TestReadLimits(t *testing.T) {
	const (
		v2mount = "31 23 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"
		v1mount = "33 23 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n" +
			"34 23 0:30 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	)
	for name, c := range map[string]struct {
		files map[string]string
		want  Limits
	}{
		"none": {nil, Limits{}},
		"v2 without limits": {map[string]string{
			"proc/self/mountinfo": v2mount, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cgroup.procs": "",
		}, Limits{Version: 2}},
		"v2": {map[string]string{
			"proc/self/mountinfo": v2mount, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "150000 100000\n", "sys/fs/cgroup/a/b/memory.max": "max\n",
		}, Limits{Version: 2, CPUs: 1.5}},
		"v2, the outer group binds": {map[string]string{
			"proc/self/mountinfo": v2mount, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "400000 100000\n", "sys/fs/cgroup/a/cpu.max": "200000 100000\n",
			"sys/fs/cgroup/a/b/memory.max": "2147483648\n", "sys/fs/cgroup/a/memory.max": "1073741824\n",
		}, Limits{Version: 2, CPUs: 2, Memory: 1 << 30}},
		"v1 in a container": {map[string]string{
			"proc/self/mountinfo": v1mount, "proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n1:name=systemd:/\n",
			"sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us": "50000\n", "sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912\n",
		}, Limits{Version: 1, CPUs: 0.5, Memory: 512 << 20}},
		"v1 without limits": {map[string]string{
			"proc/self/mountinfo": v1mount, "proc/self/cgroup": "5:cpu,cpuacct:/\n4:memory:/docker/abc\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, Limits{Version: 1}},
		"nonsense": {map[string]string{
			"proc/self/mountinfo": "a - b\n" + v2mount, "proc/self/cgroup": "x\n0::/../../a\n", "sys/fs/cgroup/a/cpu.max": "1\n", "sys/fs/cgroup/cpu.max": "many 3\n",
		}, Limits{Version: 2}},
	} {
		root := fstest.MapFS{}
		for path, text := range c.files {
			root[path] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := readLimits(root); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestDefaultThreads(t *testing.T) {
	if n := DefaultThreads(); n < 1 {
		t.Errorf("%d threads", n)
	}
}
