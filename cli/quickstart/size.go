package quickstart

import (
	"fmt"
	"time"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/cli/runs"
	"github.com/aries-serpent/codexml/config"
)

// recipe is the configuration that the quickstart fills in; docs/log.md tells how
// its numbers were found.
func recipe(seed int64) *config.Run {
	run := config.Default()
	t, o := &run.Training, &run.Optimizer
	t.Seed, t.SeqLen, t.BatchSize, t.GradAccum, t.GradClipNorm = seed, 256, 4, 1, 1
	t.LearningRate, t.EvalTokens, t.SaveEvery, t.KeepLast, t.LogEvery = 0.01, 40_000, 0, 2, 10
	o.Name, o.Betas, o.Eps, o.WeightDecay = "muon", []float64{0.8, 0.95}, 1e-10, 0
	o.LRScale.Embedding, o.LRScale.Head, o.LRScale.Vector = 10, 0.4, 1
	o.Muon.LearningRate, o.Muon.MomentumWarmup = 0.02, 100
	o.Schedule.Name, o.Schedule.WarmupSteps, o.Schedule.CooldownFraction, o.Schedule.FinalLRScale = "trapezoid", 20, 0.5, 0
	run.Data.ShuffleSeed, run.Data.CacheDir, run.Data.InvalidUTF8 = seed, "", "skip"
	run.Tokenizer.VocabSize = 4096
	return run
}

// reserve is the part of the training time that evaluations and saves take.
const reserve = 0.9

// size measures the speed of the presets that may fit, smallest last, and writes the
// preset and the number of steps that fill the given time into the run. From here on
// the clock decides nothing.
func size(env *cmdenv.Env, run *config.Run, in *runs.Inputs, budget time.Duration) error {
	for _, preset := range []string{"small", "nano"} {
		if err := setPreset(run, preset); err != nil {
			return err
		}
		run.Training.MaxSteps = 1000
		perStep, err := stepTime(env, run, in, min(time.Second, budget/4))
		if err != nil {
			return err
		}
		steps := int(reserve * budget.Seconds() / perStep.Seconds())
		if steps < leastSteps && preset != "nano" {
			continue
		}
		run.Training.MaxSteps = max(steps, 2*proofSteps)
		run.Training.EvalEvery = max(1, run.Training.MaxSteps/8)
		run.Training.SaveEvery = max(1, run.Training.MaxSteps/3)
		break
	}
	return run.Validate()
}

// leastSteps is how many steps a preset is worth taking for.
const leastSteps = 200

func setPreset(run *config.Run, preset string) error {
	filled, _, err := config.Parse("", nil, []string{"model.preset=" + preset})
	if err != nil {
		return fmt.Errorf("preset %s: %w", preset, err)
	}
	run.Model = filled.Model
	return nil
}

// stepTime is the time of a step: the mean over the given time, after warming up.
func stepTime(env *cmdenv.Env, run *config.Run, in *runs.Inputs, during time.Duration) (time.Duration, error) {
	t, err := runs.NewTrainer(env, run, in)
	if err != nil {
		return 0, err
	}
	for range 2 {
		if _, err := t.Step(); err != nil {
			return 0, err
		}
	}
	start, n := time.Now(), 0
	for n == 0 || time.Since(start) < during {
		if _, err := t.Step(); err != nil {
			return 0, err
		}
		n++
	}
	return time.Since(start) / time.Duration(n), nil
}
