package optim

import (
	"math"

	"github.com/aries-serpent/codexml/internal/kernel"
)

// Factor is what multiplies the learning rates at a step, counted from 0, of a
// run of total steps. It is a pure function; the same bits everywhere.
//
//	W warm-up steps, D cool-down steps, F the final factor, fall(x) = F + (1-F)*x
//	step < W:   (step+1) / (W+1)
//	linear:     fall((total-step) / (total-W))
//	cosine:     fall((1 + cos(pi * x)) / 2), x the fractional part of num_cycles * (step-W) / (total-W)
//	trapezoid:  fall(min(1, (total-step) / D))
//	constant:   1
//
// So no step has the factor 0, unless F is 0 and step is past the run, and the
// step after the last would have F. Trapezoid's cool-down may cut into the warm-up's
// peak, never into the warm-up itself.
func (c ScheduleConfig) Factor(step, total int) float64 {
	warm := c.WarmupSteps
	if step < warm {
		return float64(step+1) / float64(warm+1)
	}
	left := float64(max(total-step, 0))
	switch c.Name {
	case "linear":
		return c.fall(left / float64(max(total-warm, 1)))
	case "cosine":
		if step >= total {
			return c.fall(0)
		}
		x := float64(c.NumCycles * (float64(step-warm) / float64(total-warm)))
		x -= math.Floor(x)
		return c.fall(0.5 + float64(0.5*kernel.Cos64(math.Pi*x)))
	case "trapezoid":
		return c.fall(min(1, left/float64(max(c.cooldown(total), 1))))
	}
	return 1
}

// fall maps 1 to 1 and 0 to the final factor.
func (c ScheduleConfig) fall(x float64) float64 {
	return c.FinalLRScale + float64((1-c.FinalLRScale)*x)
}

// cooldown is the trapezoid's number of falling steps.
func (c ScheduleConfig) cooldown(total int) int {
	if c.CooldownSteps > 0 {
		return c.CooldownSteps
	}
	return int(math.Round(float64(c.CooldownFraction * float64(total))))
}
