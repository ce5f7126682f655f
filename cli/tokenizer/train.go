package tokenizer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/tokenizer/trainer"
)

// TrainOptions are the inputs of train.
type TrainOptions struct {
	Env    *cmdenv.Env
	Config *trainer.Config
	Force  bool
	// Command is what the manifest says the tokenizer was made by.
	Command []string
}

// TrainResult is the result of train.
type TrainResult struct {
	Folder       string  `json:"folder"`
	Pieces       int     `json:"pieces"`
	SHA256       string  `json:"sha256"` // of tokenizer.json
	Seconds      float64 `json:"seconds"`
	PeakRSSBytes int64   `json:"peak_rss_bytes"`
	Skipped      bool    `json:"skipped,omitempty"` // it was there, made of the same corpus by the same config
}

func newTrain(env *cmdenv.Env, runF func(context.Context, *TrainOptions) error) *cobra.Command {
	flags := &trainFlags{env: env}
	o := &TrainOptions{Env: env}
	dry := false
	cmd := &cobra.Command{
		Use: "train --corpus GLOB", Short: "Train a tokenizer on texts",
		Long: "Train a tokenizer: unigram with SentencePiece's options, byte-level BPE, WordPiece or WordLevel. The same texts,\n" +
			"options and seed give the same bytes, for any number of threads and any --memory. The folder OUT_DIR/NAME gets\n" +
			"tokenizer.json, manifest.json and, of unigram, spm.model and spm.vocab.",
		Example: "  codexml tokenizer train --corpus 'texts/**/*.txt' --model-type bpe --vocab-size 32000\n  codexml tokenizer train -c tokenizer.yaml --seed 7 --json\n" +
			"  codexml tokenizer train --corpus notes.jsonl --text-field body --dry-run",
		Args: cmdenv.Args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := flags.resolve()
			if err != nil {
				return err
			}
			c.DryRun = c.DryRun || dry
			o.Config, o.Command = c, commandLine(cmd)
			if runF != nil {
				return runF(cmd.Context(), o)
			}
			return train(cmd.Context(), o)
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&dry, "dry-run", false, "print what would be done, as JSON, and stop")
	cmd.Flags().BoolVar(&o.Force, "force", false, "train again even if the tokenizer is there")
	return cmd
}

// commandLine is the command with the flags that were given.
func commandLine(cmd *cobra.Command) []string {
	line := strings.Fields(cmd.CommandPath())
	cmd.Flags().Visit(func(f *pflag.Flag) { line = append(line, "--"+f.Name+"="+f.Value.String()) })
	return line
}

func train(ctx context.Context, o *TrainOptions) error {
	dry := o.Config.DryRun
	plan, err := trainer.MakePlan(*o.Config)
	if err != nil {
		return cmdenv.BadInput(err)
	}
	if dry {
		return o.Env.PrintJSON(plan)
	}
	if !o.Force {
		if m := made(plan); m != nil {
			return o.report(TrainResult{Folder: plan.Output, Pieces: m.Pieces, SHA256: m.Hash, PeakRSSBytes: peakRSS(), Skipped: true})
		}
	}
	bars := &trainBars{env: o.Env}
	start := time.Now()
	m, err := trainer.Run(ctx, plan, trainer.Env{Command: o.Command, Force: o.Force, Progress: bars.set})
	bars.done()
	if err != nil {
		return err
	}
	return o.report(TrainResult{Folder: plan.Output, Pieces: m.Pieces, SHA256: m.Hash, Seconds: time.Since(start).Seconds(), PeakRSSBytes: peakRSS()})
}

func (o *TrainOptions) report(r TrainResult) error {
	return o.Env.Report(r, func(w io.Writer) {
		if r.Skipped {
			fmt.Fprintf(w, "%s is there, made of the same corpus by the same config: --force trains it again\n", r.Folder)
			return
		}
		fmt.Fprintf(w, "%s: %d pieces in %.1f s, at most %s of memory\n", r.Folder, r.Pieces, r.Seconds, cmdenv.Bytes(r.PeakRSSBytes))
		fmt.Fprintf(w, "try it: codexml tokenizer encode %s --show 'some text'\n", r.Folder)
	})
}

// made is the manifest of the tokenizer that is there, if it is what the plan would
// make: how many workers there were and how much memory changes nothing.
func made(p *trainer.Plan) *trainer.Manifest {
	data, err := os.ReadFile(filepath.Join(p.Output, "manifest.json"))
	if err != nil {
		return nil
	}
	var m trainer.Manifest
	if json.Unmarshal(data, &m) != nil || !slices.Equal(m.Files, p.Files) || !isFile(filepath.Join(p.Output, "tokenizer.json")) {
		return nil
	}
	a, b := m.Config, p.Config
	for _, c := range []*trainer.Config{&a, &b} {
		c.Workers, c.MemoryLimit, c.TempDir, c.DryRun, c.Streaming, c.StreamChunkSize = 0, 0, "", false, false, 0
	}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	if errX != nil || errY != nil || !bytes.Equal(x, y) {
		return nil
	}
	return &m
}

// trainBars shows the steps of training, one bar after another.
type trainBars struct {
	env  *cmdenv.Env
	step string
	bar  *cmdenv.Progress
}

func (b *trainBars) set(step string, done, total int64) {
	unit := int64(1)
	if step == "read" {
		unit = 1 << 20
	}
	if step != b.step {
		b.done()
		b.step = step
		if total > 0 && total < quick && step == "read" {
			return
		}
		b.bar = b.env.Progress(step, int(total/unit))
	}
	if b.bar != nil && (b.bar.Due() || done == total) {
		b.bar.Set(int(done/unit), map[bool]string{true: "MiB"}[unit > 1])
	}
}

func (b *trainBars) done() {
	if b.bar != nil {
		b.bar.Done()
	}
	b.bar = nil
}
