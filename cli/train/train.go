// Package train is the command codexml train: it trains the run of a configuration.
package train

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/cli/runs"
	"github.com/aries-serpent/codexml/config"
)

// Options are the command's inputs.
type Options struct {
	Env          *cmdenv.Env
	Config       string
	Overrides    []string
	Out          string
	Force        bool
	AllowChanged bool
	StopAfter    int
}

// New returns the command. runF, if not nil, runs instead of it.
func New(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	cmd := &cobra.Command{
		Use: "train [key=value...]", Short: "Train a model as a configuration says",
		Long: "Trains a model on text, JSON lines or token files. Every key of the configuration can be given as\n" +
			"key=value (docs/config.md lists them); unknown keys are refused. The run folder gets the resolved\n" +
			"configuration, tokenizer, records and checkpoints; Ctrl-C saves, and resume goes on from there.\n" +
			"The same configuration, data and seed give the same bits.",
		Example: "  codexml train -c run.yaml\n  codexml train -c run.yaml training.learning_rate=1e-3 model.preset=small\n" +
			"  codexml train data.source_path=notes/ training.output_dir=runs/notes training.max_steps=500",
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
	f.StringVarP(&opts.Config, "config", "c", "", "configuration file; without it every key has its default")
	f.StringVarP(&opts.Out, "out", "o", "", "run folder, instead of training.output_dir")
	f.BoolVar(&opts.Force, "force", false, "replace an existing run folder")
	f.BoolVar(&opts.AllowChanged, "allow-changed", false, "go on from training.resume_from although data or tokenizer are not those of the checkpoint")
	f.IntVar(&opts.StopAfter, "stop-after", 0, "stop and save after that many steps; resume goes on")
	return cmd
}

func run(ctx context.Context, opts *Options) error {
	env := opts.Env
	if opts.Out != "" {
		opts.Overrides = append(opts.Overrides, "training.output_dir="+opts.Out)
	}
	cfg, notes, err := config.Load(env.Path(opts.Config), opts.Overrides)
	for _, n := range notes {
		env.Note("note: %v", n)
	}
	if err != nil {
		return cmdenv.BadInput(err)
	}
	folder, err := runs.Create(env.Path(cfg.Training.OutputDir), cfg, opts.Overrides, opts.Force)
	if err != nil {
		return cmdenv.BadInput(err)
	}
	defer folder.Unlock()
	in, err := runs.Prepare(ctx, env, folder)
	if err != nil {
		return err
	}
	defer in.Close()
	job, err := runs.NewJob(ctx, env, folder, in)
	if err != nil {
		return err
	}
	if !env.JSON {
		runs.PrintPlan(env.Err, job.Plan())
	}
	if from := cfg.Training.ResumeFrom; from != "" {
		step, err := job.ResumeFrom(env.Path(from), opts.AllowChanged)
		if err != nil {
			return err
		}
		env.Note("going on from %s after step %d of %d", from, step, job.Total())
	}
	job.StopAfter = opts.StopAfter
	return job.Go(ctx)
}
