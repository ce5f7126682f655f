package bench

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/internal/rng"
	"github.com/aries-serpent/codexml/tensor"
)

// GemmOptions are the inputs of bench gemm.
type GemmOptions struct {
	Env          *cmdenv.Env
	M, N, K      int
	Dtype, Trans string
	Runs         int
}

// GemmReport is its result.
type GemmReport struct {
	PeakGFLOPS float64      `json:"peak_gflops"`
	Threads    int          `json:"threads"`
	Tier       string       `json:"tier"`
	Results    []GemmResult `json:"results"`
}

// GemmResult is the median speed of a product of an M x K by a K x N matrix.
type GemmResult struct {
	M      int     `json:"m"`
	N      int     `json:"n"`
	K      int     `json:"k"`
	Dtype  string  `json:"dtype"`
	Trans  string  `json:"trans"`
	GFLOPS float64 `json:"gflops"`
}

// shapes are the products of a GPT-2 step and a cube, as m, n, k.
var shapes = [][3]int{{1024, 768, 768}, {1024, 3072, 768}, {1024, 768, 3072}, {2048, 2048, 2048}, {1024, 50304, 768}, {256, 768, 768}}

var forms = map[string]kernel.Form{"nn": kernel.NN, "nt": kernel.NT, "tn": kernel.TN}

func newGemm(env *cmdenv.Env, runF func(*GemmOptions) error) *cobra.Command {
	opts := &GemmOptions{Env: env}
	cmd := &cobra.Command{
		Use: "gemm", Short: "Measure matrix products",
		Long: "Measures products of an M x K by a K x N matrix beside the machine's peak: medians of several\n" +
			"runs after a warm-up. Without sizes it takes the products of a GPT-2 training step.",
		Example: "  codexml bench gemm\n  codexml bench gemm --m 1024 --n 768 --k 768 --trans nt --json\n  codexml bench gemm --dtype bfloat16",
		Args:    cmdenv.Args(),
		RunE: func(*cobra.Command, []string) error {
			if runF != nil {
				return runF(opts)
			}
			return gemmRun(opts)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.IntVar(&opts.M, "m", 0, "rows of the result")
	f.IntVar(&opts.N, "n", 0, "columns of the result")
	f.IntVar(&opts.K, "k", 0, "length of the sums")
	f.StringVar(&opts.Dtype, "dtype", "float32", "type of the operands: float32 or bfloat16")
	f.StringVar(&opts.Trans, "trans", "all", "how the operands lie: nn, nt (second transposed), tn (first transposed) or all")
	f.IntVar(&opts.Runs, "runs", 9, "timed runs of each product")
	return cmd
}

// cases checks the options.
func (o *GemmOptions) cases() (dtype tensor.DType, sizes [][3]int, trans []string, err error) {
	if dtype, err = tensor.ParseDType(o.Dtype); err != nil {
		return
	}
	sizes = shapes
	if o.M != 0 || o.N != 0 || o.K != 0 {
		sizes = [][3]int{{o.M, o.N, o.K}}
		if min(o.M, o.N, o.K) < 1 || max(o.M, o.N, o.K) > 1<<20 {
			err = fmt.Errorf("--m --n --k: want all three, each 1..%d, got %d %d %d", 1<<20, o.M, o.N, o.K)
			return
		}
	}
	trans = []string{"nn", "nt", "tn"}
	if o.Trans != "all" {
		if _, ok := forms[o.Trans]; !ok {
			err = fmt.Errorf("--trans: want nn, nt, tn or all, got %q", o.Trans)
		}
		trans = []string{o.Trans}
	}
	if o.Runs < 1 {
		err = fmt.Errorf("--runs: want 1 or above, got %d", o.Runs)
	}
	return
}

func gemmRun(opts *GemmOptions) error {
	dtype, sizes, trans, err := opts.cases()
	if err != nil {
		return cmdenv.BadInput(err)
	}
	pool, err := opts.Env.Pool()
	if err != nil {
		return err
	}
	report := GemmReport{PeakGFLOPS: kernel.PeakGFLOPS(pool, dtype == tensor.BF16), Threads: pool.Threads(), Tier: kernel.Active().String()}
	progress := opts.Env.Progress("products", len(sizes)*len(trans))
	for _, s := range sizes {
		for _, form := range trans {
			r := GemmResult{M: s[0], N: s[1], K: s[2], Dtype: dtype.String(), Trans: form}
			r.GFLOPS = measure(pool, r, forms[form], dtype, opts.Runs)
			report.Results = append(report.Results, r)
			progress.Set(len(report.Results), "")
		}
	}
	progress.Done()
	return opts.Env.Report(report, func(w io.Writer) {
		table := cmdenv.NewTable("m", "n", "k", "form", "GFLOP/s", "of peak")
		for _, r := range report.Results {
			table.Row(r.M, r.N, r.K, strings.ToUpper(r.Trans), fmt.Sprintf("%.1f", r.GFLOPS), fmt.Sprintf("%.0f%%", 100*r.GFLOPS/report.PeakGFLOPS))
		}
		fmt.Fprintf(w, "%s, %d threads, tier %s, peak %.1f GFLOP/s\n", dtype, report.Threads, report.Tier, report.PeakGFLOPS)
		table.WriteTo(w)
	})
}

// measure is the median speed of a product in GFLOP/s, after warming up.
func measure(pool *par.Pool, r GemmResult, form kernel.Form, dtype tensor.DType, runs int) float64 {
	a, b, c := make([]float32, r.M*r.K), make([]float32, r.K*r.N), make([]float32, r.M*r.N)
	rng.Float32s(a, rng.Key{Seed: 1}, 0)
	rng.Float32s(b, rng.Key{Seed: 2}, 0)
	lda, ldb := r.K, r.N
	if form == kernel.TN {
		lda = r.M
	} else if form == kernel.NT {
		ldb = r.K
	}
	g, out := kernel.NewGemmer(pool), kernel.MatF32{Data: c, Stride: r.N}
	product := func() {
		g.Gemm(form, r.M, r.N, r.K, kernel.MatF32{Data: a, Stride: lda}, kernel.MatF32{Data: b, Stride: ldb}, out, false, nil)
	}
	if dtype == tensor.BF16 {
		a16, b16 := make([]uint16, len(a)), make([]uint16, len(b))
		kernel.RoundBF16(a16, a)
		kernel.RoundBF16(b16, b)
		product = func() {
			g.GemmBF16(form, r.M, r.N, r.K, kernel.MatBF16{Data: a16, Stride: lda}, kernel.MatBF16{Data: b16, Stride: ldb}, out, false, nil)
		}
	}
	for range 2 {
		product()
	}
	var seconds []float64
	for range runs {
		start := time.Now()
		product()
		seconds = append(seconds, time.Since(start).Seconds())
	}
	return 2e-9 * float64(r.M) * float64(r.N) * float64(r.K) / median(seconds)
}
