package optim

import (
	"math"
	"strings"
	"testing"
)

func TestDefaultConfigIsValid(t *testing.T) {
	for _, name := range append([]string{"adamw_torch"}, Names...) {
		c := DefaultConfig()
		c.Name = name
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestValidateReportsEveryProblem(t *testing.T) {
	nan := math.NaN()
	bad := Config{
		Name: "adma", WeightDecay: -1, Betas: []float64{1, nan}, Eps: 0, Momentum: 1, LRScale: LRScale{-1, nan, 1e9},
		Muon:     MuonConfig{LearningRate: 0, Momentum: 1, MomentumWarmup: -1, Steps: 0, WeightDecay: -1},
		Schedule: ScheduleConfig{Name: "step", WarmupSteps: -1, CooldownFraction: 2, CooldownSteps: -1, FinalLRScale: 2, NumCycles: 0},
	}
	err := bad.Validate()
	if err == nil {
		t.Fatal("want an error")
	}
	for _, want := range []string{
		`optimizer.name: want one of adamw, muon, sgd, got "adma"`, "optimizer.weight_decay:", "optimizer.betas[0]: want 0 <= betas[0] < 1, got 1", "optimizer.betas[1]:", "optimizer.eps:", "optimizer.momentum:",
		"optimizer.lr_scale.embedding:", "optimizer.lr_scale.head:", "optimizer.lr_scale.vector:", "optimizer.muon.learning_rate:", "optimizer.muon.momentum: want 0 <= momentum < 1", "optimizer.muon.momentum_warmup:",
		"optimizer.muon.steps: want 1..20, got 0", "optimizer.muon.weight_decay:", "optimizer.schedule.name:", "optimizer.schedule.warmup_steps:", "optimizer.schedule.cooldown_fraction: want 0..1, got 2",
		"optimizer.schedule.cooldown_steps:", "optimizer.schedule.final_lr_scale:", "optimizer.schedule.num_cycles:",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	if got := strings.Count(err.Error(), "\n") + 1; got != 20 {
		t.Errorf("problems: %d, want 20:\n%v", got, err)
	}
}

func TestValidateRejectsNesterovWithoutMomentum(t *testing.T) {
	c := DefaultConfig()
	c.Name, c.Nesterov, c.Momentum = "sgd", true, 0
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "optimizer.nesterov: needs momentum") {
		t.Errorf("got %v", err)
	}
}
