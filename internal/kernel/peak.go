package kernel

import (
	"time"

	"github.com/aries-serpent/codexml/internal/par"
)

// PeakGFLOPS measures what the pool's threads can do at the most with the tier in
// use: multiply-adds on registers, two operations each, in 1e9 per second. For
// bfloat16 it is the same unless the tier has an instruction of its own. It takes
// the best of several short rounds, about 50 ms together.
func PeakGFLOPS(pool *par.Pool, bf16 bool) float64 {
	const rounds, round = 10, 5 * time.Millisecond
	counts := make([]int, pool.Threads())
	n := 64
	burst := func(worker int) { counts[worker] = ops.madds(n, bf16) }
	best := 0.0
	for done := 0; done < rounds; {
		start := time.Now()
		pool.Run(burst)
		took := time.Since(start)
		if took < round {
			n *= 2
			continue
		}
		all := 0
		for _, count := range counts {
			all += count
		}
		best = max(best, 2e-9*float64(all)/took.Seconds())
		done++
	}
	return best
}
