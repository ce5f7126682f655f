package checkpoint

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
)

func newPrune(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	if runF == nil {
		runF = prune
	}
	cmd := &cobra.Command{
		Use:   "prune RUN",
		Short: "Delete old checkpoints",
		Long: "Delete the checkpoints of a run but the newest ones, those at multiples of --keep-every, the last\n" +
			"one, the best ones, and those that cannot be read.",
		Example: "  codexml checkpoint prune runs/quickstart --keep-last 2 --dry-run\n  codexml checkpoint prune runs/quickstart --keep-last 1 --keep-every 1000",
		Args:    cmdenv.Args("RUN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.KeepLast < 1 {
				return cmdenv.Usagef("--keep-last: want 1 or more, got %d", opts.KeepLast)
			}
			if opts.KeepEvery < 0 {
				return cmdenv.Usagef("--keep-every: want 0 (none) or more, got %d", opts.KeepEvery)
			}
			opts.Path = args[0]
			return runF(cmd.Context(), opts)
		},
	}
	cmd.Flags().IntVar(&opts.KeepLast, "keep-last", 3, "`N` newest checkpoints to keep")
	cmd.Flags().IntVar(&opts.KeepEvery, "keep-every", 0, "keep those whose step is a multiple of `N` (0: none)")
	cmd.Flags().BoolVar(&opts.DryRun, "dry-run", false, "only say what would be deleted")
	return cmd
}

func prune(_ context.Context, opts *Options) error {
	store, err := opts.findStore()
	if err != nil {
		return err
	}
	result, err := store.Prune(opts.KeepLast, opts.KeepEvery, opts.DryRun)
	if err != nil {
		return err
	}
	return opts.Env.Report(result, func(w io.Writer) {
		done := "deleted"
		if result.DryRun {
			done = "would be deleted"
		}
		t := cmdenv.NewTable("checkpoint", "state")
		for _, name := range result.Pruned {
			t.Row(name, done)
		}
		for _, name := range result.Kept {
			t.Row(name, "kept")
		}
		t.WriteTo(w)
	})
}
