package optim

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/internal/testkit"
)

func TestFactor(t *testing.T) {
	f := func(c ScheduleConfig, total int, want ...float64) {
		t.Helper()
		got := make([]float64, len(want))
		for i := range got {
			got[i] = c.Factor(i, total)
		}
		testkit.Close(t, fmt.Sprintf("%+v", c), got, want, 1e-15, 1e-14)
	}
	f(ScheduleConfig{Name: "constant"}, 3, 1, 1, 1, 1)
	f(ScheduleConfig{Name: "constant", WarmupSteps: 3}, 5, 0.25, 0.5, 0.75, 1, 1)
	f(ScheduleConfig{Name: "linear"}, 4, 1, 0.75, 0.5, 0.25, 0, 0)
	f(ScheduleConfig{Name: "linear", WarmupSteps: 1, FinalLRScale: 0.1}, 4, 0.5, 1, 0.7, 0.4, 0.1, 0.1)
	f(ScheduleConfig{Name: "linear", WarmupSteps: 9}, 3, 0.1, 0.2, 0.3)
	f(ScheduleConfig{Name: "cosine", NumCycles: 1}, 4, 1, (1+math.Sqrt2/2)/2, 0.5, (1-math.Sqrt2/2)/2, 0)
	f(ScheduleConfig{Name: "cosine", NumCycles: 1, FinalLRScale: 0.5, WarmupSteps: 1}, 3, 0.5, 1, 0.75, 0.5)
	f(ScheduleConfig{Name: "cosine", NumCycles: 2}, 4, 1, 0.5, 1, 0.5, 0)
	f(ScheduleConfig{Name: "trapezoid", CooldownSteps: 2, FinalLRScale: 0.2}, 5, 1, 1, 1, 1, 0.6, 0.2)
	f(ScheduleConfig{Name: "trapezoid", CooldownFraction: 0.5, WarmupSteps: 1}, 8, 0.5, 1, 1, 1, 1, 0.75, 0.5, 0.25, 0)
	f(ScheduleConfig{Name: "trapezoid", CooldownFraction: 0}, 3, 1, 1, 1, 0)
	f(ScheduleConfig{Name: "trapezoid", CooldownFraction: 1}, 4, 1, 0.75, 0.5, 0.25)
}

// TestScheduleBits holds the learning rates' every bit.
func TestScheduleBits(t *testing.T) {
	var b strings.Builder
	for _, name := range ScheduleNames {
		c := ScheduleConfig{Name: name, WarmupSteps: 7, CooldownFraction: 0.4, FinalLRScale: 0.07, NumCycles: 1.5}
		for step := range 50 {
			fmt.Fprintf(&b, "%s %d %016x\n", name, step, math.Float64bits(c.Factor(step, 50)))
		}
	}
	testkit.Golden(t, "testdata/schedules.txt", b.String())
}

func TestStepReturnsTheFactor(t *testing.T) {
	o := newOptimizer(t, DefaultConfig(), 1)
	if got := o.Step(1, 4, 1, 1); got != 0.75 {
		t.Errorf("factor %v, want 0.75", got)
	}
}
