package bench

import (
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/internal/rng"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/nn"
	"github.com/aries-serpent/codexml/tensor"
)

// begun is when the program began.
var begun = time.Now()

// GenerationOptions are the inputs of bench decode, prefill and load.
type GenerationOptions struct {
	Env                          *cmdenv.Env
	Kind                         string
	Model, Revision              string
	Context, Tokens, Batch, Runs int
}

// GenerationReport is their result. Seconds are those of a token of each text
// (decode), of a prompt (prefill), or from the program's start to the first token
// (load).
type GenerationReport struct {
	Kind           string  `json:"kind"`
	Model          string  `json:"model"`
	Threads        int     `json:"threads"`
	Tier           string  `json:"tier"`
	Context        int     `json:"context"`
	Tokens         int     `json:"tokens"`
	Batch          int     `json:"batch"`
	TokensPerS     float64 `json:"tokens_per_s"`
	MedianS        float64 `json:"median_s"`
	OpenS          float64 `json:"open_s"` // reading the files' heads
	LoadS          float64 `json:"load_s"` // making the weights ready
	FirstTokenS    float64 `json:"first_token_s"`
	PeakRSSBytes   int64   `json:"peak_rss_bytes"` // 0 where the system does not tell
	AllocsPerToken float64 `json:"allocs_per_token"`
	IDs            []int32 `json:"ids"` // the greedy tokens of the first text
}

func newGeneration(env *cmdenv.Env, kind, short, long string, runF func(*GenerationOptions) error) *cobra.Command {
	opts := &GenerationOptions{Env: env, Kind: kind}
	cmd := &cobra.Command{
		Use: kind + " --model M", Short: short, Long: long,
		Example: "  codexml bench " + kind + " --model model.gguf --json",
		Args:    cmdenv.Args(),
		RunE: func(*cobra.Command, []string) error {
			if runF != nil {
				return runF(opts)
			}
			return generationRun(opts)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&opts.Model, "model", "", "model: a folder, a GGUF file, or a name in the local caches")
	f.StringVar(&opts.Revision, "revision", "", "revision of a name in the local caches")
	context := 512
	if kind == "load" {
		context = 8
	}
	f.IntVar(&opts.Context, "context", context, "tokens of the prompt")
	f.IntVar(&opts.Batch, "batch", 1, "prompts side by side")
	opts.Tokens, opts.Runs = 1, 1
	switch kind {
	case "decode":
		f.IntVar(&opts.Tokens, "tokens", 188, "tokens to decode after the prompt")
	case "prefill":
		f.IntVar(&opts.Runs, "runs", 5, "timed passes over the prompt")
	}
	_ = cmd.MarkFlagRequired("model")
	return cmd
}

func newDecode(env *cmdenv.Env, runF func(*GenerationOptions) error) *cobra.Command {
	return newGeneration(env, "decode", "Measure decoding token by token", "Measures greedy decoding, token by token, behind a prompt of random tokens.", runF)
}

func newPrefill(env *cmdenv.Env, runF func(*GenerationOptions) error) *cobra.Command {
	return newGeneration(env, "prefill", "Measure the pass over a prompt", "Measures one pass over a prompt of random tokens: the median of several after a warm-up.", runF)
}

func newLoad(env *cmdenv.Env, runF func(*GenerationOptions) error) *cobra.Command {
	return newGeneration(env, "load", "Measure the way to the first token", "Measures the time from the program's start to the first token behind a short prompt.", runF)
}

// generation is a loaded model and the texts that it continues.
type generation struct {
	m      model.Model
	c      *nn.Context
	states []*model.State
	prompt [][]int32
	next   [][]int32
	logits tensor.Tensor
}

func generationRun(o *GenerationOptions) error {
	pool, err := o.Env.Pool()
	if err != nil {
		return err
	}
	report := GenerationReport{Kind: o.Kind, Model: o.Model, Threads: pool.Threads(), Tier: kernel.Active().String(), Context: o.Context, Tokens: o.Tokens, Batch: o.Batch}
	g, err := o.open(&report)
	if err != nil {
		return err
	}
	g.step(g.prompt)
	report.IDs = append(report.IDs, g.next[0][0])
	report.FirstTokenS = time.Since(begun).Seconds()
	switch o.Kind {
	case "decode":
		g.decode(o, &report)
	case "prefill":
		g.prefill(o, &report)
	default:
		report.MedianS = report.FirstTokenS
		report.TokensPerS = float64(o.Batch*o.Context) / report.MedianS
	}
	report.PeakRSSBytes = peakRSS()
	return o.Env.Report(report, func(w io.Writer) {
		fmt.Fprintf(w, "%s, %d x %d tokens, %d threads, tier %s\n", report.Model, report.Batch, report.Context, report.Threads, report.Tier)
		fmt.Fprintf(w, "%.1f tokens/s, first token after %.3f s (open %.3f s, load %.3f s)\n", report.TokensPerS, report.FirstTokenS, report.OpenS, report.LoadS)
		fmt.Fprintf(w, "peak memory %s, %.1f allocations a token\n", cmdenv.Bytes(report.PeakRSSBytes), report.AllocsPerToken)
	})
}

// open loads the model and makes room for the texts.
func (o *GenerationOptions) open(report *GenerationReport) (*generation, error) {
	if o.Context < 1 || o.Tokens < 1 || o.Batch < 1 || o.Runs < 1 {
		return nil, cmdenv.BadInput(fmt.Errorf("--context, --tokens, --batch and --runs: want 1 or above, got %d, %d, %d and %d", o.Context, o.Tokens, o.Batch, o.Runs))
	}
	found, err := o.Env.FindModel(o.Model, o.Revision)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	p, err := model.Open(found.Path)
	if err != nil {
		return nil, cmdenv.BadInput(err)
	}
	defer p.Close()
	report.OpenS = time.Since(start).Seconds()
	if most := p.Config.MaxSeqLen; o.Context+o.Tokens > most {
		return nil, cmdenv.BadInput(fmt.Errorf("--context and --tokens: %d and %d do not fit the model's %d positions", o.Context, o.Tokens, most))
	}
	pool, err := o.Env.Pool()
	if err != nil {
		return nil, err
	}
	start = time.Now()
	m, err := p.Load(model.LoadOptions{Keep: true, Pool: pool})
	if err != nil {
		return nil, cmdenv.BadInput(err)
	}
	report.LoadS = time.Since(start).Seconds()
	vocab := m.Config().VocabSize
	g := &generation{m: m, c: nn.NewContext(pool, tensor.F32, 0, 0), logits: tensor.FromF32(make([]float32, o.Batch*vocab), o.Batch, vocab)}
	for i := range o.Batch {
		prompt := make([]int32, o.Context)
		for j := range prompt {
			prompt[j] = int32(rng.Uint32(rng.Key{Seed: uint64(i) + 1, Stream: rng.StreamMisc}, uint64(j)) % uint32(vocab))
		}
		g.prompt, g.next = append(g.prompt, prompt), append(g.next, make([]int32, 1))
		g.states = append(g.states, m.NewState(tensor.F32, o.Context+o.Tokens))
	}
	return g, nil
}

// step continues every text by tokens, and finds its likeliest next one.
func (g *generation) step(tokens [][]int32) {
	g.m.DecodeBatch(g.c, g.states, tokens, g.logits)
	vocab := g.logits.Cols
	for i := range g.next {
		best, row := 0, g.logits.F32[i*vocab:(i+1)*vocab]
		for j, x := range row {
			if x > row[best] {
				best = j
			}
		}
		g.next[i][0] = int32(best)
	}
}

func (g *generation) decode(o *GenerationOptions, report *GenerationReport) {
	var before, after runtime.MemStats
	seconds := make([]float64, 0, o.Tokens)
	ids := make([]int32, 0, o.Tokens+1)
	ids = append(ids, report.IDs...)
	runtime.ReadMemStats(&before)
	all := time.Now()
	for range o.Tokens {
		start := time.Now()
		g.step(g.next)
		seconds = append(seconds, time.Since(start).Seconds())
		ids = append(ids, g.next[0][0])
	}
	total := time.Since(all).Seconds()
	runtime.ReadMemStats(&after)
	report.TokensPerS = float64(o.Tokens*o.Batch) / total
	report.AllocsPerToken = float64(after.Mallocs-before.Mallocs) / float64(o.Tokens)
	report.MedianS, report.IDs = median(seconds), ids
}

func (g *generation) prefill(o *GenerationOptions, report *GenerationReport) {
	var seconds []float64
	for range o.Runs {
		for _, s := range g.states {
			s.Truncate(0)
		}
		start := time.Now()
		g.step(g.prompt)
		seconds = append(seconds, time.Since(start).Seconds())
	}
	report.MedianS = median(seconds)
	report.TokensPerS = float64(o.Batch*o.Context) / report.MedianS
}
