// Package bench holds the commands codexml bench: how fast this machine's peak,
// the engine's matrix products and training steps are, and how fast a model reads a
// prompt, continues it and gets ready.
package bench

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
)

// New returns the command group.
func New(env *cmdenv.Env) *cobra.Command {
	return cmdenv.Group("bench", "Measure this machine and the engine on it", newPeak(env, nil), newGemm(env, nil), newStep(env, nil),
		newDecode(env, nil), newPrefill(env, nil), newLoad(env, nil))
}

// median of the measurements; they are sorted.
func median(x []float64) float64 {
	slices.Sort(x)
	if n := len(x); n%2 == 0 {
		return (x[n/2-1] + x[n/2]) / 2
	}
	return x[len(x)/2]
}
