// Package mistral is the architecture of Mistral 7B (arXiv 2310.06825): Llama's with
// a sliding window in every layer, over model's shared blocks. It registers the name
// mistral.
package mistral

import "github.com/aries-serpent/codexml/model"

func init() {
	model.Architectures.MustRegister("mistral", model.Architecture{
		New: New, Export: Export,
		HuggingFace: model.HuggingFace{Type: "mistral", Config: config, Weights: weights, Prefix: "model."},
		GGUF:        model.GGUF{Name: "llama", Describe: model.DescribeGated, Weights: func(cfg model.Config) []model.Weight { return model.GatedGGUFWeights(cfg, true) }},
	}, "std")
}

// New builds a Mistral, or names the key of the configuration that it cannot honour.
func New(cfg model.Config) (model.Model, error) {
	if err := model.WantGated(cfg); err != nil {
		return nil, err
	}
	if err := model.RefuseSet(cfg, "bias", "qkv_bias", "attn_out_bias", "mlp_bias", "layer_pattern", "local_rotary_theta", "qk_norm", "post_norms", "embed_scale", "attn_scale", "attn_softcap",
		"logit_softcap"); err != nil {
		return nil, err
	}
	return model.NewTransformer(cfg), nil
}

// config reads config.json. A sliding_window of null is none; a file without one
// has the class's 4096.
func config(f *model.Fields) model.Config {
	cfg := model.GatedConfig("mistral", f)
	cfg.MaxSeqLen = f.Int("max_position_embeddings", 4096*32)
	model.Rope(f, &cfg, 10000)
	cfg.SlidingWindow = f.Int("sliding_window", 0)
	if f.Absent("sliding_window") {
		cfg.SlidingWindow = 4096
	}
	return cfg
}

func weights(cfg model.Config) []model.Weight { return model.GatedWeights(cfg, false) }

// Export translates the weights to transformers' MistralForCausalLM.
func Export(m model.Model) (*model.Export, error) {
	cfg := m.Config()
	c := model.GatedExport(cfg, "MistralForCausalLM", "mistral")
	c["sliding_window"] = nil
	if cfg.SlidingWindow > 0 {
		c["sliding_window"] = cfg.SlidingWindow
	}
	return &model.Export{Config: c, Tensors: model.ExportWeights(m, weights(cfg))}, nil
}
