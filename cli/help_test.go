package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/internal/testkit"
)

// testEnv is an environment without variables, and its outputs.
func testEnv(t *testing.T) (env *cmdenv.Env, out, errs *bytes.Buffer) {
	out, errs = new(bytes.Buffer), new(bytes.Buffer)
	none := func(string) (string, bool) { return "", false }
	return cmdenv.New(strings.NewReader(""), out, errs, none, t.TempDir()), out, errs
}

// TestHelp holds the help of every command, and with it the flags, to a golden.
func TestHelp(t *testing.T) {
	dir := filepath.Join("testdata", "help")
	unused := map[string]bool{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		unused[e.Name()] = true
	}
	env, _, _ := testEnv(t)
	each(newRoot(env), func(cmd *cobra.Command) {
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".txt"
		delete(unused, name)
		if cmd.Short == "" || !cmd.HasSubCommands() && cmd.Example == "" {
			t.Errorf("%s: a short text or examples are missing", cmd.CommandPath())
		}
		t.Run(name, func(t *testing.T) {
			env, out, errs := testEnv(t)
			args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
			if code := Run(context.Background(), env, args); code != 0 || errs.Len() > 0 {
				t.Fatalf("exit code %d: %s", code, errs)
			}
			testkit.Golden(t, filepath.Join(dir, name), out.String())
		})
	})
	for name := range unused {
		if testkit.Updating() {
			os.Remove(filepath.Join(dir, name))
			continue
		}
		t.Errorf("%s: there is no such command: delete the file, or go test -update", name)
	}
}

func each(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, c := range cmd.Commands() {
		each(c, visit)
	}
}

// TestGlobalFlags demands that every command takes the global flags and its own
// flags do not hide them.
func TestGlobalFlags(t *testing.T) {
	env, _, _ := testEnv(t)
	root := newRoot(env)
	each(root, func(cmd *cobra.Command) {
		for _, name := range []string{"json", "quiet", "threads"} {
			if cmd != root && cmd.LocalNonPersistentFlags().Lookup(name) != nil {
				t.Errorf("%s: its own --%s hides the global one", cmd.CommandPath(), name)
			}
		}
	})
}
