package config

import (
	"strings"
	"sync"
)

// aliases are names of the Python system, and of its users' files, for keys of
// the tree. A name without a section is understood at the top and under
// training, where the Python system takes it from either. A target that is a
// section takes over what the old name holds.
var aliases = map[string]string{
	"dataset_path":                 "data.source_path",
	"data_path":                    "data.source_path",
	"dataset.train_path":           "data.source_path",
	"dataset.eval_path":            "data.val_path",
	"dataset.format":               "data.format",
	"tokenization":                 "tokenizer",
	"tokenizer_path":               "tokenizer.path",
	"tokenizer.tokenizer_path":     "tokenizer.path",
	"lr":                           "training.learning_rate",
	"max_epochs":                   "training.epochs",
	"gradient_accumulation":        "training.grad_accum",
	"gradient_accumulation_steps":  "training.grad_accum",
	"max_grad_norm":                "training.grad_clip_norm",
	"max_length":                   "training.seq_len",
	"precision":                    "training.dtype",
	"amp_dtype":                    "training.dtype",
	"early_stop_patience":          "training.patience",
	"checkpoint_every_n_steps":     "training.save_every",
	"keep_last_n":                  "training.keep_last",
	"keep_last_k":                  "training.keep_last",
	"keep_best":                    "training.best_k",
	"art_dir":                      "training.output_dir",
	"retention_policy.keep_last":   "training.keep_last",
	"retention_policy.keep_best_k": "training.best_k",
	"model_name":                   "model.name",
	"model_cfg":                    "model",
	"weight_decay":                 "optimizer.weight_decay",
	"optimizer.lr":                 "training.learning_rate",
	"optimizer.learning_rate":      "training.learning_rate",
	"optimizer.scheduler":          "optimizer.schedule",
	"scheduler":                    "optimizer.schedule",
	"scheduler_cfg":                "optimizer.schedule",
	"scheduler_name":               "optimizer.schedule.name",
	"warmup_steps":                 "optimizer.schedule.warmup_steps",
	"optimizer.schedule.type":      "optimizer.schedule.name",
}

// words are values of the Python system for values of today.
var words = map[string]map[string]string{
	"training.dtype": {"fp32": "float32", "float": "float32", "bf16": "bfloat16"},
	"data.format":    {"ndjson": "jsonl"},
	"optimizer.name": {"adamw_torch": "adamw"},
	"model.name":     {"decoder_only": "decoder", "minilm": "decoder", "MiniLM": "decoder"},
}

// fixedKey is a key of the Python system for something that codexml does in one
// way only. A file may say so; asking for another way is an error.
type fixedKey struct {
	accept string // values that say what is done anyway, separated by spaces; null always does
	why    string
}

// fixed are such keys; like aliases, a name without a section is understood at
// the top and under training.
var fixed = map[string]fixedKey{
	"amp_enable":                 {"false", "the precision is training.dtype"},
	"auto_capture_env":           {"true", "every run records its environment"},
	"backend":                    {"auto functional", "there is one trainer"},
	"bf16_require_capability":    {"false true", "bfloat16 works on every machine"},
	"checkpoint_dir":             {"", "checkpoints are in the run folder's checkpoints/"},
	"deterministic":              {"true", "every run is deterministic"},
	"deterministic_cudnn":        {"false true", "there is no cuDNN, every run is deterministic"},
	"data.encoding":              {"utf-8", "text is UTF-8, and data.invalid_utf8 says what happens to other text"},
	"data.safety_filter":         {"false", "this build has no safety filter"},
	"data.validate_utf8":         {"true", "data.invalid_utf8 says what happens to text that is not UTF-8"},
	"dataset.cast_policy":        {"", "training.dtype says what is computed in"},
	"safety.enabled":             {"false", "this build has no safety filter"},
	"tokenizer.model_type":       {"bpe", "this build trains byte-level BPE"},
	"device":                     {"cpu auto", "codexml computes on the CPU"},
	"mlflow_enable":              {"false", "this build records to metrics.ndjson only"},
	"tensorboard":                {"false", "this build records to metrics.ndjson only"},
	"wandb_enable":               {"false", "this build records to metrics.ndjson only"},
	"telemetry_enable":           {"false", "this build records to metrics.ndjson only"},
	"use_lora":                   {"false", "this build trains all weights"},
	"lora.enable":                {"false", "this build trains all weights"},
	"lora.enabled":               {"false", "this build trains all weights"},
	"model.lora.enabled":         {"false", "this build trains all weights"},
	"logging.enable_tensorboard": {"false", "this build records to metrics.ndjson only"},
	"logging.enable_mlflow":      {"false", "this build records to metrics.ndjson only"},
	"logging.enable_wandb":       {"false", "this build records to metrics.ndjson only"},
	"logging.mlflow_enable":      {"false", "this build records to metrics.ndjson only"},
	"num_workers":                {"0", "reading the data needs no workers"},
	"pin_memory":                 {"false", "codexml computes on the CPU"},
}

// groups are the old sections that hold aliases or fixed keys.
var groups = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	add := func(path string) {
		for p := parent(path); p != ""; p = parent(p) {
			if _, isField := byPath()[p]; !isField {
				all[p] = true
			}
		}
	}
	for path := range aliases {
		add(path)
	}
	for path := range fixed {
		add(path)
	}
	return all
})

// bare is a path without a leading training: the names at the top and under
// training are the same.
func bare(path string) string { return strings.TrimPrefix(path, "training.") }
