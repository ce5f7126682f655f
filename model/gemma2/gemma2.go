// Package gemma2 is the architecture of Gemma 2 (arXiv 2408.00118): norms before and
// after every branch, GeGLU, soft caps on scores and logits, a scaled embedding, and
// a sliding window in every other layer, over model's shared blocks. It registers
// the name gemma2.
package gemma2

import (
	"math"

	"github.com/aries-serpent/codexml/model"
)

func init() {
	model.Architectures.MustRegister("gemma2", model.Architecture{
		New: New, Export: Export,
		HuggingFace: model.HuggingFace{Type: "gemma2", Config: config, Weights: weights, Prefix: "model."},
		GGUF:        model.GGUF{Name: "gemma2", Config: metadata, Describe: describe, Weights: func(cfg model.Config) []model.Weight { return model.GatedGGUFWeights(cfg, false) }},
	}, "std")
}

// New builds a Gemma 2, or names the key of the configuration that it cannot honour.
func New(cfg model.Config) (model.Model, error) {
	if err := model.WantGated(cfg); err != nil {
		return nil, err
	}
	if !cfg.PostNorms {
		return nil, model.ExportError(cfg, "post_norms", "gemma2 has them: set it")
	}
	if err := model.RefuseSet(cfg, "bias", "mlp_bias", "local_rotary_theta", "qk_norm"); err != nil {
		return nil, err
	}
	return model.NewTransformer(cfg), nil
}

func config(f *model.Fields) model.Config {
	cfg := model.GemmaConfig("gemma2", f)
	model.Rope(f, &cfg, 10000)
	cfg.AttnSoftcap, cfg.LogitSoftcap = model.SoftcapField(f, "attn_logit_softcapping", 50), model.SoftcapField(f, "final_logit_softcapping", 30)
	model.LayerTypes(f, &cfg, func(layer int) bool { return layer%2 == 0 })
	return cfg
}

// metadata reads a GGUF file. The scale of scores is not in it: llama.cpp knows that
// the largest model, with 46 layers, divides by d_model/n_heads.
func metadata(m *model.Metadata) model.Config {
	cfg := model.GemmaMetadata("gemma2", m)
	cfg.SlidingWindow, cfg.LayerPattern = m.Int("attention.sliding_window", 4096), "sg"
	cfg.AttnSoftcap, cfg.LogitSoftcap = m.Float("attn_logit_softcapping", 50), m.Float("final_logit_softcapping", 30)
	if cfg.NLayers == 46 {
		cfg.AttnScale = 1 / math.Sqrt(float64(cfg.DModel/cfg.NHeads))
	}
	return cfg
}

// describe is the reverse of metadata.
func describe(cfg model.Config) model.Description {
	d := model.DescribeGated(cfg)
	d["attn_logit_softcapping"], d["final_logit_softcapping"] = float32(cfg.AttnSoftcap), float32(cfg.LogitSoftcap)
	return d
}

func weights(cfg model.Config) []model.Weight { return model.GatedWeights(cfg, true) }

// Export translates the weights to transformers' Gemma2ForCausalLM.
func Export(m model.Model) (*model.Export, error) {
	cfg := m.Config()
	c, err := model.GemmaExport(cfg, "Gemma2ForCausalLM", "gemma2")
	if err != nil {
		return nil, err
	}
	return &model.Export{Config: c, Tensors: model.ExportWeights(m, weights(cfg))}, nil
}
