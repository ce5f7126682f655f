// Package cli is the command line: Main builds the tree of commands, runs one,
// and is the only place that prints errors and picks exit codes (0 ok, 1 failed,
// 2 bad input). The commands themselves are packages beside it.
package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/config"
)

// Main runs the process's command line and returns its exit code. SIGINT and
// SIGTERM cancel the command's context, so that it can save; a second one ends
// the process at once.
func Main() int {
	env, err := cmdenv.System()
	if err != nil {
		fmt.Fprintf(os.Stderr, "codexml: find the working folder: %v\n", err)
		return cmdenv.ExitFailed
	}
	ctx, stop := untilSignal()
	defer stop()
	return Run(ctx, env, os.Args[1:])
}

// untilSignal is a context that the first SIGINT or SIGTERM ends; the second one
// has its default effect.
func untilSignal() (ctx context.Context, stop context.CancelFunc) {
	ctx, stop = signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// Run runs one command line in env and returns its exit code.
func Run(ctx context.Context, env *cmdenv.Env, args []string) (code int) {
	defer func() {
		if r := recover(); r != nil {
			err := fmt.Errorf("internal error: %v\n%s", r, debug.Stack())
			printError(env, cmdenv.WithHint(err, "this is a bug of codexml: please report it with the lines above"))
			code = cmdenv.ExitFailed
		}
	}()
	defer env.Close()
	env.JSON = wantsJSON(args)
	root := newRoot(env)
	started := markStart(root)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return cmdenv.ExitOK
	}
	if !*started { // cobra refused the command line itself
		err = asUsage(err)
	}
	var usage *cmdenv.UsageError
	if errors.As(err, &usage) {
		err = cmdenv.WithHint(err, "see '%s --help'", cmd.CommandPath())
	}
	printError(env, err)
	return cmdenv.ExitCode(err)
}

// wantsJSON looks for --json before the flags are parsed, so that even a wrong
// command line is answered in the form that was asked for.
func wantsJSON(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.Contains(args, "--json") || slices.Contains(args, "--json=true")
}

// markStart has every command say that it began to run: an error from before
// that is one of the command line.
func markStart(root *cobra.Command) *bool {
	started := new(bool)
	var wrap func(*cobra.Command)
	wrap = func(cmd *cobra.Command) {
		if run := cmd.RunE; run != nil {
			cmd.RunE = func(cmd *cobra.Command, args []string) error {
				*started = true
				return run(cmd, args)
			}
		}
		for _, c := range cmd.Commands() {
			wrap(c)
		}
	}
	wrap(root)
	return started
}

func asUsage(err error) error {
	if cmdenv.ExitCode(err) == cmdenv.ExitBadInput {
		return err
	}
	return &cmdenv.UsageError{Err: err}
}

// jsonError is an error as JSON, on standard error.
type jsonError struct {
	Kind     string `json:"kind"` // usage, bad_input or failure
	Message  string `json:"message"`
	Problems any    `json:"problems,omitempty"` // of a configuration, each with its place
	Hint     string `json:"hint,omitempty"`
}

func printError(env *cmdenv.Env, err error) {
	var hint *cmdenv.HintError
	way := ""
	if errors.As(err, &hint) {
		way = hint.Hint
	}
	if !env.JSON {
		fmt.Fprintf(env.Err, "codexml: %s\n", strings.ReplaceAll(err.Error(), "\n", "\n  "))
		if way != "" {
			fmt.Fprintln(env.Err, way)
		}
		return
	}
	object := jsonError{Kind: cmdenv.Kind(err), Message: err.Error(), Hint: way}
	var problems config.Problems
	if errors.As(err, &problems) {
		object.Problems = problems
	}
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(map[string]jsonError{"error": object}); err != nil {
		panic("cli: printError: " + err.Error()) // strings and numbers only
	}
	env.Err.Write(line.Bytes())
}
