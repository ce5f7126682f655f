package tokenizer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	format "github.com/aries-serpent/codexml/format/sentencepiece"
	"github.com/aries-serpent/codexml/tokenizer"
	"github.com/aries-serpent/codexml/tokenizer/sentencepiece"
	"github.com/aries-serpent/codexml/tokenizer/spmtrain"
	"github.com/aries-serpent/codexml/tokenizer/vocab"
)

// TrainOptions are the inputs of train.
type TrainOptions struct {
	Env    *cmdenv.Env
	Config *TrainConfig
	Force  bool
	// Command is what the manifest says the tokenizer was made by.
	Command []string
}

// TrainResult is the result of train.
type TrainResult struct {
	Folder       string   `json:"folder"`
	Files        []string `json:"files"`
	Pieces       int      `json:"pieces"`
	SHA256       string   `json:"sha256"` // of tokenizer.json
	Seconds      float64  `json:"seconds"`
	PeakRSSBytes int64    `json:"peak_rss_bytes"`
	Skipped      bool     `json:"skipped,omitempty"` // it was there, made by the same config
	// Differs says how tokenizer.json encodes a text of the corpus otherwise than
	// spm.model does.
	Differs string `json:"differs,omitempty"`
}

func newTrain(env *cmdenv.Env, runF func(context.Context, *TrainOptions) error) *cobra.Command {
	flags := &trainFlags{env: env}
	o := &TrainOptions{Env: env}
	dry := false
	cmd := &cobra.Command{
		Use: "train --corpus GLOB", Short: "Train a tokenizer on texts",
		Long: "Train a tokenizer: unigram with SentencePiece's options, or byte-level BPE. The same texts, options and seed give the\n" +
			"same bytes, for any number of threads. The folder OUT_DIR/NAME gets tokenizer.json, manifest.json and, of unigram,\n" +
			"spm.model and spm.vocab.",
		Example: "  codexml tokenizer train --corpus 'texts/**/*.txt' --model-type bpe --vocab-size 32000\n  codexml tokenizer train -c tokenizer.yaml --seed 7 --json\n" +
			"  codexml tokenizer train --corpus notes.jsonl --text-key body --dry-run",
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

// plan is what --dry-run prints.
type plan struct {
	Config   *TrainConfig `json:"config"`
	Files    []string     `json:"files"`
	NumFiles int          `json:"num_files"`
	Bytes    int64        `json:"bytes"`
	Folder   string       `json:"folder"`
}

func train(ctx context.Context, o *TrainOptions) error {
	c, err := o.Config.corpus(o.Env)
	if err != nil {
		return err
	}
	folder := o.Config.folder(o.Env)
	if o.Config.DryRun {
		return o.Env.PrintJSON(plan{o.Config, c.Files, len(c.Files), c.Bytes, folder})
	}
	if done, err := o.there(folder); done || err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	start := time.Now()
	r := TrainResult{Folder: folder}
	if o.Config.ModelType == "bpe" {
		err = o.bpe(ctx, c, &r)
	} else {
		err = o.unigram(ctx, c, &r)
	}
	if err != nil {
		return err
	}
	r.Seconds, r.PeakRSSBytes = time.Since(start).Seconds(), peakRSS()
	if err := writeJSON(filepath.Join(folder, "manifest.json"), manifest{o.Config, r.SHA256, o.Command}); err != nil {
		return err
	}
	r.Files = append(r.Files, "manifest.json")
	return o.report(r)
}

func (o *TrainOptions) report(r TrainResult) error {
	return o.Env.Report(r, func(w io.Writer) {
		if r.Skipped {
			fmt.Fprintf(w, "%s is there, made by the same config: --force trains it again\n", r.Folder)
			return
		}
		fmt.Fprintf(w, "%s: %d pieces in %.1f s, at most %s of memory\n%s\n", r.Folder, r.Pieces, r.Seconds, cmdenv.Bytes(r.PeakRSSBytes), strings.Join(r.Files, "  "))
		fmt.Fprintf(w, "try it: codexml tokenizer encode %s --show 'some text'\n", r.Folder)
	})
}

// there looks for a tokenizer in the folder. One that the same config made is done;
// another one is not written over.
func (o *TrainOptions) there(folder string) (done bool, err error) {
	data, err := os.ReadFile(filepath.Join(folder, "tokenizer.json"))
	if err != nil || o.Force {
		return false, nil
	}
	var m manifest
	text, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil || m.Hash != hashOf(data) || !m.sameConfig(o.Config) {
		return false, cmdenv.BadInput(fmt.Errorf("%s has another tokenizer: name another --name or --out-dir, or give --force", folder))
	}
	t, err := tokenizer.Parse("tokenizer.json", data)
	if err != nil {
		return false, cmdenv.BadInput(err)
	}
	return true, o.report(TrainResult{Folder: folder, Files: []string{"tokenizer.json", "manifest.json"}, Pieces: t.VocabSize(), SHA256: m.Hash, PeakRSSBytes: peakRSS(), Skipped: true})
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func (o *TrainOptions) bpe(ctx context.Context, c *corpus, r *TrainResult) error {
	docs, done := c.pass("read")
	bar := o.Env.Progress("merge", o.Config.VocabSize)
	t, err := tokenizer.TrainBPE(ctx, docs, tokenizer.TrainOptions{VocabSize: o.Config.VocabSize, Specials: o.Config.SpecialTokens, Threads: o.Config.Workers,
		Progress: func(merges, total int) {
			if merges > 0 {
				bar.Set(merges, "")
			}
		}})
	bar.Done()
	if fault := done(); fault != nil {
		err = fault
	}
	if err != nil {
		return cmdenv.BadInput(err)
	}
	path := filepath.Join(r.Folder, "tokenizer.json")
	if err := t.Save(path); err != nil {
		return err
	}
	r.Files, r.Pieces, r.SHA256 = []string{"tokenizer.json"}, t.VocabSize(), t.SHA256()
	return nil
}

// unigram trains as SentencePiece does: every line is a sentence.
func (o *TrainOptions) unigram(ctx context.Context, c *corpus, r *TrainResult) error {
	c.lines = true
	docs, done := c.pass("train")
	config := o.spmConfig()
	step := ""
	config.Progress = func(name string, pieces int) {
		if name != step {
			step = name
			o.Env.Note("%s: %d pieces", name, pieces)
		}
	}
	if o.Env.Quiet {
		config.Progress = nil
	}
	m, err := spmtrain.Train(ctx, docs, config)
	if fault := done(); fault != nil {
		err = fault
	}
	if err != nil {
		return cmdenv.BadInput(err)
	}
	if err := m.Save(filepath.Join(r.Folder, "spm.model")); err != nil {
		return err
	}
	var pieces strings.Builder
	if err := m.WriteVocab(&pieces); err != nil {
		return err
	}
	if err := writeFile(filepath.Join(r.Folder, "spm.vocab"), []byte(pieces.String())); err != nil {
		return err
	}
	r.Files, r.Pieces = []string{"spm.model", "spm.vocab"}, len(m.Pieces)
	return o.huggingFace(ctx, m, c, r)
}

// spmConfig is SentencePiece's configuration.
func (o *TrainOptions) spmConfig() spmtrain.Config {
	c := spmtrain.DefaultConfig()
	t := &c.Trainer
	t.ModelType, t.VocabSize, t.CharacterCoverage = format.Unigram, int32(o.Config.VocabSize), float32(o.Config.CharacterCoverage)
	t.HardVocabLimit, t.ByteFallback, t.InputSentenceSize = false, o.Config.ByteFallback, o.Config.InputSentenceSize
	t.UserDefinedSymbols = o.Config.UserDefined
	special := o.Config.SpecialTokens
	t.PadID, t.UnkID, t.BosID, t.EosID = 0, 1, 2, 3
	t.PadPiece, t.UnkPiece, t.BosPiece, t.EosPiece = special[0], special[1], special[2], special[3]
	t.ControlSymbols = special[4:]
	c.Seed, c.Threads, c.NormalizationRule = o.Config.Seed, o.Config.Workers, "nmt_nfkc_cf"
	if o.Config.NormalizationRule != nil {
		c.NormalizationRule = *o.Config.NormalizationRule
	}
	return c
}

// huggingFace writes the model as tokenizer.json too. What Hugging Face's library
// does otherwise than SentencePiece is found by encoding the corpus with both, and
// is said.
func (o *TrainOptions) huggingFace(ctx context.Context, m *format.Model, c *corpus, r *TrainResult) error {
	native, err := sentencepiece.New(m)
	if err != nil {
		return err
	}
	data, err := vocab.FromSentencePiece(m)
	if err != nil {
		return err
	}
	t, err := tokenizer.Parse("tokenizer.json", data)
	if err != nil {
		return err
	}
	docs, done := c.pass("prove")
	proof, fault := vocab.Prove(ctx, native, t, nil, docs)
	if err := done(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if fault != nil {
		r.Differs = fault.Error()
		o.Env.Note("tokenizer.json and spm.model give %d lines of the corpus the same ids, then: %v", proof.Documents, fault)
	}
	r.Files, r.SHA256 = append([]string{"tokenizer.json"}, r.Files...), hashOf(data)
	return writeFile(filepath.Join(r.Folder, "tokenizer.json"), data)
}
