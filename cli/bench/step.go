package bench

import (
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/data"
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/internal/rng"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/optim"
	"github.com/aries-serpent/codexml/train"
)

// StepOptions are the inputs of bench step.
type StepOptions struct {
	Env                     *cmdenv.Env
	Model, Dtype, Recompute string
	Optimizer               string
	Batch, Seq, Runs, Vocab int
}

// StepReport is its result: medians over the timed steps.
type StepReport struct {
	Model         string  `json:"model"`
	Params        int     `json:"params"`
	Batch         int     `json:"batch"`
	Seq           int     `json:"seq"`
	Dtype         string  `json:"dtype"`
	Threads       int     `json:"threads"`
	Tier          string  `json:"tier"`
	TokensPerS    float64 `json:"tokens_per_s"`
	StepS         float64 `json:"step_s"`
	MFU           float64 `json:"mfu"` // share of the float32 or bfloat16 peak
	PeakGFLOPS    float64 `json:"peak_gflops"`
	PeakRSSBytes  int64   `json:"peak_rss_bytes"` // 0 where the system does not tell
	PlanBytes     int     `json:"plan_bytes"`
	AllocsPerStep float64 `json:"allocs_per_step"`
}

func newStep(env *cmdenv.Env, runF func(*StepOptions) error) *cobra.Command {
	opts := &StepOptions{Env: env}
	cmd := &cobra.Command{
		Use: "step", Short: "Measure training steps",
		Long: "Measures whole training steps (forward, backward, clipping, optimiser) of a preset on random tokens:\n" +
			"the median of several after a warm-up.",
		Example: "  codexml bench step\n  codexml bench step --model gpt2-124m --batch 2 --seq 512 --dtype float32 --json",
		Args:    cmdenv.Args(),
		RunE: func(*cobra.Command, []string) error {
			if runF != nil {
				return runF(opts)
			}
			return stepRun(opts)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&opts.Model, "model", "gpt2-124m", "preset of the model")
	f.IntVar(&opts.Batch, "batch", 2, "sequences in a step")
	f.IntVar(&opts.Seq, "seq", 512, "tokens in a sequence")
	f.StringVar(&opts.Dtype, "dtype", "float32", "float32 or bfloat16")
	f.StringVar(&opts.Recompute, "recompute", "cheap", "none, cheap or block")
	f.StringVar(&opts.Optimizer, "optimizer", "adamw", "adamw, sgd or muon")
	f.IntVar(&opts.Vocab, "vocab", 4096, "vocabulary, where the preset leaves it open")
	f.IntVar(&opts.Runs, "runs", 5, "timed steps")
	return cmd
}

func stepRun(opts *StepOptions) error {
	pool, err := opts.Env.Pool()
	if err != nil {
		return err
	}
	trainer, err := opts.trainer()
	if err != nil {
		return err
	}
	defer trainer.release()
	cfg := trainer.Model.Config()
	report := StepReport{
		Model: opts.Model, Params: model.NumParams(trainer.Model), Batch: opts.Batch, Seq: opts.Seq, Dtype: opts.Dtype, Threads: pool.Threads(), Tier: kernel.Active().String(),
		PlanBytes: trainer.Plan().Total(),
	}
	var seconds []float64
	var before, after runtime.MemStats
	progress := opts.Env.Progress("steps", opts.Runs+2)
	for i := range opts.Runs + 2 {
		if i == 2 {
			runtime.ReadMemStats(&before)
		}
		start := time.Now()
		if _, err := trainer.Step(); err != nil {
			return err
		}
		if i >= 2 {
			seconds = append(seconds, time.Since(start).Seconds())
		}
		progress.Set(i+1, "")
	}
	runtime.ReadMemStats(&after)
	progress.Done()
	report.PeakRSSBytes = peakRSS()
	report.AllocsPerStep = float64(after.Mallocs-before.Mallocs) / float64(opts.Runs)
	report.PeakGFLOPS = kernel.PeakGFLOPS(pool, opts.Dtype == "bfloat16")
	report.StepS = median(seconds)
	report.TokensPerS = float64(opts.Batch*opts.Seq) / report.StepS
	report.MFU = report.TokensPerS * model.FLOPs(cfg, opts.Seq) / (1e9 * report.PeakGFLOPS)
	return opts.Env.Report(report, func(w io.Writer) {
		fmt.Fprintf(w, "%s, %d parameters, %d x %d tokens, %s, %d threads, tier %s\n", report.Model, report.Params, report.Batch, report.Seq, report.Dtype, report.Threads, report.Tier)
		fmt.Fprintf(w, "%.0f tokens/s, %.3f s a step, %.0f%% of %.0f GFLOP/s\n", report.TokensPerS, report.StepS, 100*report.MFU, report.PeakGFLOPS)
		fmt.Fprintf(w, "peak memory %s (plan %s), %.0f allocations a step\n", cmdenv.Bytes(report.PeakRSSBytes), cmdenv.Bytes(report.PlanBytes), report.AllocsPerStep)
	})
}

// stepTrainer is a trainer on random tokens.
type stepTrainer struct {
	*train.Trainer
	release func()
}

// trainer builds what is measured, or says what is wrong with the options.
func (o *StepOptions) trainer() (*stepTrainer, error) {
	if o.Batch < 1 || o.Seq < 1 || o.Runs < 1 || o.Vocab < 1 || o.Batch*o.Seq > 1<<24 {
		return nil, cmdenv.BadInput(fmt.Errorf("--batch, --seq, --runs and --vocab: want 1 or above and at most %d tokens a step, got %d, %d, %d and %d", 1<<24, o.Batch, o.Seq, o.Runs, o.Vocab))
	}
	cfg, err := model.Resolve(model.Config{Preset: o.Model}, func(string) bool { return false })
	if err != nil {
		return nil, cmdenv.BadInput(err)
	}
	if cfg.VocabSize == 0 {
		cfg.VocabSize = o.Vocab
	}
	cfg.MaxSeqLen = max(cfg.MaxSeqLen, o.Seq)
	run, optimizer := train.DefaultConfig(), optim.DefaultConfig()
	run.BatchSize, run.SeqLen, run.MaxSteps, run.Dtype, run.Recompute = o.Batch, o.Seq, o.Runs+2, o.Dtype, o.Recompute
	optimizer.Name = o.Optimizer
	if err := run.Validate(); err != nil {
		return nil, cmdenv.BadInput(err)
	}
	if err := optimizer.Validate(); err != nil {
		return nil, cmdenv.BadInput(err)
	}
	pool, err := o.Env.Pool()
	if err != nil {
		return nil, err
	}
	document := make([]int32, o.Batch*o.Seq*4+1)
	for i := range document {
		document[i] = int32(rng.Uint32(rng.Key{Seed: 1, Stream: rng.StreamMisc}, uint64(i)) % uint32(cfg.VocabSize))
	}
	tokens := data.NewTokens(cfg.VocabSize, document)
	loader, err := data.NewLoader(tokens, data.LoaderOptions{SeqLen: o.Seq, BatchSize: o.Batch, Specials: data.Specials{BOS: data.None, EOS: data.None}})
	if err != nil {
		return nil, err
	}
	m, err := model.New(cfg, 42)
	if err != nil {
		return nil, cmdenv.BadInput(err)
	}
	t, err := train.New(run, optimizer, m, loader, pool)
	if err != nil {
		return nil, cmdenv.BadInput(err)
	}
	return &stepTrainer{t, func() { tokens.Close() }}, nil
}
