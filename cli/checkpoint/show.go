package checkpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/checkpoint"
	"github.com/aries-serpent/codexml/cli/cmdenv"
)

func newShow(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	if runF == nil {
		runF = show
	}
	cmd := &cobra.Command{
		Use:   "show RUN",
		Short: "Show what a checkpoint says about itself",
		Long: "Show what a checkpoint says about itself: step, metrics, digests and tensors. RUN is a run folder,\n" +
			"its checkpoints folder, or a checkpoint. With --json: its whole meta.json.",
		Example: "  codexml checkpoint show runs/quickstart\n  codexml checkpoint show runs/quickstart --checkpoint best\n" +
			"  codexml checkpoint show runs/quickstart/checkpoints/step-500 --json",
		Args: cmdenv.Args("RUN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Path = args[0]
			return runF(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.Checkpoint, "checkpoint", "last", "`WHICH` of a run's checkpoints: last, best or a step")
	return cmd
}

func show(_ context.Context, opts *Options) error {
	c, err := opts.open()
	if err != nil {
		return err
	}
	return opts.Env.Report(json.RawMessage(c.MetaJSON()), func(w io.Writer) {
		describe(w, c)
		fmt.Fprintln(w)
		t := cmdenv.NewTable("tensor", "dtype", "shape", "sha256")
		for _, f := range c.Meta.Files {
			for _, tensor := range f.Tensors {
				t.Row(tensor.Name, tensor.DType, fmt.Sprint(tensor.Shape), tensor.SHA256[:12])
			}
		}
		t.WriteTo(w)
	})
}

// open opens the checkpoint that Path and Checkpoint name.
func (o *Options) open() (*checkpoint.Checkpoint, error) {
	t, err := o.find()
	if err != nil {
		return nil, err
	}
	if t.store == nil {
		c, err := checkpoint.Open(t.path)
		return c, cmdenv.BadInput(err)
	}
	c, err := t.store.Open(o.Checkpoint)
	return c, cmdenv.BadInput(err)
}

// describe prints what a checkpoint says about itself as a whole; what it does
// not say is left out.
func describe(w io.Writer, c *checkpoint.Checkpoint) {
	m := c.Meta
	t := cmdenv.NewTable()
	row := func(name, value string) {
		if value != "" {
			t.Row(name, value)
		}
	}
	row("checkpoint", c.Path)
	row("step", fmt.Sprint(m.Step))
	row("epoch", fmt.Sprint(m.Epoch))
	row("tokens seen", fmt.Sprint(m.TokensSeen))
	row("created", m.CreatedAt)
	row("metrics", metrics(m.Metrics))
	row("run", m.RunID)
	row("notes", m.Notes)
	row("git commit", m.GitCommit)
	row("config version", m.ConfigVersion)
	row("config hash", m.ConfigHash)
	row("data", m.DataSHA256)
	row("tokenizer", m.TokenizerSHA256)
	row("digest", m.Digest)
	for _, f := range m.Files {
		row(f.File, fmt.Sprintf("%s %s", f.SHA256, cmdenv.Bytes(f.Bytes)))
	}
	t.WriteTo(w)
}
