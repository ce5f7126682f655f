package cli

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
)

// TestPrintError holds both forms of an error.
func TestPrintError(t *testing.T) {
	err := cmdenv.WithHint(cmdenv.BadInput(errors.New("first\nsecond")), "do <this>")
	env, _, errs := testEnv(t)
	printError(env, err)
	if want := "codexml: first\n  second\ndo <this>\n"; errs.String() != want {
		t.Errorf("got %q, want %q", errs.String(), want)
	}
	env, _, errs = testEnv(t)
	env.JSON = true
	printError(env, err)
	if want := `{"error":{"kind":"bad_input","message":"first\nsecond","hint":"do <this>"}}` + "\n"; errs.String() != want {
		t.Errorf("got %q, want %q", errs.String(), want)
	}
}

// TestRunErrors demands exit code 2, a hint on people's standard error, and JSON
// where it was asked for, even if the command line is wrong.
func TestRunErrors(t *testing.T) {
	for _, args := range [][]string{
		{"versoin"}, {"version", "x"}, {"version", "--jsno"}, {"doctor", "--threads", "0"}, {"doctor", "--threads"}, {"config"}, {"config", "shwo"}, {"checkpoint", "list"},
	} {
		env, out, errs := testEnv(t)
		if code := Run(context.Background(), env, args); code != cmdenv.ExitBadInput || out.Len() > 0 || !strings.Contains(errs.String(), " --help'\n") {
			t.Errorf("%v: exit code %d, output %q, error %q", args, code, out, errs)
		}
		env, out, errs = testEnv(t)
		code := Run(context.Background(), env, append([]string{"--json"}, args...))
		var got struct{ Error jsonError }
		if err := json.Unmarshal(errs.Bytes(), &got); err != nil || code != cmdenv.ExitBadInput || out.Len() > 0 || got.Error.Kind != "usage" || got.Error.Hint == "" {
			t.Errorf("%v with --json: exit code %d, output %q, error %q", args, code, out, errs)
		}
	}
}

func TestWantsJSON(t *testing.T) {
	for args, want := range map[string]bool{"": false, "a --json": true, "--json=true b": true, "a -- --json": false, "--json=false": false} {
		if got := wantsJSON(strings.Fields(args)); got != want {
			t.Errorf("%q: got %v", args, got)
		}
	}
}

// TestMarkStart demands that errors of a command itself are not called usage.
func TestMarkStart(t *testing.T) {
	cmd := &cobra.Command{Use: "x", RunE: func(*cobra.Command, []string) error { return errors.New("failed") }}
	root := cmdenv.Group("codexml", "", cmd)
	started := markStart(root)
	root.SetArgs([]string{"x"})
	root.SilenceErrors, root.SilenceUsage = true, true
	if err := root.Execute(); err == nil || !*started {
		t.Errorf("started is %v after %v", *started, err)
	}
}
