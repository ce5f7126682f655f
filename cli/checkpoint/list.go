package checkpoint

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/checkpoint"
	"github.com/aries-serpent/codexml/cli/cmdenv"
)

// Listed is the result of checkpoint list.
type Listed struct {
	Folder      string            `json:"folder"`
	Checkpoints []checkpoint.Info `json:"checkpoints"` // the newest first
}

func newList(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	if runF == nil {
		runF = list
	}
	return &cobra.Command{
		Use:     "list RUN",
		Short:   "List the checkpoints of a run, the newest first",
		Long:    "List the checkpoints of a run, the newest first. The tensor files are not read: verify does that.",
		Example: "  codexml checkpoint list runs/quickstart\n  codexml checkpoint list runs/quickstart --json",
		Args:    cmdenv.Args("RUN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Path = args[0]
			return runF(cmd.Context(), opts)
		},
	}
}

func list(_ context.Context, opts *Options) error {
	store, err := opts.findStore()
	if err != nil {
		return err
	}
	infos, err := store.List()
	if err != nil {
		return err
	}
	return opts.Env.Report(Listed{store.Root(), infos}, func(w io.Writer) {
		t := cmdenv.NewTable("checkpoint", "step", "epoch", "size", "created", "metrics", "state")
		for _, i := range infos {
			t.Row(i.Name, i.Step, i.Epoch, cmdenv.Bytes(i.Bytes), i.CreatedAt, metrics(i.Metrics), state(i))
		}
		t.WriteTo(w)
	})
}

// metrics writes metrics on a line, sorted by name.
func metrics(m map[string]float64) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s=%.6g", name, m[name]))
	}
	return strings.Join(parts, " ")
}

func state(i checkpoint.Info) string {
	var parts []string
	if i.Last {
		parts = append(parts, "last")
	}
	if i.Best > 0 {
		parts = append(parts, fmt.Sprintf("best %d", i.Best))
	}
	if i.Problem != "" {
		parts = append(parts, "unusable: "+i.Problem)
	}
	return strings.Join(parts, ", ")
}
