// Package gemma3 is the text architecture of Gemma 3 (arXiv 2503.19786): Gemma 2's
// with normalised query and key heads instead of the cap on scores, and with rotary
// positions of two kinds, for sliding and for global layers, over model's shared
// blocks. It registers the name gemma3.
package gemma3

import (
	"math"

	"github.com/aries-serpent/codexml/model"
)

func init() {
	model.Architectures.MustRegister("gemma3", model.Architecture{
		New: New, Export: Export,
		HuggingFace: model.HuggingFace{Type: "gemma3_text", Config: config, Weights: weights, Prefix: "model."},
		GGUF:        model.GGUF{Name: "gemma3", Config: metadata, Describe: describe, Weights: func(cfg model.Config) []model.Weight { return model.GatedGGUFWeights(cfg, false) }},
	}, "std")
}

// New builds a Gemma 3, or names the key of the configuration that it cannot honour.
func New(cfg model.Config) (model.Model, error) {
	if err := model.WantGated(cfg); err != nil {
		return nil, err
	}
	switch {
	case !cfg.PostNorms:
		return nil, model.ExportError(cfg, "post_norms", "gemma3 has them: set it")
	case !cfg.QKNorm:
		return nil, model.ExportError(cfg, "qk_norm", "gemma3 has it: set it")
	}
	if err := model.RefuseSet(cfg, "bias", "mlp_bias"); err != nil {
		return nil, err
	}
	return model.NewTransformer(cfg), nil
}

func config(f *model.Fields) model.Config {
	cfg := model.GemmaConfig("gemma3", f)
	cfg.QKNorm = true
	cfg.AttnSoftcap, cfg.LogitSoftcap = model.SoftcapField(f, "attn_logit_softcapping", 0), model.SoftcapField(f, "final_logit_softcapping", 0)
	every := f.Int("sliding_window_pattern", f.Int("_sliding_window_pattern", 6))
	model.LayerTypes(f, &cfg, func(layer int) bool { return every < 1 || (layer+1)%every != 0 })
	rope(f, &cfg)
	return cfg
}

// rope reads both kinds of rotary positions: rope_parameters has an object for each,
// older files say rope_theta, rope_scaling and rope_local_base_freq.
func rope(f *model.Fields, cfg *model.Config) {
	cfg.RotaryTheta, cfg.LocalRotaryTheta = f.Float("rope_theta", 1e6), f.Float("rope_local_base_freq", 1e4)
	if o := f.Object("rope_scaling"); o != nil {
		model.RopeObject(f, o, cfg)
	}
	both := f.Object("rope_parameters")
	if both == nil {
		return
	}
	if o := both.Object("full_attention"); o != nil {
		model.RopeObject(f, o, cfg)
	}
	if o := both.Object("sliding_attention"); o != nil {
		local := *cfg
		local.RotaryTheta = cfg.LocalRotaryTheta
		model.RopeObject(f, o, &local)
		if local.RopeType != "default" {
			f.Badf("rope_parameters", "sliding_attention: rope_type %q is not supported here, only default is", local.RopeType)
		}
		cfg.LocalRotaryTheta = local.RotaryTheta
	}
	f.Join(both)
}

// metadata reads a GGUF file. The scale of scores is not in it: llama.cpp knows that
// the largest model, with 62 layers, divides by d_model/n_heads.
func metadata(m *model.Metadata) model.Config {
	cfg := model.GemmaMetadata("gemma3", m)
	cfg.QKNorm, cfg.LocalRotaryTheta = true, m.Float("rope.freq_base_swa", 1e4)
	cfg.SlidingWindow, cfg.LayerPattern = m.Int("attention.sliding_window", 0), "sssssg"
	cfg.LogitSoftcap = m.Float("final_logit_softcapping", 0)
	if cfg.NLayers == 62 {
		cfg.AttnScale = 1 / math.Sqrt(float64(cfg.DModel/cfg.NHeads))
	}
	return cfg
}

// describe is the reverse of metadata.
func describe(cfg model.Config) model.Description {
	d := model.DescribeGated(cfg)
	if cfg.LogitSoftcap != 0 {
		d["final_logit_softcapping"] = float32(cfg.LogitSoftcap)
	}
	if cfg.LocalRotaryTheta == 0 {
		cfg.LocalRotaryTheta = cfg.RotaryTheta
	}
	if cfg.LocalRotaryTheta != 1e4 {
		d["rope.freq_base_swa"] = float32(cfg.LocalRotaryTheta)
	}
	return d
}

func weights(cfg model.Config) []model.Weight { return model.GatedWeights(cfg, true) }

// Export translates the weights to transformers' Gemma3ForCausalLM.
func Export(m model.Model) (*model.Export, error) {
	cfg := m.Config()
	c, err := model.GemmaExport(cfg, "Gemma3ForCausalLM", "gemma3_text")
	if err != nil {
		return nil, err
	}
	local := cfg.LocalRotaryTheta
	if local == 0 {
		local = cfg.RotaryTheta
	}
	c["rope_parameters"] = map[string]any{
		"full_attention": model.RopeParameters(cfg), "sliding_attention": map[string]any{"rope_type": "default", "rope_theta": model.Float(local)},
	}
	delete(c, "rope_theta")
	return &model.Export{Config: c, Tensors: model.ExportWeights(m, weights(cfg))}, nil
}
