package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/checkpoint"
	"github.com/aries-serpent/codexml/cli/cmdenv"
)

// Verified is the result of checkpoint verify.
type Verified struct {
	OK          bool    `json:"ok"`
	Checkpoints []Check `json:"checkpoints"`
}

// Check says what was found of one checkpoint.
type Check struct {
	Path   string             `json:"path"`
	OK     bool               `json:"ok"`
	Digest string             `json:"digest,omitempty"`
	Faults []checkpoint.Fault `json:"faults"`
	Error  string             `json:"error,omitempty"` // what kept it from being read, damage apart
}

func newVerify(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	if runF == nil {
		runF = verify
	}
	cmd := &cobra.Command{
		Use:   "verify RUN",
		Short: "Read checkpoints whole and compare every hash",
		Long: "Read all checkpoints of a run, or one of them, and compare the hashes of every file and tensor.\n" +
			"The exit code is 1 if one is damaged. RUN is a run folder, its checkpoints folder, or a checkpoint.",
		Example: "  codexml checkpoint verify runs/quickstart\n  codexml checkpoint verify runs/quickstart --checkpoint last --json",
		Args:    cmdenv.Args("RUN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Path = args[0]
			return runF(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.Checkpoint, "checkpoint", "", "`WHICH` of a run's checkpoints: last, best or a step (none: all)")
	return cmd
}

func verify(ctx context.Context, opts *Options) error {
	paths, err := opts.paths()
	if err != nil {
		return err
	}
	result := Verified{OK: true, Checkpoints: []Check{}}
	bad := 0
	progress := opts.Env.Progress("verify", len(paths))
	defer progress.Done()
	for i, path := range paths {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("verify: interrupted after %d of %d checkpoints", i, len(paths))
		}
		check := verifyOne(path)
		if !check.OK {
			result.OK = false
			bad++
		}
		result.Checkpoints = append(result.Checkpoints, check)
		progress.Set(i+1, "")
	}
	progress.Done()
	if err := opts.Env.Report(result, func(w io.Writer) { result.print(w) }); err != nil || result.OK {
		return err
	}
	return cmdenv.WithHint(fmt.Errorf("verify: %d of %d checkpoints are damaged", bad, len(paths)),
		"resuming takes the newest that is intact")
}

// paths lists the checkpoints to verify.
func (o *Options) paths() ([]string, error) {
	t, err := o.find()
	if err != nil {
		return nil, err
	}
	if t.store == nil {
		return []string{t.path}, nil
	}
	if o.Checkpoint != "" {
		path, err := t.store.Path(o.Checkpoint)
		return []string{path}, cmdenv.BadInput(err)
	}
	infos, err := t.store.List()
	var paths []string
	for _, i := range infos {
		paths = append(paths, i.Path)
	}
	return paths, err
}

func verifyOne(path string) Check {
	check := Check{Path: path, Faults: []checkpoint.Fault{}}
	c, err := checkpoint.Open(path)
	if err == nil {
		check.Digest = c.Meta.Digest
		err = c.Verify()
	}
	var corrupt *checkpoint.CorruptError
	switch {
	case err == nil:
		check.OK = true
	case errors.As(err, &corrupt):
		check.Faults = corrupt.Faults
	default:
		check.Error = err.Error()
	}
	return check
}

func (v Verified) print(w io.Writer) {
	t := cmdenv.NewTable("checkpoint", "state", "digest")
	for _, c := range v.Checkpoints {
		state := "ok"
		if !c.OK {
			state = "damaged"
		}
		t.Row(c.Path, state, c.Digest)
	}
	t.WriteTo(w)
	for _, c := range v.Checkpoints {
		if c.Error != "" {
			fmt.Fprintf(w, "%s: %s\n", c.Path, c.Error)
		}
		for _, f := range c.Faults {
			fmt.Fprintf(w, "%s: %s\n", c.Path, f)
		}
	}
}
