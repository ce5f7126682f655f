package optim

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/internal/cpu"
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/internal/testkit"
	"github.com/aries-serpent/codexml/nn"
)

// flat is a configuration without schedule, so that baseLR is the rate.
func flat(change func(c *Config)) Config {
	c := DefaultConfig()
	c.Schedule.Name = "constant"
	c.Muon.MomentumWarmup = 0
	if change != nil {
		change(&c)
	}
	return c
}

func newOptimizer(t testing.TB, cfg Config, threads int, params ...*nn.Param) Optimizer {
	t.Helper()
	pool := par.New(threads)
	t.Cleanup(pool.Close)
	o, err := New(cfg, params, pool, kernel.NewGemmer(pool))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func filled(name string, group nn.Group, shape ...int) *nn.Param {
	p := nn.NewParam(name, group, shape...)
	testkit.Hash(p.Data, 1, 1)
	for i := range p.Data {
		p.Data[i]++
	}
	return p
}

// TestAgainstTorch compares with testdata/optim_torch.txt, which
// testdata/optim_torch.py wrote: 20 steps on the same gradients. The bound is
// what torch's own float32 run keeps: 1.1e-6 from float64 in the worst case.
func TestAgainstTorch(t *testing.T) {
	figures := testkit.ReadFigures(t, "testdata/optim_torch.txt")
	f := func(name string, rel float64, lr, clip float32, shape [2]int, change func(c *Config)) {
		t.Helper()
		p := filled("w", nn.GroupMatrix, shape[0], shape[1])
		o := newOptimizer(t, flat(change), 1, p)
		for step := range 20 {
			testkit.Hash(p.Grad, 1000+uint32(step), 2)
			norm, _ := o.GradNorm()
			o.Step(step, 20, lr, ClipScale(norm, float64(clip)))
			if row := fmt.Sprintf("%s/%d", name, step+1); step == 0 || step == 1 || step == 4 || step == 19 {
				testkit.Close(t, row, p.Data, figures.Float32(t, row), 0, rel*1.5)
			}
		}
		if !strings.HasPrefix(name, "muon") {
			testkit.Close(t, name+"_float32", p.Data, figures.Float32(t, name+"_float32"), 0, rel)
		}
	}
	square := [2]int{8, 8}
	f("adamw", 1e-6, 1e-3, 0, square, nil)
	f("adamw_strong", 1e-6, 1e-2, 0, square, func(c *Config) { c.Betas, c.Eps, c.WeightDecay = []float64{0.8, 0.95}, 1e-6, 0.1 })
	f("adamw_clipped", 1e-6, 1e-3, 1, square, nil)
	f("sgd", 1e-6, 1e-2, 0, square, func(c *Config) { c.Name, c.WeightDecay, c.Momentum = "sgd", 0, 0 })
	f("sgd_momentum", 1e-6, 1e-2, 0, square, func(c *Config) { c.Name = "sgd" })
	f("sgd_nesterov", 1e-6, 1e-2, 0, square, func(c *Config) { c.Name, c.Nesterov = "sgd", true })
	// Newton-Schulz multiplies the rounding of small singular values up to 485 times.
	muon := func(decay float64) func(c *Config) {
		return func(c *Config) { c.Name, c.Muon.WeightDecay = "muon", decay }
	}
	f("muon_square", 1e-4, 1, 0, square, muon(0.1))
	f("muon_wide", 1e-4, 1, 0, [2]int{4, 16}, muon(0))
	f("muon_tall", 1e-4, 1, 0, [2]int{16, 4}, muon(0.1))
}

// model is a few parameters of every group, one of them frozen, with sizes that
// end no block evenly.
func model(half bool) []*nn.Param {
	frozen := filled("frozen", nn.GroupMatrix, 3, 3)
	frozen.Freeze()
	qkv := filled("qkv", nn.GroupMatrix, 3*20, 21)
	qkv.Parts = []int{20, 20, 20}
	params := []*nn.Param{
		filled("embed", nn.GroupEmbedding, 523, 13), filled("down", nn.GroupMatrix, 17, 50), qkv, frozen, filled("up", nn.GroupMatrix, 50, 17), filled("gain", nn.GroupVector, 21), filled("head", nn.GroupHead, 523, 13),
	}
	if half {
		for _, p := range params {
			p.SyncHalf()
		}
	}
	return params
}

func gradients(params []*nn.Param, step int) {
	for i, p := range params {
		if p.Grad != nil {
			testkit.Hash(p.Grad, uint32(100*step+i), 0.02)
		}
	}
}

// hash of all weights, copies and state.
func hash(o Optimizer, params []*nn.Param) string {
	h := sha256.New()
	for _, p := range params {
		fmt.Fprintln(h, p.Name, bits(p.Data), p.Half)
	}
	for _, s := range o.State() {
		fmt.Fprintln(h, s.Name, s.Shape, bits(s.Data))
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func bits(x []float32) []uint32 {
	b := make([]uint32, len(x))
	for i := range x {
		b[i] = math.Float32bits(x[i])
	}
	return b
}

// variants of the configuration, by name.
func variants() map[string]Config {
	scheduled := func(name, schedule string, change func(c *Config)) Config {
		c := DefaultConfig()
		c.Name, c.Schedule.Name, c.Schedule.WarmupSteps = name, schedule, 2
		c.LRScale = LRScale{Embedding: 3, Head: 0.5, Vector: 2}
		if change != nil {
			change(&c)
		}
		return c
	}
	return map[string]Config{
		"adamw": scheduled("adamw", "cosine", nil), "sgd": scheduled("sgd", "linear", func(c *Config) { c.Momentum = 0 }), "sgd-momentum": scheduled("sgd", "linear", nil),
		"sgd-nesterov": scheduled("sgd", "trapezoid", func(c *Config) { c.Nesterov = true }), "muon": scheduled("muon", "trapezoid", func(c *Config) { c.Muon.WeightDecay = 0.1 }),
	}
}

// TestBits holds every bit of five clipped steps, the same for all tiers of this
// machine and all numbers of threads.
func TestBits(t *testing.T) {
	var golden strings.Builder
	all := variants()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		want := ""
		for _, tier := range cpu.Tiers() {
			restore := kernel.Use(tier)
			for threads := 1; threads <= 3; threads++ {
				params := model(true)
				o := newOptimizer(t, all[name], threads, params...)
				for step := range 5 {
					gradients(params, step)
					norm, _ := o.GradNorm()
					o.Step(step, 5, 0.01, ClipScale(norm, 1))
				}
				got := hash(o, params)
				if want == "" {
					want = got
					fmt.Fprintln(&golden, name, got)
				}
				if got != want {
					t.Errorf("%s on %v with %d threads: %s, want %s", name, tier, threads, got, want)
				}
			}
			restore()
		}
	}
	testkit.Golden(t, "testdata/bits.txt", golden.String())
}

func TestBF16CopyIsOfTheNewWeights(t *testing.T) {
	for name, cfg := range variants() {
		params := model(true)
		gradients(params, 0)
		newOptimizer(t, cfg, 2, params...).Step(0, 5, 0.01, 1)
		for _, p := range params {
			want := make([]uint16, len(p.Data))
			kernel.RoundBF16(want, p.Data)
			testkit.SameBits(t, name+": "+p.Name, p.Half, want)
		}
	}
}

func TestFrozenParametersStay(t *testing.T) {
	params := model(false)
	before := slices.Clone(params[3].Data)
	gradients(params, 0)
	newOptimizer(t, DefaultConfig(), 1, params...).Step(0, 1, 0.1, 1)
	testkit.SameBits(t, "frozen", params[3].Data, before)
}

// TestGroups: factors of the learning rate, and no decay of vectors.
func TestGroups(t *testing.T) {
	cfg := flat(func(c *Config) { c.LRScale, c.WeightDecay = LRScale{Embedding: 2, Head: 3, Vector: 0}, 0.5 })
	params := []*nn.Param{filled("m", nn.GroupMatrix, 2, 2), filled("e", nn.GroupEmbedding, 2, 2), filled("h", nn.GroupHead, 2, 2), filled("v", nn.GroupVector, 4)}
	newOptimizer(t, cfg, 1, params...).Step(0, 1, 0.1, 1) // gradients are 0: only decay moves weights
	first := filled("", nn.GroupVector, 4).Data[0]
	for i, factor := range []float32{1 - 0.05, 1 - 0.1, 1 - 0.15, 1} {
		testkit.Close(t, params[i].Name, params[i].Data[:1], []float32{first * factor}, 0, 1e-6)
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	for name, cfg := range variants() {
		params := model(true)
		o := newOptimizer(t, cfg, 2, params...)
		gradients(params, 0)
		step := 0
		if n := testing.AllocsPerRun(20, func() {
			o.GradNorm()
			o.Step(step, 1000, 0.01, 1)
			step++
		}); n != 0 {
			t.Errorf("%s: %v allocations per step, want 0", name, n)
		}
	}
}

func TestNewRejectsABadConfiguration(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Eps = -1
	if o, err := New(cfg, nil, nil, nil); err == nil || o != nil || !strings.Contains(err.Error(), "optimizer.eps") {
		t.Errorf("got %v, %v", o, err)
	}
}

func TestMisusePanics(t *testing.T) {
	f := func(want string, use func()) {
		t.Helper()
		defer func() {
			if r := fmt.Sprint(recover()); !strings.Contains(r, want) {
				t.Errorf("recovered %q, want %q", r, want)
			}
		}()
		use()
	}
	pool := par.New(1)
	defer pool.Close()
	make := func(name string, gemm *kernel.Gemmer, params ...*nn.Param) {
		New(flat(func(c *Config) { c.Name = name }), params, pool, gemm)
	}
	gemm := kernel.NewGemmer(pool)
	f("two parameters are named w", func() { make("adamw", nil, filled("w", nn.GroupVector, 2), filled("w", nn.GroupVector, 2)) })
	f("w has 2 elements, 1 of gradient", func() {
		p := filled("w", nn.GroupVector, 2)
		p.Grad = p.Grad[:1]
		make("adamw", nil, p)
	})
	f("muon needs a Gemmer", func() { make("muon", nil, filled("w", nn.GroupMatrix, 2, 2)) })
	f("muon trains matrices, w has shape [2 2 2]", func() { make("muon", gemm, filled("w", nn.GroupMatrix, 2, 2, 2)) })
	parts := func(rows ...int) func() {
		return func() {
			p := filled("w", nn.GroupMatrix, 4, 2)
			p.Parts = rows
			make("muon", gemm, p)
		}
	}
	f("the parts [1 2] of w do not make up its 4 rows", parts(1, 2))
	f("w has parts [4 0]", parts(4, 0))
	o := newOptimizer(t, DefaultConfig(), 1)
	f("step 5 of 5", func() { o.Step(5, 5, 1, 1) })
	f("step -1 of 5", func() { o.Step(-1, 5, 1, 1) })
}
