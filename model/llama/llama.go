// Package llama is the architecture of Llama 1 to 3, TinyLlama and SmolLM2: RMSNorm,
// rotary positions, grouped heads, SwiGLU, over model's shared blocks. It registers
// the name llama.
package llama

import "github.com/aries-serpent/codexml/model"

func init() {
	model.Architectures.MustRegister("llama", model.Architecture{
		New: New, Export: Export,
		HuggingFace: model.HuggingFace{Type: "llama", Config: config, Weights: weights, Prefix: "model."},
		GGUF:        model.GGUF{Name: "llama", Config: metadata, Describe: model.DescribeGated, Weights: func(cfg model.Config) []model.Weight { return model.GatedGGUFWeights(cfg, true) }},
	}, "std")
}

// New builds a Llama, or names the key of the configuration that it cannot honour.
func New(cfg model.Config) (model.Model, error) {
	if err := model.WantGated(cfg); err != nil {
		return nil, err
	}
	if err := model.RefuseSet(cfg, "sliding_window", "local_rotary_theta", "qk_norm", "post_norms", "embed_scale", "attn_scale", "attn_softcap", "logit_softcap"); err != nil {
		return nil, err
	}
	return model.NewTransformer(cfg), nil
}

// config reads config.json. attention_bias gives all four projections a bias.
func config(f *model.Fields) model.Config {
	cfg := model.GatedConfig("llama", f)
	cfg.MaxSeqLen = f.Int("max_position_embeddings", 2048)
	model.Rope(f, &cfg, 10000)
	cfg.QKVBias = f.Bool("attention_bias", false)
	cfg.AttnOutBias, cfg.MLPBias = cfg.QKVBias, f.Bool("mlp_bias", false)
	return cfg
}

func metadata(m *model.Metadata) model.Config {
	cfg := model.GatedMetadata("llama", m)
	if cfg.SlidingWindow = m.Int("attention.sliding_window", 0); cfg.SlidingWindow > 0 {
		cfg.Name = "mistral" // llama.cpp has one name for both
	}
	return cfg
}

func weights(cfg model.Config) []model.Weight { return model.GatedWeights(cfg, false) }

// Export translates the weights to transformers' LlamaForCausalLM.
func Export(m model.Model) (*model.Export, error) {
	cfg := m.Config()
	if attention := cfg.Bias || cfg.QKVBias; attention != (cfg.Bias || cfg.AttnOutBias) {
		return nil, model.ExportError(cfg, "qkv_bias", "LlamaForCausalLM has either all biases of attention or none")
	}
	c := model.GatedExport(cfg, "LlamaForCausalLM", "llama")
	c["attention_bias"], c["mlp_bias"] = cfg.Bias || cfg.QKVBias, cfg.Bias || cfg.MLPBias
	return &model.Export{Config: c, Tensors: model.ExportWeights(m, weights(cfg))}, nil
}
