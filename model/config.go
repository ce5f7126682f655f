package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Config describes a causal language model. A preset fills what is not given.
type Config struct {
	// Name of the architecture: decoder (rotary, configurable) or gpt2 (LayerNorm, learned positions, GELU, tied head).
	Name string `yaml:"name"`
	// Preset is a set of sizes and choices: nano, small or gpt2-124m. Keys given beside it win.
	Preset string `yaml:"preset"`
	// Path of a pretrained model to start from: a folder that transformers opens, a .gguf file, or the name of a model on this machine. Its files say everything else here but dropout; max_seq_len may be set lower. Its tokenizer is taken unless tokenizer.path is set.
	Path string `yaml:"path"`
	// VocabSize is the number of token ids. 0 takes the tokenizer's.
	VocabSize int `yaml:"vocab_size"`
	// DModel is the width of the residual stream; a multiple of n_heads.
	DModel int `yaml:"d_model"`
	// NHeads is the number of query heads.
	NHeads int `yaml:"n_heads"`
	// NKVHeads is the number of key and value heads; fewer than n_heads shares them in groups. 0 means n_heads.
	NKVHeads int `yaml:"n_kv_heads"`
	// NLayers is the number of blocks.
	NLayers int `yaml:"n_layers"`
	// HeadSize is the width of one head; 0 means d_model/n_heads.
	HeadSize int `yaml:"head_dim"`
	// FFNMult is the width of the feed-forward layer in units of d_model.
	FFNMult float64 `yaml:"ffn_mult"`
	// FFNDim is the width of the feed-forward layer itself; 0 means ffn_mult times d_model.
	FFNDim int `yaml:"ffn_dim"`
	// MaxSeqLen is the largest number of positions in a document; with learned positions the size of their table.
	MaxSeqLen int `yaml:"max_seq_len"`
	// Dropout is the probability of dropping an element after the embedding and on each residual branch, while training.
	Dropout float64 `yaml:"dropout"`
	// RotaryTheta is the base of the rotary positions; 0 means learned positions instead.
	RotaryTheta float64 `yaml:"rotary_theta"`
	// RopeType is how rotary positions reach past the length that a model was first trained on: default (not at all), linear, dynamic, llama3 or yarn.
	RopeType string `yaml:"rope_type"`
	// RopeFactor is by how much rope_type stretches the positions.
	RopeFactor float64 `yaml:"rope_factor"`
	// RopeOriginalLen is the length that the model was first trained on, for dynamic, llama3 and yarn.
	RopeOriginalLen int `yaml:"rope_original_len"`
	// RopeLowFreqFactor and rope_high_freq_factor are llama3's bounds: wavelengths above rope_original_len over the one are stretched, those below it over the other are not.
	RopeLowFreqFactor float64 `yaml:"rope_low_freq_factor"`
	// RopeHighFreqFactor is the other bound.
	RopeHighFreqFactor float64 `yaml:"rope_high_freq_factor"`
	// RopeBetaFast and rope_beta_slow are yarn's bounds: channels that turn more often than the one in rope_original_len are not stretched, those that turn less often than the other are.
	RopeBetaFast float64 `yaml:"rope_beta_fast"`
	// RopeBetaSlow is the other bound.
	RopeBetaSlow float64 `yaml:"rope_beta_slow"`
	// RopeAttentionFactor multiplies yarn's cosines and sines; 0 means 0.1 ln(rope_factor) + 1.
	RopeAttentionFactor float64 `yaml:"rope_attention_factor"`
	// RopeNoTruncate keeps yarn's bounds as fractions of a channel instead of rounding them outward.
	RopeNoTruncate bool `yaml:"rope_no_truncate"`
	// LocalRotaryTheta is the base of the rotary positions in sliding layers, which no rope_type stretches; 0 means that they do as the others.
	LocalRotaryTheta float64 `yaml:"local_rotary_theta"`
	// SlidingWindow is the number of tokens that a token of a sliding layer sees, itself included; 0 means all.
	SlidingWindow int `yaml:"sliding_window"`
	// LayerPattern says which layers slide: a letter per layer, s (sliding) or g (global), repeated until there are as many as layers. Empty means all, if sliding_window is set.
	LayerPattern string `yaml:"layer_pattern"`
	// TieEmbeddings uses the token embedding as output head too.
	TieEmbeddings bool `yaml:"tie_embeddings"`
	// Bias gives the linear layers and LayerNorms a bias.
	Bias bool `yaml:"bias"`
	// QKVBias gives the query, key and value projections a bias, whatever bias says.
	QKVBias bool `yaml:"qkv_bias"`
	// AttnOutBias gives the output projection of attention a bias, whatever bias says.
	AttnOutBias bool `yaml:"attn_out_bias"`
	// MLPBias gives the feed-forward layers a bias, whatever bias says.
	MLPBias bool `yaml:"mlp_bias"`
	// Norm is layernorm or rmsnorm.
	Norm string `yaml:"norm"`
	// NormGain gives the norms a learned gain.
	NormGain bool `yaml:"norm_gain"`
	// LayerNormEps is added to the variance (or mean square) under the root.
	LayerNormEps float64 `yaml:"layer_norm_eps"`
	// Activation of the feed-forward layer: gelu (exact), gelu_tanh, relu2 (squared ReLU), silu, or gated: swiglu, geglu.
	Activation string `yaml:"activation"`
	// QKNorm normalises each query and key head by its root mean square (before the rotation, with a gain iff norm_gain).
	QKNorm bool `yaml:"qk_norm"`
	// EmbedNorm normalises the embedding before the first block.
	EmbedNorm bool `yaml:"embed_norm"`
	// PostNorms normalises what each residual branch gives, before it is added.
	PostNorms bool `yaml:"post_norms"`
	// EmbedScale multiplies the token embedding; 0 is off.
	EmbedScale float64 `yaml:"embed_scale"`
	// AttnScale multiplies the attention scores; 0 means 1/sqrt(head_dim).
	AttnScale float64 `yaml:"attn_scale"`
	// AttnSoftcap bounds the attention scores to cap*tanh(score/cap); 0 is off.
	AttnSoftcap float64 `yaml:"attn_softcap"`
	// LogitSoftcap bounds the logits to cap*tanh(logit/cap); 0 is off.
	LogitSoftcap float64 `yaml:"logit_softcap"`
	// InitStd is the standard deviation of the initial weights. 0 means 1/sqrt(fan_in) for matrices and 1 for an untied embedding.
	InitStd float64 `yaml:"init_std"`
	// ZeroInitOutput starts the output projections of the blocks and an untied head at zero, so that each block starts as the identity.
	ZeroInitOutput bool `yaml:"zero_init_output"`
}

// Activations lists the accepted values of Config.Activation.
var Activations = []string{"geglu", "gelu", "gelu_tanh", "relu2", "silu", "swiglu"}

// DefaultConfig is a small decoder with the Python system's choices: pre-norm
// LayerNorm, rotary positions, exact GELU, tied head.
func DefaultConfig() Config {
	return Config{
		Name: "decoder", DModel: 256, NHeads: 4, NLayers: 4, FFNMult: 4, MaxSeqLen: 2048, RotaryTheta: 10000, RopeType: "default", TieEmbeddings: true,
		Norm: "layernorm", NormGain: true, LayerNormEps: 1e-5, Activation: "gelu", InitStd: 0.02,
	}
}

// Presets returns the configurations that Config.Preset names.
func Presets() map[string]Config {
	recipe := Config{ // the quickstart's family: see docs/log.md for how it was chosen
		Name: "decoder", FFNMult: 4, MaxSeqLen: 1024, RotaryTheta: 10000, RopeType: "default",
		Norm: "rmsnorm", LayerNormEps: 1e-6, Activation: "relu2", QKNorm: true, EmbedNorm: true, LogitSoftcap: 15, ZeroInitOutput: true,
	}
	nano, small := recipe, recipe
	nano.Preset, nano.DModel, nano.NHeads, nano.NLayers = "nano", 64, 2, 2
	small.Preset, small.DModel, small.NHeads, small.NLayers = "small", 192, 3, 3
	gpt2 := Config{
		Name: "gpt2", Preset: "gpt2-124m", VocabSize: 50257, DModel: 768, NHeads: 12, NLayers: 12, FFNMult: 4, MaxSeqLen: 1024, RopeType: "default", TieEmbeddings: true,
		Bias: true, Norm: "layernorm", NormGain: true, LayerNormEps: 1e-5, Activation: "gelu_tanh", InitStd: 0.02,
	}
	return map[string]Config{"nano": nano, "small": small, "gpt2-124m": gpt2}
}

// HeadDim is the width of one head.
func (c Config) HeadDim() int {
	if c.HeadSize > 0 {
		return c.HeadSize
	}
	return c.DModel / c.NHeads
}

// Sliding says whether layer i sees a window only.
func (c Config) Sliding(i int) bool {
	if c.SlidingWindow == 0 || c.LayerPattern == "" {
		return c.SlidingWindow > 0
	}
	return c.LayerPattern[i%len(c.LayerPattern)] == 's'
}

// KVHeads is the number of key and value heads.
func (c Config) KVHeads() int {
	if c.NKVHeads == 0 {
		return c.NHeads
	}
	return c.NKVHeads
}

// validateHeads checks the width of a head.
func (c Config) validateHeads(bad func(key, format string, args ...any)) {
	switch {
	case c.HeadSize < 0 || c.HeadSize > 1<<12:
		bad("head_dim", "want 0 (d_model/n_heads) to %d, got %d", 1<<12, c.HeadSize)
	case c.NHeads < 1:
	case c.HeadSize == 0 && c.DModel%c.NHeads != 0:
		bad("d_model", "want a multiple of n_heads %d, got %d", c.NHeads, c.DModel)
	case c.RotaryTheta > 0 && c.HeadDim()%2 != 0:
		bad("d_model", "rotary positions want an even width per head, got %d", c.HeadDim())
	}
	if c.FFNDim < 0 || c.FFNDim > 1<<20 {
		bad("ffn_dim", "want 0 (ffn_mult times d_model) to %d, got %d", 1<<20, c.FFNDim)
	}
}

// FFN is the width of the feed-forward layer.
func (c Config) FFN() int {
	if c.FFNDim > 0 {
		return c.FFNDim
	}
	return int(float64(c.FFNMult*float64(c.DModel)) + 0.5)
}

// Gated says whether the activation takes a gate beside its input.
func (c Config) Gated() bool { return c.Activation == "swiglu" || c.Activation == "geglu" }

// Validate reports every problem of the configuration. A zero VocabSize is none:
// the tokenizer decides it later.
func (c Config) Validate() error {
	var problems []error
	bad := func(key string, format string, args ...any) {
		problems = append(problems, fmt.Errorf("model.%s: %s", key, fmt.Sprintf(format, args...)))
	}
	for _, f := range []struct {
		key   string
		value int
		most  int
	}{{"d_model", c.DModel, 1 << 16}, {"n_heads", c.NHeads, 1 << 12}, {"n_layers", c.NLayers, 1 << 12}, {"max_seq_len", c.MaxSeqLen, 1 << 24}} {
		if f.value < 1 || f.value > f.most {
			bad(f.key, "want 1..%d, got %d", f.most, f.value)
		}
	}
	if c.VocabSize < 0 || c.VocabSize > 1<<24 {
		bad("vocab_size", "want 0 (the tokenizer's) to %d, got %d", 1<<24, c.VocabSize)
	}
	c.validateHeads(bad)
	if kv := c.KVHeads(); c.NHeads > 0 && (kv < 1 || c.NHeads%kv != 0) {
		bad("n_kv_heads", "want a divisor of n_heads %d, got %d", c.NHeads, kv)
	}
	if c.FFNMult <= 0 || c.FFNMult > 64 {
		bad("ffn_mult", "want above 0 and at most 64, got %v", c.FFNMult)
	}
	if c.Dropout < 0 || c.Dropout >= 1 {
		bad("dropout", "want 0 <= p < 1, got %v", c.Dropout)
	}
	c.validatePositions(bad)
	if c.Norm != "layernorm" && c.Norm != "rmsnorm" {
		bad("norm", "want layernorm or rmsnorm, got %q", c.Norm)
	}
	if c.LayerNormEps <= 0 {
		bad("layer_norm_eps", "want above 0, got %v", c.LayerNormEps)
	}
	if !slices.Contains(Activations, c.Activation) {
		bad("activation", "want one of %s, got %q", strings.Join(Activations, ", "), c.Activation)
	}
	for _, f := range []struct {
		key   string
		value float64
	}{{"logit_softcap", c.LogitSoftcap}, {"attn_softcap", c.AttnSoftcap}, {"embed_scale", c.EmbedScale}, {"attn_scale", c.AttnScale}} {
		if f.value < 0 {
			bad(f.key, "want 0 (off) or above, got %v", f.value)
		}
	}
	if c.InitStd < 0 {
		bad("init_std", "want 0 (by fan-in) or above, got %v", c.InitStd)
	}
	return errors.Join(problems...)
}
