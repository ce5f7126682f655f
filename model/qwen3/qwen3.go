// Package qwen3 is the architecture of Qwen 3 (arXiv 2505.09388), dense: Llama's with
// normalised query and key heads, over model's shared blocks. It registers the name
// qwen3.
package qwen3

import "github.com/aries-serpent/codexml/model"

func init() {
	model.Architectures.MustRegister("qwen3", model.Architecture{
		New: New, Export: Export,
		HuggingFace: model.HuggingFace{Type: "qwen3", Config: config, Weights: weights, Prefix: "model."},
		GGUF:        model.GGUF{Name: "qwen3", Config: metadata, Describe: model.DescribeGated, Weights: func(cfg model.Config) []model.Weight { return model.GatedGGUFWeights(cfg, false) }},
	}, "std")
}

// New builds a Qwen3, or names the key of the configuration that it cannot honour.
func New(cfg model.Config) (model.Model, error) {
	if err := model.WantGated(cfg); err != nil {
		return nil, err
	}
	if !cfg.QKNorm {
		return nil, model.ExportError(cfg, "qk_norm", "qwen3 has it: set it")
	}
	if err := model.RefuseSet(cfg, "bias", "mlp_bias", "local_rotary_theta", "post_norms", "embed_scale", "attn_scale", "attn_softcap", "logit_softcap"); err != nil {
		return nil, err
	}
	return model.NewTransformer(cfg), nil
}

// config reads config.json; head_dim is 128 where it does not say otherwise.
func config(f *model.Fields) model.Config {
	cfg := model.GatedConfig("qwen3", f)
	if cfg.HeadSize == 0 {
		cfg.HeadSize = 128
	}
	cfg.MaxSeqLen, cfg.QKNorm = f.Int("max_position_embeddings", 32768), true
	model.Rope(f, &cfg, 10000)
	cfg.QKVBias = f.Bool("attention_bias", false)
	cfg.AttnOutBias = cfg.QKVBias
	model.LateWindow(f, &cfg)
	return cfg
}

func metadata(m *model.Metadata) model.Config {
	cfg := model.GatedMetadata("qwen3", m)
	cfg.QKNorm = true
	return cfg
}

func weights(cfg model.Config) []model.Weight { return model.GatedWeights(cfg, false) }

// Export translates the weights to transformers' Qwen3ForCausalLM.
func Export(m model.Model) (*model.Export, error) {
	cfg := m.Config()
	if cfg.QKVBias != cfg.AttnOutBias {
		return nil, model.ExportError(cfg, "qkv_bias", "Qwen3ForCausalLM has either all biases of attention or none")
	}
	c := model.GatedExport(cfg, "Qwen3ForCausalLM", "qwen3")
	c["attention_bias"] = cfg.QKVBias
	model.ExportLateWindow(cfg, c)
	return &model.Export{Config: c, Tensors: model.ExportWeights(m, weights(cfg))}, nil
}
