// Package generate is the command codexml generate: it continues texts.
package generate

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/cli/runs"
	"github.com/aries-serpent/codexml/generate"
	"github.com/aries-serpent/codexml/tokenizer"
)

// Options are the command's inputs.
type Options struct {
	Env                    *cmdenv.Env
	Model, Run, Checkpoint string
	Prompts                []string
	IDs                    []string
	MaxNewTokens           int
	Truncate, NoSpecials   bool
	LogProbs               int
	Sampling               runs.SamplingFlags
}

// Text is a continued prompt.
type Text struct {
	Prompt   string       `json:"prompt,omitempty"`
	Text     string       `json:"text"`
	IDs      []int32      `json:"ids"`
	Reason   string       `json:"reason"`
	LogProbs []TokenProbs `json:"logprobs,omitempty"`
}

// TokenProbs are the log-probabilities at a token's place.
type TokenProbs struct {
	generate.Candidate
	Top []generate.Candidate `json:"top,omitempty"`
}

// Result is the command's result: the text itself where there is one prompt.
type Result struct {
	*Text
	Texts           []*Text  `json:"texts,omitempty"`
	Checkpoint      string   `json:"checkpoint,omitempty"`
	Model           string   `json:"model,omitempty"`
	TokensPerSecond float64  `json:"tokens_per_s"`
	Warnings        []string `json:"warnings,omitempty"`
}

// New returns the command. runF, if not nil, runs instead of it.
func New(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	cmd := &cobra.Command{
		Use: "generate", Short: "Continue texts with a model",
		Long: "Continues prompts with a model that train or quickstart made, or with a pretrained one: a folder that\n" +
			"transformers opens, or a GGUF file. One pass over the prompt, then token by token; several prompts go\n" +
			"side by side. A text is a function of model, prompt and seed alone.",
		Example: "  codexml generate --run runs/quickstart --prompt 'func main() {'\n" +
			"  codexml generate --model SmolLM2-135M --prompt 'The capital of France is' --greedy --max-new-tokens 20\n" +
			"  codexml generate --model model.gguf --ids 1,2,3 --greedy --max-new-tokens 8 --json",
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
	f.StringVar(&opts.Model, "model", "", "pretrained model: a folder or a .gguf file")
	f.StringVar(&opts.Run, "run", "", "run folder; its newest checkpoint is taken")
	f.StringVar(&opts.Checkpoint, "checkpoint", "", "checkpoint folder, instead of a run")
	f.StringArrayVar(&opts.Prompts, "prompt", nil, "text to continue; - reads standard input; may be repeated")
	f.StringArrayVar(&opts.IDs, "ids", nil, "token ids to continue, instead of a text; may be repeated")
	f.BoolVar(&opts.NoSpecials, "no-bos", false, "do not begin texts with the model's token for that")
	f.BoolVar(&opts.Truncate, "truncate", false, "keep the end of a prompt that is longer than the model's context")
	f.IntVar(&opts.MaxNewTokens, "max-new-tokens", 100, "tokens to generate at the most")
	f.IntVar(&opts.LogProbs, "logprobs", -1, "with --json: log-probabilities of the tokens, and of that many of the likeliest others")
	opts.Sampling.Add(f)
	return cmd
}

func run(ctx context.Context, opts *Options) error {
	env := opts.Env
	if opts.MaxNewTokens < 0 {
		return cmdenv.Usagef("generate: --max-new-tokens: want 0 or above, got %d", opts.MaxNewTokens)
	}
	if len(opts.Prompts) > 0 && len(opts.IDs) > 0 {
		return cmdenv.Usagef("generate: give --prompt or --ids, and not both")
	}
	for i, p := range opts.Prompts {
		if p != "-" {
			continue
		}
		text, err := io.ReadAll(env.In)
		if err != nil {
			return fmt.Errorf("read standard input: %w", err)
		}
		opts.Prompts[i] = string(text)
	}
	if len(opts.Prompts)+len(opts.IDs) == 0 {
		opts.Prompts = []string{""}
	}
	l, err := runs.LoadAny(env, "generate", opts.Run, opts.Checkpoint, opts.Model)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := opts.Sampling.Resolve("generate", l.Generation); err != nil {
		return err
	}
	return opts.generate(ctx, l)
}

// prompts makes the requests' token ids.
func (o *Options) prompts(l *runs.Loaded) ([][]int32, error) {
	var all [][]int32
	for _, text := range o.IDs {
		ids, err := runs.ParseIDs(text)
		if err != nil {
			return nil, cmdenv.Usagef("generate: --ids: %w", err)
		}
		all = append(all, ids)
	}
	for _, text := range o.Prompts {
		ids, err := l.Encode(text, !o.NoSpecials)
		if err != nil {
			return nil, err
		}
		all = append(all, ids)
	}
	for i, ids := range all {
		if most := l.Model.Config().MaxSeqLen; o.Truncate && len(ids) > most-min(o.MaxNewTokens, most/2) {
			all[i] = ids[len(ids)-(most-min(o.MaxNewTokens, most/2)):]
		}
	}
	return all, nil
}

func (o *Options) generate(ctx context.Context, l *runs.Loaded) error {
	env := o.Env
	prompts, err := o.prompts(l)
	if err != nil {
		return err
	}
	single := len(prompts) == 1 && !env.JSON
	var writers []*writer
	var requests []generate.Request
	for i, ids := range prompts {
		w := &writer{stopper: o.Sampling.Stopper()}
		w.Prompt = append(o.Prompts, make([]string, len(o.IDs))...)[i]
		if l.Tokenizer != nil {
			w.decoder = tokenizer.NewDecoder(l.Tokenizer)
		}
		if single {
			w.out = env.Out
		}
		r := generate.Request{Prompt: ids, Emit: w.emit, Options: generate.Options{Sampling: o.Sampling.Sampling, MaxNewTokens: o.MaxNewTokens, LogProbs: o.LogProbs}}
		if !o.Sampling.Ignore {
			r.Stop = l.Stops()
		}
		writers, requests = append(writers, w), append(requests, r)
	}
	if single {
		fmt.Fprint(env.Out, writers[0].Prompt)
	}
	start := time.Now()
	results, err := generate.Batch(ctx, l.Model, l.Context, requests)
	if err != nil {
		return cmdenv.BadInput(err)
	}
	seconds := time.Since(start).Seconds()
	res := Result{Warnings: l.Warnings}
	if res.Checkpoint = l.Path; l.Pretrained != nil {
		res.Checkpoint, res.Model = "", l.Path
	}
	tokens := 0
	for i, w := range writers {
		if err := w.end(results[i]); err != nil {
			return err
		}
		tokens += len(results[i].IDs)
		res.Texts = append(res.Texts, &w.Text)
	}
	res.TokensPerSecond = float64(tokens) / seconds
	if len(res.Texts) == 1 {
		res.Text, res.Texts = res.Texts[0], nil
	}
	return env.Report(res, func(out io.Writer) {
		for i, x := range res.Texts {
			fmt.Fprintf(out, "--- %d (%s)\n%s%s\n", i+1, x.Reason, x.Prompt, x.Text)
		}
		if res.Text != nil {
			fmt.Fprintln(out)
		}
	})
}

// writer makes text of tokens as they come.
type writer struct {
	Text
	decoder *tokenizer.Decoder // nil where there is no tokenizer
	stopper *generate.Stopper
	out     io.Writer // or nil
	stopped bool
}

func (w *writer) emit(t generate.Token) error {
	if w.decoder == nil {
		return w.show(fmt.Appendf(nil, " %d", t.ID))
	}
	piece, stop := w.stopper.Add(w.decoder.Append(nil, t.ID))
	w.stopped = stop
	if err := w.show(piece); err != nil {
		return err
	}
	if stop {
		return generate.ErrStop
	}
	return nil
}

// show adds a piece to the text; a model without a tokenizer shows ids to people.
func (w *writer) show(piece []byte) error {
	if w.decoder != nil {
		w.Text.Text += string(piece)
	}
	if w.out == nil {
		return nil
	}
	_, err := w.out.Write(piece)
	return err
}

func (w *writer) end(r generate.Result) error {
	w.IDs, w.Reason = r.IDs, string(r.Reason)
	if w.IDs == nil {
		w.IDs = []int32{}
	}
	for _, t := range r.Tokens {
		if t.Top != nil || t.LogProb != 0 {
			w.LogProbs = append(w.LogProbs, TokenProbs{generate.Candidate{ID: t.ID, LogProb: t.LogProb}, t.Top})
		}
	}
	if w.decoder == nil || w.stopped {
		return nil
	}
	piece, _ := w.stopper.Add(w.decoder.Flush(nil))
	return w.show(append(piece, w.stopper.Flush()...))
}
