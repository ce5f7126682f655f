package bench

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/tensor"
)

// PeakOptions are the inputs of bench peak.
type PeakOptions struct {
	Env   *cmdenv.Env
	Dtype string
}

// Peak is its result.
type Peak struct {
	Dtype   string  `json:"dtype"`
	GFLOPS  float64 `json:"gflops"`
	Threads int     `json:"threads"`
	Tier    string  `json:"tier"`
}

func newPeak(env *cmdenv.Env, runF func(*PeakOptions) error) *cobra.Command {
	opts := &PeakOptions{Env: env}
	cmd := &cobra.Command{
		Use: "peak", Short: "Measure the multiply-add peak of the threads in use",
		Long: "Measures how many multiply-adds a second the threads in use reach on registers alone: what\n" +
			"matrix products are compared with.",
		Example: "  codexml bench peak\n  codexml bench peak --dtype bfloat16 --threads 1 --json",
		Args:    cmdenv.Args(),
		RunE: func(*cobra.Command, []string) error {
			if runF != nil {
				return runF(opts)
			}
			return peakRun(opts)
		},
	}
	cmd.Flags().StringVar(&opts.Dtype, "dtype", "float32", "type of the operands: float32 or bfloat16")
	return cmd
}

func peakRun(opts *PeakOptions) error {
	dtype, err := tensor.ParseDType(opts.Dtype)
	if err != nil {
		return cmdenv.BadInput(err)
	}
	pool, err := opts.Env.Pool()
	if err != nil {
		return err
	}
	p := Peak{Dtype: dtype.String(), GFLOPS: kernel.PeakGFLOPS(pool, dtype == tensor.BF16), Threads: pool.Threads(), Tier: kernel.Active().String()}
	return opts.Env.Report(p, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %.1f GFLOP/s on %d threads, tier %s\n", p.Dtype, p.GFLOPS, p.Threads, p.Tier)
	})
}
