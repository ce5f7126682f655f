// Package verify is the command codexml verify: it trains one run in every way that
// must not matter and compares the bits.
package verify

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml"
	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/cli/runs"
	"github.com/aries-serpent/codexml/config"
	"github.com/aries-serpent/codexml/data"
	"github.com/aries-serpent/codexml/internal/cpu"
	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/train/proof"
)

// Options are the command's inputs.
type Options struct {
	Env       *cmdenv.Env
	Config    string
	Overrides []string
	Steps     int
	Kills     int
}

// Report is the command's result.
type Report struct {
	Equal bool        `json:"equal"`
	Steps int         `json:"steps"`
	Rows  []proof.Row `json:"rows"`
}

// New returns the command. runF, if not nil, runs instead of it.
func New(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	cmd := &cobra.Command{
		Use: "verify [key=value...]", Short: "Prove that this machine trains to the same bits every way",
		Long: "Trains the first steps of a run with 1, 2 and 3 threads, with every split of the global batch, on every\n" +
			"CPU tier of this machine, with and without recomputation, interrupted and resumed, and killed\n" +
			"(SIGKILL) and resumed, in float32 and in bfloat16, and compares SHA-256 hashes of weights and\n" +
			"optimiser state. Without a configuration it takes the preset nano with dropout, rows of odd length and\n" +
			"packed documents, on codexml's own documents.",
		Example: "  codexml verify\n  codexml verify --steps 10 --kills 20\n  codexml verify -c run.yaml --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Overrides = args
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return run(cmd.Context(), opts)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&opts.Config, "config", "c", "", "configuration of the run; without it a small one of all that could go wrong")
	f.IntVar(&opts.Steps, "steps", 3, "optimiser steps of each variant")
	f.IntVar(&opts.Kills, "kills", 3, "how often the run is killed and resumed")
	return cmd
}

func run(ctx context.Context, opts *Options) error {
	env := opts.Env
	if opts.Steps < 1 || opts.Kills < 0 {
		return cmdenv.Usagef("verify: want --steps of 1 and --kills of 0 or above, got %d and %d", opts.Steps, opts.Kills)
	}
	dir, err := os.MkdirTemp("", "codexml-verify-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	folder, in, err := opts.prepare(ctx, dir)
	if err != nil {
		return err
	}
	defer in.Close()
	r := Report{Equal: true, Steps: opts.Steps}
	show := func(row proof.Row) {
		mark := "equal"
		if !row.Equal {
			mark = "DIFFERS"
		}
		env.Note("%-8s  %-46s  weights %s  optimiser %s  %s", row.Dtype, row.Variant, row.Weights[:16], row.Optimizer[:16], mark)
		r.Rows = append(r.Rows, row)
		r.Equal = r.Equal && row.Equal
	}
	for _, dtype := range []string{"float32", "bfloat16"} {
		folder.Run.Training.Dtype = dtype
		if err := opts.variants(ctx, folder, in, filepath.Join(dir, dtype), show); err != nil {
			return fmt.Errorf("verify: %w", err)
		}
	}
	if err := env.Report(r, func(w io.Writer) { r.print(w) }); err != nil {
		return err
	}
	if !r.Equal {
		return fmt.Errorf("verify: the hashes differ: this build or machine does not keep the numerics law: run codexml doctor, and please report it")
	}
	return nil
}

// variants proves one dtype.
func (o *Options) variants(ctx context.Context, folder *runs.Folder, in *runs.Inputs, dir string, show func(proof.Row)) error {
	t := folder.Run.Training
	base := proof.Variant{Dtype: t.Dtype, Threads: o.Env.Threads, BatchSize: t.BatchSize, GradAccum: t.GradAccum, Recompute: t.Recompute, Tier: kernel.Active()}
	tiers := cpu.Tiers()
	if base.Tier != cpu.Best() { // forced: stay below it
		tiers = tiers[:base.Tier+1]
	}
	rows, _, err := proof.Run(runs.Builder(o.Env, folder.Run, in), proof.Variants(base, t.GlobalBatch(), o.Steps, tiers), o.Steps, dir, show)
	if err != nil || o.Kills == 0 {
		return err
	}
	row, err := runs.KillAndResume(ctx, o.Env, folder, in, filepath.Join(dir, "killed"), o.Steps, o.Kills)
	if err != nil {
		return err
	}
	row.Equal = row.Hashes == rows[0].Hashes
	show(row)
	return nil
}

// prepare builds the run to verify in dir.
func (o *Options) prepare(ctx context.Context, dir string) (*runs.Folder, *runs.Inputs, error) {
	env, overrides := o.Env, o.Overrides
	if o.Config == "" {
		overrides = append([]string{
			"model.preset=nano", "model.dropout=0.1", "training.seq_len=63", "training.batch_size=8", "training.max_steps=100", "tokenizer.vocab_size=512",
			"optimizer.name=muon", "training.learning_rate=0.003", "data.cache_dir=",
		}, overrides...)
	}
	cfg, notes, err := config.Load(env.Path(o.Config), overrides)
	for _, n := range notes {
		env.Note("note: %v", n)
	}
	if err != nil {
		return nil, nil, cmdenv.BadInput(err)
	}
	cfg.Training.MaxSteps = max(cfg.Training.MaxSteps, o.Steps)
	folder, err := runs.Create(filepath.Join(dir, "run"), cfg, o.Overrides, false)
	if err != nil {
		return nil, nil, err
	}
	if o.Config != "" {
		in, err := runs.Prepare(ctx, env, folder)
		return folder, in, err
	}
	corpus, err := data.ReadFS(codexml.Source, documents())
	if err != nil {
		return nil, nil, err
	}
	in, err := runs.PrepareTexts(ctx, env, folder, &data.Splits{Train: corpus.Documents}, corpus.Stats)
	return folder, in, err
}

// documents takes the Markdown files of the embedded source.
func documents() data.Config {
	c := data.DefaultConfig()
	c.Extensions = []string{".md"}
	return c
}

func (r Report) print(w io.Writer) {
	verdict := "all hashes equal"
	if !r.Equal {
		verdict = "HASHES DIFFER"
	}
	table := cmdenv.NewTable("dtype", "variant", "weights", "optimiser state", "")
	for _, row := range r.Rows {
		mark := "equal"
		if !row.Equal {
			mark = "DIFFERS"
		}
		table.Row(row.Dtype, row.Variant, row.Weights, row.Optimizer, mark)
	}
	table.WriteTo(w)
	fmt.Fprintf(w, "%d variants, %d steps each: %s\n", len(r.Rows), r.Steps, verdict)
}
