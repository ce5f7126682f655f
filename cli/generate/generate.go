// Package generate is the command codexml generate: it continues a text.
package generate

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/cli/runs"
	"github.com/aries-serpent/codexml/generate"
	"github.com/aries-serpent/codexml/tokenizer"
)

// Options are the command's inputs.
type Options struct {
	Env             *cmdenv.Env
	Run, Checkpoint string
	Prompt          string
	MaxNewTokens    int
	Sampling        generate.Sampling
}

// Result is the command's result.
type Result struct {
	Prompt          string   `json:"prompt"`
	Text            string   `json:"text"`
	IDs             []int32  `json:"ids"`
	Reason          string   `json:"reason"`
	Checkpoint      string   `json:"checkpoint"`
	TokensPerSecond float64  `json:"tokens_per_s"`
	Warnings        []string `json:"warnings,omitempty"`
}

// New returns the command. runF, if not nil, runs instead of it.
func New(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	cmd := &cobra.Command{
		Use: "generate", Short: "Continue a text with a trained model",
		Long: "Continues a prompt with a model that train or quickstart made: one pass over the prompt, then token by\n" +
			"token. The text is a function of model, prompt and seed alone.",
		Example: "  codexml generate --run runs/quickstart --prompt 'func main() {'\n" +
			"  codexml generate --checkpoint runs/quickstart/checkpoints/step-100 --prompt 'package ' --temperature 0 --json",
		Args: cmdenv.Args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return run(cmd.Context(), opts)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&opts.Run, "run", "", "run folder; its newest checkpoint is taken")
	f.StringVar(&opts.Checkpoint, "checkpoint", "", "checkpoint folder, instead of a run")
	f.StringVar(&opts.Prompt, "prompt", "", "text to continue; - reads standard input")
	f.IntVar(&opts.MaxNewTokens, "max-new-tokens", 100, "tokens to generate at the most")
	f.Float64Var(&opts.Sampling.Temperature, "temperature", 1, "of the sampling; 0 takes the likeliest token")
	f.IntVar(&opts.Sampling.TopK, "top-k", 0, "draw among that many tokens; 0 is off")
	f.Float64Var(&opts.Sampling.TopP, "top-p", 1, "draw among the likeliest tokens of that total probability; 1 is off")
	f.Uint64Var(&opts.Sampling.Seed, "seed", 42, "of the sampling")
	return cmd
}

func run(ctx context.Context, opts *Options) error {
	env := opts.Env
	if (opts.Run == "") == (opts.Checkpoint == "") {
		return cmdenv.Usagef("generate: give --run or --checkpoint, and not both")
	}
	if opts.MaxNewTokens < 0 {
		return cmdenv.Usagef("generate: --max-new-tokens: want 0 or above, got %d", opts.MaxNewTokens)
	}
	if err := opts.Sampling.Validate(); err != nil {
		return cmdenv.Usagef("generate: %w", err)
	}
	if opts.Prompt == "-" {
		text, err := io.ReadAll(env.In)
		if err != nil {
			return fmt.Errorf("read standard input: %w", err)
		}
		opts.Prompt = string(text)
	}
	loaded, err := runs.LoadModel(env, env.Path(opts.Run), env.Path(opts.Checkpoint))
	if err != nil {
		return err
	}
	return opts.generate(ctx, loaded)
}

func (o *Options) generate(ctx context.Context, l *runs.Loaded) error {
	env := o.Env
	ids := l.Tokenizer.Encode(nil, []byte(o.Prompt))
	if bos, ok := l.Tokenizer.BOS(); ok {
		ids = append([]int32{bos}, ids...)
	}
	g := generate.Options{Sampling: o.Sampling, MaxNewTokens: o.MaxNewTokens}
	if eos, ok := l.Tokenizer.EOS(); ok {
		g.Stop = []int32{eos}
	}
	decoder := tokenizer.NewDecoder(l.Tokenizer)
	var text strings.Builder
	show := func(piece []byte) error {
		text.Write(piece)
		if env.JSON {
			return nil
		}
		_, err := env.Out.Write(piece)
		return err
	}
	if !env.JSON {
		fmt.Fprint(env.Out, o.Prompt)
	}
	start := time.Now()
	out, reason, err := generate.Generate(ctx, l.Model, l.Context, ids, g, func(id int32) error { return show(decoder.Append(nil, id)) })
	if err != nil {
		return cmdenv.BadInput(err)
	}
	if err := show(decoder.Flush(nil)); err != nil {
		return err
	}
	r := Result{Prompt: o.Prompt, Text: text.String(), IDs: out, Reason: string(reason), Checkpoint: l.Path, TokensPerSecond: float64(len(out)) / time.Since(start).Seconds(), Warnings: l.Warnings}
	return env.Report(r, func(w io.Writer) { fmt.Fprintln(w) })
}
