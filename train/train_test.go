package train_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/checkpoint"
	"github.com/aries-serpent/codexml/data"
	"github.com/aries-serpent/codexml/eval"
	"github.com/aries-serpent/codexml/internal/cpu"
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/internal/testkit"
	"github.com/aries-serpent/codexml/model"
	_ "github.com/aries-serpent/codexml/model/decoder"
	_ "github.com/aries-serpent/codexml/model/gpt2"
	"github.com/aries-serpent/codexml/model/modeltest"
	"github.com/aries-serpent/codexml/optim"
	"github.com/aries-serpent/codexml/train"
	"github.com/aries-serpent/codexml/train/proof"
)

// tokens are documents of a few lengths over a small vocabulary, with structure to
// learn.
func tokens(vocab int) *data.Tokens {
	var docs [][]int32
	for d := range 9 {
		var doc []int32
		for i := range 40 + 17*d {
			doc = append(doc, int32((i*i/3+5*d+i)%(vocab-2))+2)
		}
		docs = append(docs, doc)
	}
	return data.NewTokens(vocab, docs...)
}

// setup is a tiny run: odd rows, packed documents, dropout, a global batch of 4 that
// does not divide the rows of an epoch.
func setup() (train.Config, optim.Config) {
	cfg, o := train.DefaultConfig(), optim.DefaultConfig()
	cfg.SeqLen, cfg.BatchSize, cfg.GradAccum, cfg.MaxSteps, cfg.LearningRate, cfg.SaveEvery, cfg.EvalEvery = 33, 4, 1, 12, 0.003, 0, 0
	o.Muon.MomentumWarmup = 4
	return cfg, o
}

func newTrainer(t testing.TB, cfg train.Config, o optim.Config, mc model.Config, threads int) *train.Trainer {
	t.Helper()
	mc.Dropout, mc.InitStd = 0.1, 0.05
	tok := tokens(mc.VocabSize)
	loader, err := data.NewLoader(tok, data.LoaderOptions{SeqLen: cfg.SeqLen, BatchSize: cfg.GlobalBatch(), Seed: uint64(cfg.Seed), Specials: data.Specials{BOS: 0, EOS: 1}, DocumentMask: true})
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.New(mc, uint64(cfg.Seed))
	if err != nil {
		t.Fatal(err)
	}
	pool := par.New(threads)
	t.Cleanup(pool.Close)
	tr, err := train.New(cfg, o, m, loader, pool)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func steps(t testing.TB, tr *train.Trainer, n int) (last train.StepResult) {
	t.Helper()
	for range n {
		var err error
		if last, err = tr.Step(); err != nil {
			t.Fatal(err)
		}
	}
	return last
}

// TestGoldenHashes pins the bits of training: a machine with another CPU must
// reproduce them.
func TestGoldenHashes(t *testing.T) {
	var lines []string
	for _, c := range []struct{ model, optimizer, dtype string }{
		{"gpt2", "adamw", "float32"}, {"gpt2", "sgd", "bfloat16"}, {"nanochat", "muon", "float32"}, {"nanochat", "muon", "bfloat16"}, {"qwen3", "muon", "float32"}, {"llama", "adamw", "bfloat16"},
	} {
		cfg, o := setup()
		cfg.Dtype, o.Name = c.dtype, c.optimizer
		tr := newTrainer(t, cfg, o, modeltest.Configs()[c.model], 2)
		r := steps(t, tr, 4)
		h := tr.Hashes()
		lines = append(lines, fmt.Sprintf("%s %s %s loss %016x weights %s optimizer %s", c.model, c.optimizer, c.dtype, math.Float64bits(r.Loss), h.Weights, h.Optimizer))
	}
	testkit.Golden(t, "testdata/golden.txt", strings.Join(lines, "\n")+"\n")
}

func TestBitsAreTheSameEveryWay(t *testing.T) {
	const n = 3
	for _, dtype := range []string{"float32", "bfloat16"} {
		cfg, o := setup()
		cfg.Dtype, o.Name = dtype, "muon"
		mc := modeltest.Configs()["nanochat"]
		build := func(v proof.Variant) (*train.Trainer, func(), error) {
			c := cfg
			c.BatchSize, c.GradAccum, c.Recompute = v.BatchSize, v.GradAccum, v.Recompute
			return newTrainer(t, c, o, mc, v.Threads), func() {}, nil
		}
		base := proof.Variant{Dtype: dtype, Threads: 2, BatchSize: 4, GradAccum: 1, Recompute: "none", Tier: kernel.Active()}
		variants := proof.Variants(base, 4, n, cpu.Tiers())
		rows, equal, err := proof.Run(build, variants, n, t.TempDir(), func(proof.Row) {})
		if err != nil {
			t.Fatal(err)
		}
		if !equal || len(rows) != len(variants) || len(rows) < 8 {
			t.Errorf("%s: %+v", dtype, rows)
		}
	}
}

func TestAResumedRunEqualsOneThatNeverStopped(t *testing.T) {
	cfg, o := setup()
	cfg.MaxSteps = 9 // beyond an epoch
	mc := modeltest.Configs()["llama"]
	whole := newTrainer(t, cfg, o, mc, 2)
	if whole.Loader.StepsPerEpoch() >= cfg.MaxSteps {
		t.Fatalf("an epoch has %d steps, want fewer than %d", whole.Loader.StepsPerEpoch(), cfg.MaxSteps)
	}
	if rows := whole.Loader.StepRows(whole.Loader.StepsPerEpoch() - 1); rows == cfg.BatchSize {
		t.Fatal("the last batch of an epoch is not short")
	}
	steps(t, whole, 9)
	for stop := 1; stop < 9; stop += 3 {
		first := newTrainer(t, cfg, o, mc, 1)
		steps(t, first, stop)
		store, err := checkpoint.New(t.TempDir(), checkpoint.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Save(first.State(train.Progress{Best: 1.5, BadEvals: 2})); err != nil {
			t.Fatal(err)
		}
		c, err := store.Open("last")
		if err != nil {
			t.Fatal(err)
		}
		second := newTrainer(t, cfg, o, mc, 3)
		p, err := second.Restore(c)
		if err != nil {
			t.Fatal(err)
		}
		if p.Best != 1.5 || p.BadEvals != 2 || second.Next != stop || second.Tokens != first.Tokens {
			t.Errorf("resumed as %+v after step %d, %d tokens", p, second.Next, second.Tokens)
		}
		steps(t, second, 9-stop)
		if second.Hashes() != whole.Hashes() || second.Tokens != whole.Tokens {
			t.Errorf("stopped after %d: %+v, want %+v", stop, second.Hashes(), whole.Hashes())
		}
	}
}

func TestRestoreRejectsAnotherModel(t *testing.T) {
	cfg, o := setup()
	first := newTrainer(t, cfg, o, modeltest.Configs()["llama"], 1)
	store, _ := checkpoint.New(t.TempDir(), checkpoint.Options{})
	if _, err := store.Save(first.State(train.Progress{})); err != nil {
		t.Fatal(err)
	}
	c, err := store.Open("last")
	if err != nil {
		t.Fatal(err)
	}
	var mismatch *checkpoint.MismatchError
	if _, err := newTrainer(t, cfg, o, modeltest.Configs()["gpt2"], 1).Restore(c); !errors.As(err, &mismatch) {
		t.Errorf("got %v, want a mismatch", err)
	}
}

func TestTrainingLearns(t *testing.T) {
	cfg, o := setup()
	cfg.MaxSteps, cfg.LearningRate, o.Name = 60, 0.02, "muon"
	tr := newTrainer(t, cfg, o, modeltest.Configs()["nanochat"], 2)
	first := steps(t, tr, 1).Loss
	if last := steps(t, tr, 59).Loss; !(last < 0.9*first) {
		t.Errorf("loss went from %v to %v", first, last)
	}
}

func TestANonFiniteStepIsRefused(t *testing.T) {
	cfg, o := setup()
	tr := newTrainer(t, cfg, o, modeltest.Configs()["llama"], 2)
	p := tr.Model.Params()[1]
	p.Data[3] = float32(math.Inf(1))
	before := tr.Hashes()
	if _, err := tr.Step(); !errors.Is(err, train.ErrNonFinite) || !strings.Contains(err.Error(), "step 1") {
		t.Errorf("got %v", err)
	}
	if tr.Hashes() != before || tr.Next != 0 {
		t.Error("the refused step changed the state")
	}
}

// runner is a run whose evaluations are given.
func runner(t *testing.T, cfg train.Config, losses []float64) (*train.Runner, *[]int, *[]int) {
	_, o := setup()
	var saved, evaluated []int
	r := &train.Runner{Trainer: newTrainer(t, cfg, o, modeltest.Configs()["decoder"], 1)}
	r.Evaluate = func() (eval.Loss, error) {
		l := losses[min(len(evaluated), len(losses)-1)]
		evaluated = append(evaluated, r.Next)
		return eval.Loss{NLL: l * 10, Tokens: 10, Bytes: 20}, nil
	}
	r.Save = func(train.Progress) (string, error) {
		saved = append(saved, r.Next)
		return "", nil
	}
	return r, &saved, &evaluated
}

func TestRunEvaluatesSavesAndStops(t *testing.T) {
	f := func(change func(*train.Config), losses []float64, reason train.StopReason, saves, evals []int) {
		t.Helper()
		cfg, _ := setup()
		cfg.MaxSteps = 8
		change(&cfg)
		r, saved, evaluated := runner(t, cfg, losses)
		res, err := r.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if res.Reason != reason || !slices.Equal(*saved, saves) || !slices.Equal(*evaluated, evals) {
			t.Errorf("%v, saved after %v, evaluated after %v, want %v, %v, %v", res.Reason, *saved, *evaluated, reason, saves, evals)
		}
	}
	f(func(*train.Config) {}, []float64{3}, train.Complete, []int{8}, []int{8})
	f(func(c *train.Config) { c.SaveEvery, c.EvalEvery = 3, 2 }, []float64{3}, train.Complete, []int{3, 6, 8}, []int{2, 4, 6, 8})
	f(func(c *train.Config) { c.EvalEvery, c.Patience = 1, 2 }, []float64{3, 2, 2.5, 2.5}, train.EarlyStop, []int{4}, []int{1, 2, 3, 4})
}

func TestAnInterruptedRunSaves(t *testing.T) {
	cfg, _ := setup()
	r, saved, _ := runner(t, cfg, []float64{3})
	ctx, cancel := context.WithCancel(context.Background())
	r.Hooks = []train.Hook{
		{Step: func(s train.StepResult) error {
			if s.Step == 2 {
				cancel()
			}
			return nil
		}},
		{Step: func(train.StepResult) error { panic("a hook's fault") }},
	}
	res, err := r.Run(ctx)
	if err != nil || res.Reason != train.Interrupted || !slices.Equal(*saved, []int{2}) {
		t.Errorf("%v %v, saved after %v", res.Reason, err, *saved)
	}
	if len(res.HookErrors) != 2 || !strings.Contains(res.HookErrors[0].Error(), "a hook's fault") {
		t.Errorf("hook errors %v", res.HookErrors)
	}
}

func TestAStepAllocatesNothing(t *testing.T) {
	for _, c := range []struct{ model, optimizer, dtype string }{{"gpt2", "adamw", "float32"}, {"nanochat", "muon", "bfloat16"}} {
		cfg, o := setup()
		cfg.MaxSteps, cfg.BatchSize, cfg.GradAccum, cfg.Dtype, o.Name = 1000, 2, 2, c.dtype, c.optimizer
		tr := newTrainer(t, cfg, o, modeltest.Configs()[c.model], 2)
		steps(t, tr, 8)
		if n := testkit.SteadyAllocs(func() { steps(t, tr, 1) }); n != 0 {
			t.Errorf("%+v: %v allocations per step, want 0", c, n)
		}
	}
}

func BenchmarkStep(b *testing.B) {
	cfg, o := setup()
	cfg.MaxSteps = 1 << 30
	tr := newTrainer(b, cfg, o, modeltest.Configs()["nanochat"], 2)
	steps(b, tr, 8)
	b.ReportAllocs()
	for b.Loop() {
		steps(b, tr, 1)
	}
}
