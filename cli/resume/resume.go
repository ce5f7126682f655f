// Package resume is the command codexml resume: it goes on with an interrupted run.
package resume

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/cli/runs"
)

// Options are the command's inputs.
type Options struct {
	Env          *cmdenv.Env
	Run          string
	Overrides    []string
	AllowChanged bool
	StopAfter    int
}

// New returns the command. runF, if not nil, runs instead of it.
func New(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	cmd := &cobra.Command{
		Use: "resume RUN [key=value...]", Short: "Go on with a run from its newest checkpoint",
		Long: "Goes on with a run from its newest intact checkpoint, to the same bits as if it had never stopped.\n" +
			"Giving a key is the permission to change it; everything else is as the run's configuration says.\n" +
			"Data or a tokenizer that changed since are refused without --allow-changed.",
		Example: "  codexml resume runs/notes\n  codexml resume runs/notes training.max_steps=2000",
		Args:    cmdenv.Args("RUN", "key=value..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Run, opts.Overrides = args[0], args[1:]
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return run(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.AllowChanged, "allow-changed", false, "go on although data or tokenizer are not those of the checkpoint")
	cmd.Flags().IntVar(&opts.StopAfter, "stop-after", 0, "stop and save after that many steps in all")
	return cmd
}

func run(ctx context.Context, opts *Options) error {
	env := opts.Env
	folder, notes, err := runs.Open(env.Path(opts.Run), opts.Overrides)
	for _, n := range notes {
		env.Note("note: %v", n)
	}
	if err != nil {
		return cmdenv.BadInput(err)
	}
	defer folder.Unlock()
	in, err := runs.Reopen(ctx, env, folder)
	if err != nil {
		return err
	}
	defer in.Close()
	job, err := runs.NewJob(ctx, env, folder, in)
	if err != nil {
		return err
	}
	step, err := job.Resume(opts.AllowChanged)
	if err != nil {
		return err
	}
	if err := folder.WriteConfig(); err != nil {
		return err
	}
	env.Note("resuming %s after step %d of %d", folder.Dir, step, job.Total())
	job.StopAfter = opts.StopAfter
	return job.Go(ctx)
}
