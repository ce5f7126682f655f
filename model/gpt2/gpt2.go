// Package gpt2 is the architecture of the GPT-2 report: LayerNorm, learned
// positions, tanh GELU, biases and a tied head, over model's shared blocks. It
// registers the name gpt2.
package gpt2

import (
	"fmt"
	"strings"

	"github.com/aries-serpent/codexml/model"
)

func init() {
	model.Architectures.MustRegister("gpt2", model.Architecture{
		New: New, Export: Export,
		HuggingFace: model.HuggingFace{Type: "gpt2", Config: config, Weights: weights, Prefix: "transformer.", Ignore: buffer},
		GGUF:        model.GGUF{Name: "gpt2", Config: metadata, Describe: describe, Weights: ggufWeights},
	}, "std")
}

// New builds a GPT-2, or names the key of the configuration that it cannot honour.
func New(cfg model.Config) (model.Model, error) {
	refuse := func(key string, want, got any) error {
		return fmt.Errorf("model.%s: gpt2 wants %v, got %v: leave it out, or choose model.name decoder", key, want, got)
	}
	switch {
	case cfg.Norm != "layernorm":
		return nil, refuse("norm", "layernorm", cfg.Norm)
	case !cfg.NormGain:
		return nil, refuse("norm_gain", true, false)
	case !cfg.Bias:
		return nil, refuse("bias", true, false)
	case !cfg.TieEmbeddings:
		return nil, refuse("tie_embeddings", true, false)
	case cfg.KVHeads() != cfg.NHeads:
		return nil, refuse("n_kv_heads", cfg.NHeads, cfg.NKVHeads)
	case cfg.Gated():
		return nil, refuse("activation", "gelu_tanh, gelu, relu2 or silu", cfg.Activation)
	}
	if err := model.RefuseSet(cfg, "rotary_theta", "local_rotary_theta", "sliding_window", "qk_norm", "embed_norm", "post_norms", "embed_scale", "attn_scale", "attn_softcap",
		"logit_softcap"); err != nil {
		return nil, err
	}
	if cfg.HeadDim()*cfg.NHeads != cfg.DModel {
		return nil, refuse("head_dim", cfg.DModel/cfg.NHeads, cfg.HeadSize)
	}
	return model.NewTransformer(cfg), nil
}

// Export translates the weights to transformers' GPT2LMHeadModel, whose linear
// layers hold their weights as [in, out].
func Export(m model.Model) (*model.Export, error) {
	cfg := m.Config()
	e := &model.Export{Config: map[string]any{
		"architectures": []string{"GPT2LMHeadModel"}, "model_type": "gpt2", "vocab_size": cfg.VocabSize, "n_positions": cfg.MaxSeqLen, "n_embd": cfg.DModel,
		"n_layer": cfg.NLayers, "n_head": cfg.NHeads, "n_inner": cfg.FFN(), "activation_function": model.HuggingFaceActivation(cfg.Activation),
		"layer_norm_epsilon": cfg.LayerNormEps, "resid_pdrop": cfg.Dropout, "embd_pdrop": cfg.Dropout, "attn_pdrop": 0.0, "tie_word_embeddings": true,
	}}
	e.Tensors = model.ExportWeights(m, weights(cfg))
	return e, nil
}

// config reads config.json.
func config(f *model.Fields) model.Config {
	cfg := model.Presets()["gpt2-124m"]
	cfg.Preset = ""
	cfg.VocabSize, cfg.DModel, cfg.NLayers, cfg.NHeads = f.Size("vocab_size"), f.Size("n_embd"), f.Size("n_layer"), f.Size("n_head")
	cfg.MaxSeqLen = f.Int("n_positions", f.Int("n_ctx", 1024))
	if cfg.FFNDim = f.Int("n_inner", 0); cfg.FFNDim == 0 {
		cfg.FFNDim = 4 * cfg.DModel
	}
	cfg.LayerNormEps, cfg.InitStd = f.Float("layer_norm_epsilon", 1e-5), f.Float("initializer_range", 0.02)
	names := map[string]string{"gelu_new": "gelu_tanh", "gelu_fast": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh", "gelu": "gelu", "silu": "silu", "swish": "silu"}
	act := f.Text("activation_function", "gelu_new")
	if cfg.Activation = names[act]; cfg.Activation == "" {
		f.Badf("activation_function", "%q is not supported here, gelu_new, gelu and silu are", act)
		cfg.Activation = "gelu_tanh"
	}
	for key, value := range map[string]bool{"tie_word_embeddings": true, "scale_attn_weights": true, "scale_attn_by_inverse_layer_idx": false} {
		f.Want(key, value)
	}
	f.Ignore("n_ctx", "attn_pdrop", "embd_pdrop", "resid_pdrop", "reorder_and_upcast_attn", "summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type",
		"summary_use_proj")
	return cfg
}

// buffer says which tensors of older files are masks, or the tied head again.
func buffer(name string) bool {
	return strings.HasSuffix(name, ".attn.bias") || strings.HasSuffix(name, ".attn.masked_bias")
}

// metadata reads a GGUF file.
func metadata(m *model.Metadata) model.Config {
	cfg := model.Presets()["gpt2-124m"]
	cfg.Preset = ""
	cfg.MaxSeqLen, cfg.DModel, cfg.NLayers = m.Size("context_length"), m.Size("embedding_length"), m.Size("block_count")
	cfg.FFNDim, cfg.NHeads, cfg.LayerNormEps = m.Size("feed_forward_length"), m.Size("attention.head_count"), m.Float("attention.layer_norm_epsilon", 1e-5)
	m.Vocabulary(&cfg)
	return cfg
}

// describe is the reverse of metadata.
func describe(cfg model.Config) model.Description {
	return model.Description{
		"context_length": uint32(cfg.MaxSeqLen), "embedding_length": uint32(cfg.DModel), "block_count": uint32(cfg.NLayers), "feed_forward_length": uint32(cfg.FFN()),
		"attention.head_count": uint32(cfg.NHeads), "attention.layer_norm_epsilon": float32(cfg.LayerNormEps), "vocab_size": uint32(cfg.VocabSize),
	}
}

// weights are transformers' names, with linear layers as [in, out].
func weights(cfg model.Config) []model.Weight {
	all := named(cfg, "transformer.wte", "transformer.wpe", "transformer.ln_f", "transformer.h.%d.", map[string]string{
		"norm1": "ln_1", "norm2": "ln_2", "attn.qkv": "attn.c_attn", "attn.out": "attn.c_proj", "mlp.up": "mlp.c_fc", "mlp.down": "mlp.c_proj",
	})
	for i, w := range all {
		all[i].Transposed = strings.Contains(w.Names[0], ".c_") && strings.HasSuffix(w.Names[0], ".weight")
	}
	return all
}

// ggufWeights are llama.cpp's names.
func ggufWeights(cfg model.Config) []model.Weight {
	return named(cfg, "token_embd", "position_embd", "output_norm", "blk.%d.", map[string]string{
		"norm1": "attn_norm", "norm2": "ffn_norm", "attn.qkv": "attn_qkv", "attn.out": "attn_output", "mlp.up": "ffn_up", "mlp.down": "ffn_down",
	})
}

func named(cfg model.Config, tokens, positions, norm, block string, names map[string]string) []model.Weight {
	var all []model.Weight
	add := func(param, name string, suffixes ...string) {
		for _, suffix := range suffixes {
			all = append(all, model.Weight{Param: param + suffix, Names: []string{name + suffix}})
		}
	}
	add("embed", tokens, ".weight")
	add("positions", positions, ".weight")
	for i := range cfg.NLayers {
		for _, x := range []string{"norm1", "attn.qkv", "attn.out", "norm2", "mlp.up", "mlp.down"} {
			add(fmt.Sprintf("layers.%d.", i)+x, fmt.Sprintf(block, i)+names[x], ".weight", ".bias")
		}
	}
	add("norm", norm, ".weight", ".bias")
	return all
}
