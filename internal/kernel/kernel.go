// Package kernel holds the numeric kernels of the engine: functions on slices
// that know no layers, no names and no files. Every function has a pure-Go
// definition, which is always compiled and is the reference, and faster twins
// per CPU tier that give the same bits (docs/numerics.md is the law they obey).
//
// The functions trust their caller: sizes are checked by panics before anything
// is written. All but Gemm run on the calling goroutine and are safe for
// concurrent use on disjoint outputs. Use chooses the tier for the whole process.
package kernel

import "github.com/aries-serpent/codexml/internal/cpu"

// table has one implementation of every operation. Tiers start from the generic
// table and replace what they do better.
type table struct {
	gemmOps
	rowOps
}

var (
	active cpu.Tier
	ops    table
)

func init() { Use(cpu.Best()) }

// Active is the tier in use.
func Active() cpu.Tier { return active }

// Use makes the kernels of tier t the ones in use and returns a func that goes
// back to the tier before. It must not be called while kernels run. It panics if
// the machine lacks t.
func Use(t cpu.Tier) (restore func()) {
	if t > cpu.Best() {
		panic("kernel: Use: this machine has no " + t.String())
	}
	before := active
	active, ops = t, tierTable(t)
	return func() { Use(before) }
}
