// Package quickstart is the command codexml quickstart: from source code on this
// machine to a trained, evaluated, proven and sampled language model.
package quickstart

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/cli/runs"
	"github.com/aries-serpent/codexml/data"
	"github.com/aries-serpent/codexml/eval"
	"github.com/aries-serpent/codexml/train"
	"github.com/aries-serpent/codexml/train/proof"
)

// Options are the command's inputs.
type Options struct {
	Env     *cmdenv.Env
	Corpus  string
	Minutes float64
	Out     string
	Seed    int64
	Force   bool
}

// Report is the command's result.
type Report struct {
	TestBits    float64     `json:"test_bits_per_byte"`
	GzipBits    float64     `json:"gzip_bits_per_byte"`
	UnigramBits float64     `json:"unigram_bits_per_byte"`
	BigramBits  float64     `json:"bigram_bits_per_byte"`
	Perplexity  float64     `json:"test_perplexity"`
	Tokens      int         `json:"tokens"`
	TokensPerS  float64     `json:"tokens_per_s"`
	Params      int         `json:"params"`
	Steps       int         `json:"steps"`
	Preset      string      `json:"preset"`
	HashesEqual bool        `json:"hashes_equal"`
	Proof       []proof.Row `json:"proof"`
	ParseRate   float64     `json:"parse_rate"`
	Samples     int         `json:"samples"`
	Seconds     float64     `json:"seconds"`
	Run         string      `json:"run"`
	train.Hashes
}

// New returns the command. runF, if not nil, runs instead of it.
func New(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	cmd := &cobra.Command{
		Use: "quickstart", Short: "Train a language model on source code, in minutes, and prove it",
		Long: "Trains a language model on the source of this machine's Go standard library (or of codexml itself\n" +
			"where there is no toolchain, or any folder of text): splits it, trains a tokenizer, picks a size that\n" +
			"fits the time, trains, evaluates beside gzip, proves that other threads, other batches and a killed\n" +
			"run give the same bits, and lets the model complete functions. Nothing is installed or fetched.",
		Example: "  codexml quickstart\n  codexml quickstart --minutes 10 --out runs/go\n  codexml quickstart --corpus notes/ --seed 7",
		Args:    cmdenv.Args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return run(cmd.Context(), opts)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&opts.Corpus, "corpus", "", "folder of text to train on, instead of Go's standard library")
	f.Float64Var(&opts.Minutes, "minutes", 3, "time for the training; the rest takes up to one minute more")
	f.StringVarP(&opts.Out, "out", "o", "runs/quickstart", "run folder")
	f.Int64Var(&opts.Seed, "seed", 42, "seed of everything random")
	f.BoolVar(&opts.Force, "force", false, "replace an existing run folder")
	return cmd
}

func run(ctx context.Context, opts *Options) error {
	start, env := time.Now(), opts.Env
	if !(opts.Minutes > 0 && opts.Minutes <= 10000) {
		return cmdenv.Usagef("quickstart: --minutes: want above 0, got %v", opts.Minutes)
	}
	if opts.Seed < 0 || opts.Seed >= 1<<32 {
		return cmdenv.Usagef("quickstart: --seed: want 0 to 2^32-1, got %d", opts.Seed)
	}
	folder, in, err := prepare(ctx, opts)
	if err != nil {
		return err
	}
	defer folder.Unlock()
	defer in.Close()
	if err := size(env, folder.Run, in, time.Duration(opts.Minutes*float64(time.Minute))); err != nil {
		return err
	}
	if err := folder.WriteConfig(); err != nil {
		return err
	}
	job, err := runs.NewJob(ctx, env, folder, in)
	if err != nil {
		return err
	}
	cfg := job.Model.Config()
	env.Note("model: preset %s, %d wide, %d layers, %d steps of %d tokens", cfg.Preset, cfg.DModel, cfg.NLayers, job.Total(), folder.Run.Training.GlobalBatch()*folder.Run.Training.SeqLen)
	if !env.JSON {
		runs.PrintPlan(env.Err, job.Plan())
	}
	var early train.Hashes
	job.Hooks = append(job.Hooks, train.Hook{Step: func(r train.StepResult) error {
		if r.Step == proofSteps {
			early = job.Hashes()
		}
		return nil
	}})
	res, err := job.Execute(ctx, "training")
	if err != nil {
		return err
	}
	if res.Reason == train.Interrupted {
		return fmt.Errorf("interrupted after step %d of %d; the state is saved: codexml resume %s goes on", res.Steps, job.Total(), opts.Out)
	}
	if err := job.Report(); err != nil {
		return err
	}
	return finish(ctx, opts, job, res, early, start)
}

// prepare reads and splits the corpus, trains the tokenizer and encodes.
func prepare(ctx context.Context, opts *Options) (*runs.Folder, *runs.Inputs, error) {
	env, run := opts.Env, recipe(opts.Seed)
	run.Training.OutputDir = opts.Out
	if opts.Corpus != "" {
		opts.Corpus = env.Path(opts.Corpus)
	}
	c, err := readCorpus(ctx, opts.Corpus, &run.Data)
	if err != nil {
		return nil, nil, cmdenv.BadInput(err)
	}
	if run.Data.SourcePath = c.Path; c.Path == "" {
		run.Data.SourcePath = filepath.Join(opts.Out, "corpus")
	}
	env.Note("corpus: %s: %d files, %.1f MB", c.Source, c.Stats.Files, float64(c.Stats.Bytes)/1e6)
	folder, err := runs.Create(env.Path(opts.Out), run, nil, opts.Force)
	if err != nil {
		return nil, nil, cmdenv.BadInput(err)
	}
	if c.Path == "" {
		if err := writeDocuments(folder.Path("corpus"), c.Documents); err != nil {
			return nil, nil, err
		}
	}
	split := run.Data.SplitOptions()
	split.Threads = env.Threads
	splits, err := data.Split(c.Documents, split)
	if err != nil {
		return nil, nil, cmdenv.BadInput(err)
	}
	env.Note("split: %d files to train on, %d for validation, %d for the test; %d near-identical files stay with their like", len(splits.Train), len(splits.Validation), len(splits.Test), splits.Duplicates)
	in, err := runs.PrepareTexts(ctx, env, folder, splits, c.Stats)
	if err != nil {
		return nil, nil, err
	}
	env.Note("tokenizer: %d pieces; %d training tokens, %.2f bytes each", in.Tokenizer.VocabSize(), in.Train.Len(), float64(in.Train.Bytes())/float64(in.Train.Len()))
	return folder, in, nil
}

// finish evaluates, proves and samples the trained model, and reports.
func finish(ctx context.Context, opts *Options, job *runs.Job, res train.Result, early train.Hashes, start time.Time) error {
	env, in, cfg := opts.Env, job.Inputs, job.Folder.Run.Training
	s := job.Summarise(res)
	r := Report{Tokens: s.Tokens, TokensPerS: s.TokensPerS, Params: s.Params, Steps: s.Steps, Preset: job.Model.Config().Preset, Run: job.Folder.Dir, Hashes: s.Hashes}
	test, err := data.NewEvaluation(in.Test, data.EvaluationOptions{SeqLen: cfg.SeqLen, BatchSize: 4, Stride: cfg.SeqLen / 2, Specials: in.Specials()})
	if err != nil {
		return err
	}
	progress := env.Progress("evaluating", test.Batches())
	loss, err := eval.LossOf(ctx, job.Model, job.Context, test, func(done, _ int) { progress.Set(done, "") })
	progress.Done()
	if err != nil {
		return err
	}
	base, err := eval.MeasureBaselines(job.Context.Pool, texts(in.Texts.Train), texts(in.Texts.Test))
	if err != nil {
		return err
	}
	r.TestBits, r.Perplexity, r.GzipBits, r.UnigramBits, r.BigramBits = loss.BitsPerByte(), loss.Perplexity(), base.Gzip, base.Unigram, base.Bigram
	env.Note("proof: the first %d steps again", proofSteps)
	r.Proof, r.HashesEqual, err = prove(ctx, env, job, early, func(row proof.Row) {
		env.Note("  %-46s weights %s  optimiser %s", row.Variant, row.Weights[:16], row.Optimizer[:16])
	})
	if err != nil {
		return fmt.Errorf("prove: %w", err)
	}
	samples := begun(in.Texts.Test, uint64(opts.Seed), numSamples)
	progress = env.Progress("writing samples", len(samples))
	err = complete(ctx, job.Model, job.Context, in.Tokenizer, samples, uint64(opts.Seed), func(i int) { progress.Set(i, "") })
	progress.Done()
	if err != nil {
		return err
	}
	parsed := 0
	for _, x := range samples {
		if x.Parses {
			parsed++
		}
	}
	if r.Samples = len(samples); r.Samples > 0 {
		r.ParseRate = float64(parsed) / float64(len(samples))
		if err := writeSamples(job.Folder.Path(samplesFile), samples); err != nil {
			return err
		}
	}
	r.Seconds = time.Since(start).Seconds()
	if err := env.Report(r, func(w io.Writer) { r.print(w, opts.Out, base, samples) }); err != nil {
		return err
	}
	if !r.HashesEqual {
		return fmt.Errorf("prove: the hashes differ: this build or machine does not keep the numerics law: run codexml doctor, and please report it")
	}
	return nil
}

func texts(docs []data.Document) [][]byte {
	var all [][]byte
	for _, d := range docs {
		all = append(all, d.Text)
	}
	return all
}

func (r Report) print(w io.Writer, out string, base eval.Baselines, samples []sample) {
	fmt.Fprintf(w, "\n%d parameters, %d steps, %d tokens, %.0f tokens/s\n\n", r.Params, r.Steps, r.Tokens, r.TokensPerS)
	table := cmdenv.NewTable("on the test files", "bits per byte")
	table.Row("this model", fmt.Sprintf("%.3f", r.TestBits))
	table.Row("gzip -9, file by file", fmt.Sprintf("%.3f", r.GzipBits))
	table.Row("byte bigram", fmt.Sprintf("%.3f", r.BigramBits))
	table.Row("byte unigram", fmt.Sprintf("%.3f", r.UnigramBits))
	table.WriteTo(w)
	fmt.Fprintf(w, "(%d files, %d bytes; perplexity %.1f per token)\n\n", base.Files, base.Bytes, r.Perplexity)
	if r.HashesEqual {
		fmt.Fprintf(w, "proof: %d ways to compute the first %d steps, all hashes equal\n", len(r.Proof), proofSteps)
	} else {
		fmt.Fprintf(w, "proof: HASHES DIFFER\n")
	}
	if len(samples) > 0 {
		fmt.Fprintf(w, "samples: %d functions completed, %.0f%% parse; see %s\n", r.Samples, 100*r.ParseRate, filepath.Join(out, samplesFile))
	}
	fmt.Fprintf(w, "weights %s\n\nin all %.0f s. What next:\n", r.Weights, r.Seconds)
	fmt.Fprintf(w, "  codexml generate --run %s --prompt 'func '\n  codexml checkpoint export %s --out model\n  codexml train -c %s training.max_steps=10000 training.output_dir=runs/longer\n",
		out, out, filepath.Join(out, runs.ConfigFile))
}
