// Package score is the command codexml score: how likely a model finds a text.
package score

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/cli/runs"
	"github.com/aries-serpent/codexml/generate"
)

// Options are the command's inputs.
type Options struct {
	Env                    *cmdenv.Env
	Model, Run, Checkpoint string
	Text, IDs, File        string
	NoSpecials             bool
	Window, Stride, Next   int
}

// Scores is the result for ids or a text.
type Scores struct {
	IDs        []int32              `json:"ids"`
	LogProbs   []float32            `json:"logprobs"` // of each id after the first
	Next       []generate.Candidate `json:"next"`
	LogProb    float64              `json:"logprob"` // their sum
	Perplexity float64              `json:"perplexity"`
}

// FileScores is the result for a file.
type FileScores struct {
	File       string  `json:"file"`
	Tokens     int     `json:"tokens"`
	Bytes      int     `json:"bytes"`
	LogProb    float64 `json:"logprob"`
	Perplexity float64 `json:"perplexity"`
	BitsByte   float64 `json:"bits_per_byte"`
	Context    int     `json:"context"`
	Stride     int     `json:"stride"`
}

// New returns the command. runF, if not nil, runs instead of it.
func New(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	cmd := &cobra.Command{
		Use: "score", Short: "Tell how likely a model finds a text",
		Long: "Gives the natural logarithm of the probability of each token of a text, given those before it, and the\n" +
			"likeliest next tokens; of a file the perplexity, in windows of the model's context.",
		Example: "  codexml score --model SmolLM2-135M --text 'The capital of France is Paris.'\n" +
			"  codexml score --model model.gguf --ids 1,2,3 --json\n  codexml score --run runs/quickstart --file notes.txt",
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
	f.StringVar(&opts.Text, "text", "", "text to score; - reads standard input")
	f.StringVar(&opts.IDs, "ids", "", "token ids to score")
	f.StringVar(&opts.File, "file", "", "file of which to give the perplexity")
	f.BoolVar(&opts.NoSpecials, "no-bos", false, "do not begin the text with the model's token for that")
	f.IntVar(&opts.Next, "next", 10, "how many of the likeliest next tokens to give")
	f.IntVar(&opts.Window, "context", 0, "with --file: tokens of a window; 0 is the model's context, at most 2048")
	f.IntVar(&opts.Stride, "stride", 0, "with --file: tokens between the beginnings of windows; 0 is half the context")
	return cmd
}

func run(ctx context.Context, opts *Options) error {
	env, given := opts.Env, 0
	for _, x := range []string{opts.Text, opts.IDs, opts.File} {
		if x != "" {
			given++
		}
	}
	if given != 1 {
		return cmdenv.Usagef("score: give one of --text, --ids and --file")
	}
	if opts.Next < 0 {
		return cmdenv.Usagef("score: --next: want 0 or above, got %d", opts.Next)
	}
	l, err := runs.LoadAny(env, "score", opts.Run, opts.Checkpoint, opts.Model)
	if err != nil {
		return err
	}
	defer l.Close()
	if opts.File != "" {
		return opts.file(ctx, l)
	}
	return opts.text(l)
}

func (o *Options) text(l *runs.Loaded) error {
	var ids []int32
	var err error
	if o.IDs != "" {
		if ids, err = runs.ParseIDs(o.IDs); err != nil {
			return cmdenv.Usagef("score: --ids: %w", err)
		}
	} else {
		text := o.Text
		if text == "-" {
			read, err := io.ReadAll(o.Env.In)
			if err != nil {
				return fmt.Errorf("read standard input: %w", err)
			}
			text = string(read)
		}
		if ids, err = l.Encode(text, !o.NoSpecials); err != nil {
			return err
		}
	}
	probs, err := generate.LogProbs(l.Model, l.Context, ids)
	if err != nil {
		if errors.Is(err, generate.ErrTooLong) {
			err = cmdenv.WithHint(err, "a text of any length can be scored as a file: codexml score --file")
		}
		return cmdenv.BadInput(err)
	}
	next, err := generate.Next(l.Model, l.Context, ids, o.Next)
	if err != nil {
		return cmdenv.BadInput(err)
	}
	r := Scores{IDs: ids, LogProbs: probs, Next: next}
	for _, p := range probs {
		r.LogProb += float64(p)
	}
	r.Perplexity = generate.Likelihood{LogProb: r.LogProb, Tokens: len(probs)}.Perplexity()
	return o.Env.Report(r, func(w io.Writer) { r.print(w, l) })
}

// print writes the scores for people.
func (r Scores) print(w io.Writer, l *runs.Loaded) {
	name := func(id int32) string {
		if l.Tokenizer == nil {
			return ""
		}
		return fmt.Sprintf("%q", l.Tokenizer.Decode(nil, []int32{id}))
	}
	for i, id := range r.IDs {
		if i == 0 {
			fmt.Fprintf(w, "%10s %7d %s\n", "", id, name(id))
			continue
		}
		fmt.Fprintf(w, "%10.4f %7d %s\n", r.LogProbs[i-1], id, name(id))
	}
	fmt.Fprintf(w, "log-probability %.4f, perplexity %.3f\n", r.LogProb, r.Perplexity)
	if len(r.Next) > 0 {
		fmt.Fprintln(w, "likeliest next:")
	}
	for _, x := range r.Next {
		fmt.Fprintf(w, "%10.4f %7d %s\n", x.LogProb, x.ID, name(x.ID))
	}
}

func (o *Options) file(ctx context.Context, l *runs.Loaded) error {
	text, err := os.ReadFile(o.Env.Path(o.File))
	if err != nil {
		return cmdenv.BadInput(fmt.Errorf("score: %w", err))
	}
	ids, err := l.Encode(string(text), !o.NoSpecials)
	if err != nil {
		return err
	}
	if o.Window == 0 {
		o.Window = min(2048, l.Model.Config().MaxSeqLen)
	}
	if o.Stride == 0 {
		o.Stride = max(1, o.Window/2)
	}
	progress := o.Env.Progress("scoring", len(ids))
	got, err := generate.Rolling(ctx, l.Model, l.Context, ids, o.Window, o.Stride, func(done int) { progress.Set(done, "") })
	progress.Done()
	if err != nil {
		return cmdenv.BadInput(fmt.Errorf("score %s: %w", o.File, err))
	}
	r := FileScores{File: o.File, Tokens: got.Tokens, Bytes: len(text), LogProb: got.LogProb, Perplexity: got.Perplexity(), Context: o.Window, Stride: o.Stride}
	r.BitsByte = -got.LogProb / math.Ln2 / float64(max(1, len(text)))
	return o.Env.Report(r, func(w io.Writer) {
		fmt.Fprintf(w, "%s: perplexity %.3f, %.3f bits per byte (%d tokens, %d bytes; windows of %d, %d apart)\n", r.File, r.Perplexity, r.BitsByte, r.Tokens, r.Bytes, r.Context, r.Stride)
	})
}
