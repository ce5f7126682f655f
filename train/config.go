package train

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Config is the `training` section of a run.
type Config struct {
	// Seed of everything random: initial weights, data order, dropout.
	Seed int64 `yaml:"seed"`
	// Epochs is how often the training data is passed over, unless max_steps is set.
	Epochs int `yaml:"epochs"`
	// MaxSteps is the number of optimiser steps; 0 means as many as the epochs have.
	MaxSteps int `yaml:"max_steps"`
	// BatchSize is the number of sequences computed at a time.
	BatchSize int `yaml:"batch_size"`
	// GradAccum is how many batches make one optimiser step. Only batch_size*grad_accum, the global batch, reaches the
	// result: any split of it gives the same bits.
	GradAccum int `yaml:"grad_accum"`
	// SeqLen is the number of tokens in a sequence.
	SeqLen int `yaml:"seq_len"`
	// LearningRate is the peak learning rate (AdamW's; Muon's is optimizer.muon.learning_rate).
	LearningRate float64 `yaml:"learning_rate"`
	// GradClipNorm bounds the norm of the gradient; 0 is off.
	GradClipNorm float64 `yaml:"grad_clip_norm"`
	// Dtype of matrix-product inputs and saved activations: float32 or bfloat16. Weights, gradients and the residual
	// stream are float32 in both.
	Dtype string `yaml:"dtype"`
	// Recompute trades time for memory: none; cheap (norm and activation outputs are computed again in the backward
	// pass); block (whole blocks are). The bits do not change.
	Recompute string `yaml:"recompute"`
	// EvalEvery is the number of steps between evaluations on the validation data; 0 evaluates at the end only.
	EvalEvery int `yaml:"eval_every"`
	// EvalTokens bounds the validation tokens of one evaluation; 0 takes all.
	EvalTokens int `yaml:"eval_tokens"`
	// Patience stops the run after that many evaluations in a row without a better best_metric; 0 is off.
	Patience int `yaml:"patience"`
	// LogEvery is the number of steps between records in metrics.ndjson.
	LogEvery int `yaml:"log_every"`
	// SaveEvery is the number of steps between checkpoints; 0 saves at the end only.
	SaveEvery int `yaml:"save_every"`
	// OutputDir is the run folder. An existing one is refused without --force.
	OutputDir string `yaml:"output_dir"`
	// ResumeFrom is the run folder or checkpoint whose weights, optimiser state and step a new run begins with; codexml resume goes on in the same folder instead.
	ResumeFrom string `yaml:"resume_from"`
	// KeepLast is the number of newest checkpoints kept.
	KeepLast int `yaml:"keep_last"`
	// BestK is the number of best checkpoints kept beside the newest.
	BestK int `yaml:"best_k"`
	// BestMetric ranks checkpoints, lowest first: val_loss or val_bits_per_byte.
	BestMetric string `yaml:"best_metric"`
}

// DefaultConfig holds the defaults of the Python system's unified trainer.
func DefaultConfig() Config {
	return Config{
		Seed: 42, Epochs: 1, BatchSize: 8, GradAccum: 1, SeqLen: 256, LearningRate: 3e-4, GradClipNorm: 1, Dtype: "float32", Recompute: "none",
		EvalEvery: 100, LogEvery: 10, SaveEvery: 500, OutputDir: "runs/unified", KeepLast: 3, BestMetric: "val_loss",
	}
}

// GlobalBatch is the number of sequences of one optimiser step.
func (c Config) GlobalBatch() int { return c.BatchSize * c.GradAccum }

// Validate reports every problem of the configuration.
func (c Config) Validate() error {
	var problems []error
	bad := func(key string, format string, args ...any) {
		problems = append(problems, fmt.Errorf("training.%s: %s", key, fmt.Sprintf(format, args...)))
	}
	if c.Seed < 0 || c.Seed >= 1<<32 {
		bad("seed", "want 0 <= seed < 2^32, got %d", c.Seed)
	}
	for _, f := range []struct {
		key                string
		value, least, most int
	}{
		{"epochs", c.Epochs, 0, 1 << 20}, {"max_steps", c.MaxSteps, 0, 1 << 40}, {"batch_size", c.BatchSize, 1, 1 << 16}, {"grad_accum", c.GradAccum, 1, 1 << 16},
		{"seq_len", c.SeqLen, 1, 1 << 24}, {"eval_every", c.EvalEvery, 0, 1 << 40}, {"eval_tokens", c.EvalTokens, 0, 1 << 40}, {"patience", c.Patience, 0, 1 << 30},
		{"log_every", c.LogEvery, 1, 1 << 40}, {"save_every", c.SaveEvery, 0, 1 << 40}, {"keep_last", c.KeepLast, 1, 1 << 20}, {"best_k", c.BestK, 0, 1 << 20},
	} {
		if f.value < f.least || f.value > f.most {
			bad(f.key, "want %d..%d, got %d", f.least, f.most, f.value)
		}
	}
	if c.Epochs == 0 && c.MaxSteps == 0 {
		bad("epochs", "epochs and max_steps are both 0, so there is nothing to do: set one")
	}
	if !(c.LearningRate > 0 && c.LearningRate <= 10) {
		bad("learning_rate", "want above 0 and at most 10, got %v", c.LearningRate)
	}
	if !(c.GradClipNorm >= 0) {
		bad("grad_clip_norm", "want 0 (off) or above, got %v", c.GradClipNorm)
	}
	oneOf := func(key, value string, want ...string) {
		if !slices.Contains(want, value) {
			bad(key, "want one of %s, got %q", strings.Join(want, ", "), value)
		}
	}
	oneOf("dtype", c.Dtype, "float32", "bfloat16")
	oneOf("recompute", c.Recompute, "none", "cheap", "block")
	oneOf("best_metric", c.BestMetric, "val_loss", "val_bits_per_byte")
	return errors.Join(problems...)
}
