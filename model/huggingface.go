package model

import (
	"fmt"
	"math"
	"strings"

	"github.com/aries-serpent/codexml/internal/kernel"
)

// HuggingFace says how an architecture lies in a folder of transformers.
type HuggingFace struct {
	// Type is config.json's model_type.
	Type string
	// Config reads config.json. It asks for every field that it honours; what all
	// configurations may have is known already.
	Config func(f *Fields) Config
	// Weights are the tensors' names.
	Weights func(cfg Config) []Weight
	// Prefix is that of every name in a model with a head; base models lack it.
	Prefix string
	// Ignore says which further tensors mean nothing, buffers for one.
	Ignore func(name string) bool
}

// harmless are fields of config.json that say nothing about what is computed: the
// file's origin, how transformers runs it and draws from it (older files say so here),
// and probabilities of dropping, which are the run's business (model.dropout).
var harmless = []string{
	"_name_or_path", "architectures", "attention_dropout", "auto_map", "cache_implementation", "dtype", "initializer_range", "torch_dtype", "transformers_version", "use_cache",
	"_attn_implementation", "_attn_implementation_autoset", "_commit_hash", "unsloth_fixed", "unsloth_version", "transformers.js_config", "chunk_size_feed_forward", "finetuning_task", "id2label",
	"label2id", "num_labels", "output_attentions", "output_hidden_states", "prefix", "problem_type", "return_dict", "task_specific_params", "tokenizer_class", "torchscript", "use_bfloat16",
	"sep_token_id", "decoder_start_token_id", "remove_invalid_values", "_num_labels", "is_llama_config", "max_length", "min_length", "do_sample", "early_stopping", "num_beams",
	"num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size",
	"bad_words_ids", "num_return_sequences", "output_scores", "return_dict_in_generate", "forced_bos_token_id", "forced_eos_token_id", "exponential_decay_length_penalty", "suppress_tokens",
	"begin_suppress_tokens",
}

// common asks for what every configuration may have.
func common(f *Fields) {
	f.Ignore(harmless...)
	f.Ignore("model_type", "bos_token_id", "eos_token_id", "pad_token_id")
	for key, value := range map[string]any{"is_decoder": false, "is_encoder_decoder": false, "add_cross_attention": false, "pretraining_tp": 1, "tie_encoder_decoder": false,
		"rope_interleaved": false, "use_mrope": false, "pruned_heads": map[string]any{}} {
		if f.Has(key) {
			f.Want(key, value)
		}
	}
	if q := f.Object("quantization_config"); q != nil {
		f.Badf("quantization_config", "weights quantised by %q are not read: take the model's own weights, or a GGUF file of it", q.Text("quant_method", "an unnamed method"))
	}
}

// GatedConfig reads what Llama, Mistral, Qwen and Gemma have in common: sizes,
// RMSNorm, a gated feed-forward layer, rotary positions.
func GatedConfig(name string, f *Fields) Config {
	cfg := DefaultConfig()
	cfg.Name, cfg.Norm, cfg.TieEmbeddings = name, "rmsnorm", f.Bool("tie_word_embeddings", false)
	cfg.VocabSize, cfg.DModel, cfg.NLayers, cfg.NHeads = f.Size("vocab_size"), f.Size("hidden_size"), f.Size("num_hidden_layers"), f.Size("num_attention_heads")
	cfg.FFNDim, cfg.NKVHeads, cfg.HeadSize = f.Size("intermediate_size"), f.Int("num_key_value_heads", cfg.NHeads), f.Int("head_dim", 0)
	cfg.LayerNormEps, cfg.InitStd = f.Float("rms_norm_eps", 1e-6), f.Float("initializer_range", 0.02)
	cfg.Activation = "swiglu"
	switch act := f.Text("hidden_act", "silu"); act {
	case "silu", "swish":
	case "gelu_pytorch_tanh", "gelu_new", "gelu_fast":
		cfg.Activation = "geglu"
	default:
		f.Badf("hidden_act", "%q is not supported here, silu and gelu_pytorch_tanh are", act)
	}
	return cfg
}

// Rope reads the rotary positions of a configuration with one kind of them.
func Rope(f *Fields, cfg *Config, theta float64) {
	cfg.RotaryTheta = f.Float("rope_theta", theta)
	o := f.Object("rope_parameters")
	if old := f.Object("rope_scaling"); o == nil {
		o = old
	}
	if o != nil {
		RopeObject(f, o, cfg)
	}
}

// RopeObject reads an object of rope_parameters or rope_scaling.
func RopeObject(f, o *Fields, cfg *Config) {
	cfg.RotaryTheta = o.Float("rope_theta", cfg.RotaryTheta)
	cfg.RopeType = o.Text("rope_type", o.Text("type", "default"))
	if o.Float("partial_rotary_factor", 1) != 1 {
		f.Badf("partial_rotary_factor", "only 1 is supported: all channels of a head are rotated")
	}
	if cfg.RopeType == "default" {
		o.Ignore("factor", "original_max_position_embeddings")
	} else {
		cfg.RopeFactor = o.Float("factor", 1)
	}
	original := o.Int("original_max_position_embeddings", cfg.MaxSeqLen)
	switch cfg.RopeType {
	case "default", "linear":
	case "dynamic":
		cfg.RopeOriginalLen = cfg.MaxSeqLen
	case "llama3":
		cfg.RopeOriginalLen, cfg.RopeLowFreqFactor, cfg.RopeHighFreqFactor = original, o.Float("low_freq_factor", 0), o.Float("high_freq_factor", 0)
	case "yarn":
		cfg.RopeOriginalLen, cfg.RopeBetaFast, cfg.RopeBetaSlow = original, o.Float("beta_fast", 32), o.Float("beta_slow", 1)
		if !o.Has("factor") {
			cfg.RopeFactor = float64(cfg.MaxSeqLen) / float64(original)
		}
		cfg.RopeNoTruncate = !o.Bool("truncate", true)
		yarnAttention(o, cfg)
	default:
		f.Badf("rope_type", "%q is not supported here, want one of %s", cfg.RopeType, strings.Join(RopeTypes, ", "))
	}
	f.Join(o)
}

// yarnAttention is the factor of cosines and sines where it is not the usual one.
func yarnAttention(o *Fields, cfg *Config) {
	mscale, all := o.Float("mscale", 0), o.Float("mscale_all_dim", 0)
	cfg.RopeAttentionFactor = o.Float("attention_factor", 0)
	if cfg.RopeAttentionFactor == 0 && mscale != 0 && all != 0 {
		of := func(m float64) float64 {
			if cfg.RopeFactor <= 1 {
				return 1
			}
			return float64(0.1*m*kernel.Log64(cfg.RopeFactor)) + 1
		}
		cfg.RopeAttentionFactor = of(mscale) / of(all)
	}
}

// LayerTypes reads which layers slide: layer_types, or else what missing says.
func LayerTypes(f *Fields, cfg *Config, missing func(layer int) bool) {
	window := f.Int("sliding_window", 0)
	types := f.Texts("layer_types")
	if types != nil && len(types) != cfg.NLayers {
		f.Badf("layer_types", "want one for each of %d layers, got %d", cfg.NLayers, len(types))
		return
	}
	var pattern strings.Builder
	for i := range cfg.NLayers {
		slides := false
		switch {
		case types == nil:
			slides = missing(i)
		case types[i] == "sliding_attention":
			slides = true
		case types[i] != "full_attention":
			f.Badf("layer_types", "%q is not supported here, full_attention and sliding_attention are", types[i])
		}
		if slides {
			pattern.WriteByte('s')
		} else {
			pattern.WriteByte('g')
		}
	}
	if window < 1 || !strings.Contains(pattern.String(), "s") {
		return
	}
	cfg.SlidingWindow, cfg.LayerPattern = window, shortest(pattern.String())
}

// shortest is the least beginning of a pattern that gives it when repeated; of one
// that slides everywhere, nothing.
func shortest(pattern string) string {
	if !strings.Contains(pattern, "g") {
		return ""
	}
	for n := 1; n < len(pattern); n++ {
		if strings.HasPrefix(strings.Repeat(pattern[:n], len(pattern)/n+1), pattern) {
			return pattern[:n]
		}
	}
	return pattern
}

// GatedWeights are the tensors of Llama, Mistral and Qwen, and of Gemma, which
// differs in its norms: post names those after attention and before and after the
// feed-forward layer; gain1 says that gains are stored less 1.
func GatedWeights(cfg Config, gain1 bool) []Weight {
	all := []Weight{{Param: "embed.weight", Names: []string{"model.embed_tokens.weight"}}, {Param: "norm.weight", Names: []string{"model.norm.weight"}, Gain1: gain1}}
	if !cfg.TieEmbeddings {
		all = append(all, Weight{Param: "head.weight", Names: []string{"lm_head.weight"}})
	}
	d := cfg.HeadDim()
	qkv := []int{cfg.NHeads * d, cfg.KVHeads() * d, cfg.KVHeads() * d}
	for i := range cfg.NLayers {
		from, to := fmt.Sprintf("model.layers.%d.", i), fmt.Sprintf("layers.%d.", i)
		gain := func(param, name string) {
			all = append(all, Weight{Param: to + param + ".weight", Names: []string{from + name + ".weight"}, Gain1: gain1})
		}
		linear := func(param string, bias bool, rows []int, names ...string) {
			for _, suffix := range []string{".weight", ".bias"} {
				if suffix == ".bias" && !bias {
					continue
				}
				w := Weight{Param: to + param + suffix, Rows: rows}
				for _, name := range names {
					w.Names = append(w.Names, from+name+suffix)
				}
				all = append(all, w)
			}
		}
		gain("norm1", "input_layernorm")
		if cfg.PostNorms {
			gain("post1", "post_attention_layernorm")
			gain("norm2", "pre_feedforward_layernorm")
			gain("post2", "post_feedforward_layernorm")
		} else {
			gain("norm2", "post_attention_layernorm")
		}
		if cfg.QKNorm {
			gain("attn.q_norm", "self_attn.q_norm")
			gain("attn.k_norm", "self_attn.k_norm")
		}
		linear("attn.qkv", cfg.Bias || cfg.QKVBias, qkv, "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
		linear("attn.out", cfg.Bias || cfg.AttnOutBias, nil, "self_attn.o_proj")
		linear("mlp.up", cfg.Bias || cfg.MLPBias, []int{cfg.FFN(), cfg.FFN()}, "mlp.gate_proj", "mlp.up_proj")
		linear("mlp.down", cfg.Bias || cfg.MLPBias, nil, "mlp.down_proj")
	}
	return all
}

// GatedExport is the common part of config.json for the classes that GatedConfig
// reads.
func GatedExport(cfg Config, class, kind string) map[string]any {
	act := HuggingFaceActivation(cfg.Activation)
	return map[string]any{
		"architectures": []string{class}, "model_type": kind, "vocab_size": cfg.VocabSize, "hidden_size": cfg.DModel, "intermediate_size": cfg.FFN(),
		"num_hidden_layers": cfg.NLayers, "num_attention_heads": cfg.NHeads, "num_key_value_heads": cfg.KVHeads(), "head_dim": cfg.HeadDim(), "hidden_act": act,
		"max_position_embeddings": positions(cfg), "tie_word_embeddings": cfg.TieEmbeddings, "rms_norm_eps": cfg.LayerNormEps, "initializer_range": cfg.InitStd,
		"rope_theta": Float(cfg.RotaryTheta), "rope_parameters": RopeParameters(cfg), "attention_dropout": 0.0,
	}
}

// positions is max_position_embeddings, which a dynamic rope counts from.
func positions(cfg Config) int {
	if cfg.RopeType == "dynamic" {
		return cfg.RopeOriginalLen
	}
	return cfg.MaxSeqLen
}

// RopeParameters is rope_parameters of the global layers.
func RopeParameters(cfg Config) map[string]any {
	o := map[string]any{"rope_type": cfg.RopeType, "rope_theta": Float(cfg.RotaryTheta)}
	if cfg.RopeType != "default" {
		o["factor"] = Float(cfg.RopeFactor)
	}
	switch cfg.RopeType {
	case "llama3":
		o["original_max_position_embeddings"], o["low_freq_factor"], o["high_freq_factor"] = cfg.RopeOriginalLen, Float(cfg.RopeLowFreqFactor), Float(cfg.RopeHighFreqFactor)
	case "yarn":
		o["original_max_position_embeddings"], o["beta_fast"], o["beta_slow"], o["truncate"] = cfg.RopeOriginalLen, Float(cfg.RopeBetaFast), Float(cfg.RopeBetaSlow), !cfg.RopeNoTruncate
		if cfg.RopeAttentionFactor > 0 {
			o["attention_factor"] = Float(cfg.RopeAttentionFactor)
		}
	}
	return o
}

// ExportLayerTypes adds sliding_window and layer_types to a config.json.
func ExportLayerTypes(cfg Config, to map[string]any) {
	var types []string
	for i := range cfg.NLayers {
		types = append(types, map[bool]string{true: "sliding_attention", false: "full_attention"}[cfg.Sliding(i)])
	}
	to["layer_types"], to["sliding_window"] = types, nil
	if cfg.SlidingWindow > 0 {
		to["sliding_window"] = cfg.SlidingWindow
	}
}

// WantGated refuses what the classes that GatedConfig reads do not have.
func WantGated(cfg Config) error {
	switch {
	case cfg.RotaryTheta == 0:
		return fmt.Errorf("model.rotary_theta: %s wants rotary positions, got 0", cfg.Name)
	case cfg.Norm != "rmsnorm" || !cfg.NormGain:
		return fmt.Errorf("model.norm: %s wants rmsnorm with norm_gain, got %s and %v", cfg.Name, cfg.Norm, cfg.NormGain)
	case !cfg.Gated():
		return fmt.Errorf("model.activation: %s wants swiglu or geglu, got %s", cfg.Name, cfg.Activation)
	}
	return RefuseSet(cfg, "embed_norm")
}

// rootOf is float32(sqrt(n)), as Gemma scales its embedding.
func rootOf(n int) float64 { return float64(float32(math.Sqrt(float64(n)))) }

// LateWindow reads Qwen's sliding window: the layers from max_window_layers on, if
// use_sliding_window is set.
func LateWindow(f *Fields, cfg *Config) {
	first := f.Int("max_window_layers", 28)
	if !f.Bool("use_sliding_window", false) {
		f.Ignore("sliding_window", "layer_types")
		return
	}
	LayerTypes(f, cfg, func(layer int) bool { return layer >= first })
	if f.Absent("sliding_window") && (f.Has("layer_types") || first < cfg.NLayers) {
		f.Badf("sliding_window", "use_sliding_window is set, but not how many tokens")
	}
}

// ExportLateWindow is the reverse of LateWindow.
func ExportLateWindow(cfg Config, to map[string]any) {
	ExportLayerTypes(cfg, to)
	to["use_sliding_window"] = cfg.SlidingWindow > 0
}

// ExportError says which key of a configuration stands against an architecture.
func ExportError(cfg Config, key, why string) error {
	return fmt.Errorf("model.%s: %s, got another value for model.name %s", key, why, cfg.Name)
}
