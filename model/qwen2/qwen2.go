// Package qwen2 is the architecture of Qwen 2 and 2.5 (arXiv 2407.10671): Llama's
// with biases in the query, key and value projections, over model's shared blocks.
// It registers the name qwen2.
package qwen2

import "github.com/aries-serpent/codexml/model"

func init() {
	model.Architectures.MustRegister("qwen2", model.Architecture{
		New: New, Export: Export,
		HuggingFace: model.HuggingFace{Type: "qwen2", Config: config, Weights: weights, Prefix: "model."},
		GGUF:        model.GGUF{Name: "qwen2", Config: metadata, Describe: model.DescribeGated, Weights: func(cfg model.Config) []model.Weight { return model.GatedGGUFWeights(cfg, false) }},
	}, "std")
}

// New builds a Qwen2, or names the key of the configuration that it cannot honour.
func New(cfg model.Config) (model.Model, error) {
	if err := model.WantGated(cfg); err != nil {
		return nil, err
	}
	if err := model.RefuseSet(cfg, "bias", "attn_out_bias", "mlp_bias", "local_rotary_theta", "qk_norm", "post_norms", "embed_scale", "attn_scale", "attn_softcap", "logit_softcap"); err != nil {
		return nil, err
	}
	return model.NewTransformer(cfg), nil
}

func config(f *model.Fields) model.Config {
	cfg := model.GatedConfig("qwen2", f)
	cfg.MaxSeqLen, cfg.QKVBias = f.Int("max_position_embeddings", 32768), true
	model.Rope(f, &cfg, 10000)
	model.LateWindow(f, &cfg)
	return cfg
}

func metadata(m *model.Metadata) model.Config { return model.GatedMetadata("qwen2", m) }

func weights(cfg model.Config) []model.Weight { return model.GatedWeights(cfg, false) }

// Export translates the weights to transformers' Qwen2ForCausalLM.
func Export(m model.Model) (*model.Export, error) {
	cfg := m.Config()
	if !cfg.QKVBias {
		return nil, model.ExportError(cfg, "qkv_bias", "Qwen2ForCausalLM has these biases")
	}
	if cfg.HeadDim()*cfg.NHeads != cfg.DModel {
		return nil, model.ExportError(cfg, "head_dim", "Qwen2ForCausalLM has d_model/n_heads")
	}
	c := model.GatedExport(cfg, "Qwen2ForCausalLM", "qwen2")
	delete(c, "head_dim")
	model.ExportLateWindow(cfg, c)
	return &model.Export{Config: c, Tensors: model.ExportWeights(m, weights(cfg))}, nil
}
