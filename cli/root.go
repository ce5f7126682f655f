package cli

import (
	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/bench"
	"github.com/aries-serpent/codexml/cli/chat"
	"github.com/aries-serpent/codexml/cli/checkpoint"
	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/cli/config"
	"github.com/aries-serpent/codexml/cli/doctor"
	"github.com/aries-serpent/codexml/cli/generate"
	"github.com/aries-serpent/codexml/cli/model"
	"github.com/aries-serpent/codexml/cli/quickstart"
	"github.com/aries-serpent/codexml/cli/resume"
	"github.com/aries-serpent/codexml/cli/score"
	"github.com/aries-serpent/codexml/cli/tokenizer"
	"github.com/aries-serpent/codexml/cli/train"
	"github.com/aries-serpent/codexml/cli/verify"
	"github.com/aries-serpent/codexml/cli/version"
)

// commands lists the commands in the order in which help shows them.
func commands(env *cmdenv.Env) []*cobra.Command {
	return []*cobra.Command{
		quickstart.New(env, nil),
		train.New(env, nil),
		resume.New(env, nil),
		generate.New(env, nil),
		chat.New(env, nil),
		score.New(env, nil),
		model.New(env),
		tokenizer.New(env),
		tokenizer.NewTokenize(env, nil),
		checkpoint.New(env),
		config.New(env),
		verify.New(env, nil),
		bench.New(env),
		doctor.New(env, nil),
		version.New(env, nil),
	}
}

func newRoot(env *cmdenv.Env) *cobra.Command {
	root := cmdenv.Group("codexml", "Train, prove and serve language models, offline", commands(env)...)
	root.Long = "codexml is an offline-first toolkit for language models: tokenizers, models, training,\n" +
		"evaluation and generation in one program. The same config, data and seed give the same bits."
	root.Example = "  codexml quickstart\n  codexml train -c run.yaml\n  codexml doctor"
	unknown := root.RunE
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return unknown(cmd, args)
	}
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(flagError)
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	root.CompletionOptions.HiddenDefaultCmd = true
	cobra.EnableCommandSorting = false

	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.BoolVar(&env.JSON, "json", env.JSON, "print one JSON object, last on standard output")
	flags.Lookup("json").DefValue = "false"
	flags.BoolVarP(&env.Quiet, "quiet", "q", false, "show no progress")
	flags.Var(threads{&env.Threads}, "threads", "number of worker threads (the result does not depend on it)")
	return root
}
