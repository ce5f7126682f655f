package checkpoint

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
)

// TestFlags demands that the command line reaches the options.
func TestFlags(t *testing.T) {
	parse := func(make func(*cmdenv.Env, func(context.Context, *Options) error) *cobra.Command, line string) (got Options, err error) {
		env := cmdenv.New(strings.NewReader(""), new(bytes.Buffer), new(bytes.Buffer), func(string) (string, bool) { return "", false }, t.TempDir())
		cmd := make(env, func(_ context.Context, o *Options) error { got = *o; return nil })
		cmd.SetArgs(strings.Fields(line))
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		err = cmd.Execute()
		got.Env = nil
		return got, err
	}
	for _, c := range []struct {
		make func(*cmdenv.Env, func(context.Context, *Options) error) *cobra.Command
		line string
		want Options
	}{
		{newList, "r", Options{Path: "r"}},
		{newShow, "r", Options{Path: "r", Checkpoint: "last"}},
		{newShow, "r --checkpoint best", Options{Path: "r", Checkpoint: "best"}},
		{newVerify, "r", Options{Path: "r"}},
		{newVerify, "r --checkpoint 7", Options{Path: "r", Checkpoint: "7"}},
		{newPrune, "r", Options{Path: "r", KeepLast: 3}},
		{newPrune, "r --keep-last 1 --keep-every 10 --dry-run", Options{Path: "r", KeepLast: 1, KeepEvery: 10, DryRun: true}},
	} {
		if got, err := parse(c.make, c.line); err != nil || got != c.want {
			t.Errorf("%q: got %+v %v, want %+v", c.line, got, err, c.want)
		}
	}
	for _, line := range []string{"", "r --keep-last 0", "r --keep-every -1", "r s"} {
		if _, err := parse(newPrune, line); cmdenv.ExitCode(err) != cmdenv.ExitBadInput {
			t.Errorf("prune %q: %v", line, err)
		}
	}
}
