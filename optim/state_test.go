package optim

import (
	"slices"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/nn"
)

// TestLoadStateGoesOn: training stopped and gone on with from weights and state
// gives the bits of training that never stopped.
func TestLoadStateGoesOn(t *testing.T) {
	for name, cfg := range variants() {
		whole, half := model(true), model(true)
		a, b := newOptimizer(t, cfg, 1, whole...), newOptimizer(t, cfg, 2, half...)
		train := func(o Optimizer, params []*nn.Param, from, to int) {
			for step := from; step < to; step++ {
				gradients(params, step)
				o.Step(step, 6, 0.01, 1)
			}
		}
		train(a, whole, 0, 6)
		train(b, half, 0, 3)
		resumed := model(true)
		for i, p := range half {
			copy(resumed[i].Data, p.Data)
			resumed[i].SyncHalf()
		}
		c := newOptimizer(t, cfg, 3, resumed...)
		state := b.State()
		slices.Reverse(state) // the order does not matter
		if err := c.LoadState(state); err != nil {
			t.Fatal(err)
		}
		train(c, resumed, 3, 6)
		if got, want := hash(c, resumed), hash(a, whole); got != want {
			t.Errorf("%s: gone on: %s, never stopped: %s", name, got, want)
		}
	}
}

func TestStateNames(t *testing.T) {
	f := func(name string, want ...string) {
		t.Helper()
		var got []string
		elements := 0
		o := newOptimizer(t, variants()[name], 1, filled("m", nn.GroupMatrix, 2, 3), filled("v", nn.GroupVector, 3))
		for _, s := range o.State() {
			got = append(got, s.Name)
			elements += len(s.Data)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		if state, _ := o.Bytes(); state != 4*elements {
			t.Errorf("%s: Bytes says %d, the state has %d", name, state, 4*elements)
		}
	}
	f("adamw", "m.exp_avg", "m.exp_avg_sq", "v.exp_avg", "v.exp_avg_sq")
	f("sgd")
	f("sgd-momentum", "m.momentum_buffer", "v.momentum_buffer")
	f("muon", "m.momentum_buffer", "v.exp_avg", "v.exp_avg_sq")
}

func TestLoadStateRejects(t *testing.T) {
	p, q := filled("p", nn.GroupMatrix, 2, 3), filled("q", nn.GroupVector, 3)
	o := newOptimizer(t, DefaultConfig(), 1, p, q)
	p.Grad[0] = 1
	o.Step(0, 2, 0.1, 1)
	before := hash(o, []*nn.Param{p, q})
	six := make([]float32, 6)
	err := o.LoadState([]NamedSlice{
		{"p.exp_avg", []int{2, 3}, six}, {"p.exp_avg_sq", []int{3, 2}, six}, {"q.exp_avg", []int{3}, six}, {"p.exp_avg", []int{2, 3}, six}, {"r.exp_avg", []int{6}, six},
	})
	if err == nil {
		t.Fatal("want an error")
	}
	for _, want := range []string{"p.exp_avg is given twice", "p.exp_avg_sq has shape [3 2] (6 elements), want [2 3]", "q.exp_avg has shape [3] (6 elements)", "q.exp_avg_sq is missing", "r.exp_avg is unexpected"} {
		if !strings.Contains(err.Error(), "optimiser state: "+want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	if got := strings.Count(err.Error(), "\n") + 1; got != 5 {
		t.Errorf("%d problems, want 5:\n%v", got, err)
	}
	if hash(o, []*nn.Param{p, q}) != before {
		t.Error("a rejected state was written")
	}
}
