package model

import "math"

// GemmaConfig reads what Gemma 2 and 3 have in common of config.json.
func GemmaConfig(name string, f *Fields) Config {
	cfg := GatedConfig(name, f)
	cfg.Activation, cfg.PostNorms, cfg.EmbedScale = "geglu", true, rootOf(cfg.DModel)
	if act := f.Text("hidden_activation", "gelu_pytorch_tanh"); act != "gelu_pytorch_tanh" {
		f.Badf("hidden_activation", "%q is not supported here, gelu_pytorch_tanh is", act)
	}
	cfg.TieEmbeddings = f.Bool("tie_word_embeddings", true)
	if cfg.HeadSize == 0 {
		cfg.HeadSize = 256
	}
	cfg.MaxSeqLen = f.Int("max_position_embeddings", map[string]int{"gemma2": 8192}[name])
	if cfg.MaxSeqLen == 0 {
		cfg.MaxSeqLen = 131072
	}
	cfg.QKVBias = f.Bool("attention_bias", false)
	cfg.AttnOutBias = cfg.QKVBias
	cfg.AttnScale = 1 / math.Sqrt(f.Float("query_pre_attn_scalar", 256))
	f.Want("use_bidirectional_attention", false)
	return cfg
}

// SoftcapField is a cap: null is none, a missing field what the class has.
func SoftcapField(f *Fields, key string, missing float64) float64 {
	if f.Absent(key) {
		return missing
	}
	return f.Float(key, 0)
}

// GemmaMetadata reads what Gemma 2 and 3 have in common of a GGUF file.
func GemmaMetadata(name string, m *Metadata) Config {
	cfg := GatedMetadata(name, m)
	cfg.Activation, cfg.PostNorms, cfg.EmbedScale = "geglu", true, rootOf(cfg.DModel)
	return cfg
}

// GemmaExport is config.json of Gemma 2 and 3.
func GemmaExport(cfg Config, class, kind string) (map[string]any, error) {
	if cfg.Activation != "geglu" {
		return nil, ExportError(cfg, "activation", class+" has geglu")
	}
	if want := rootOf(cfg.DModel); cfg.EmbedScale != want {
		return nil, ExportError(cfg, "embed_scale", class+" has sqrt(d_model)")
	}
	if cfg.QKVBias != cfg.AttnOutBias {
		return nil, ExportError(cfg, "qkv_bias", class+" has either all biases of attention or none")
	}
	c := GatedExport(cfg, class, kind)
	delete(c, "hidden_act")
	c["hidden_activation"], c["attention_bias"] = "gelu_pytorch_tanh", cfg.QKVBias
	scalar := float64(cfg.HeadDim())
	if cfg.AttnScale > 0 {
		scalar = 1 / (cfg.AttnScale * cfg.AttnScale)
	}
	if whole := math.Round(scalar); math.Abs(scalar-whole) < 1e-6*whole {
		c["query_pre_attn_scalar"] = int(whole)
	} else {
		return nil, ExportError(cfg, "attn_scale", class+" has 1/sqrt of a whole number")
	}
	c["attn_logit_softcapping"], c["final_logit_softcapping"] = capField(cfg.AttnSoftcap), capField(cfg.LogitSoftcap)
	ExportLayerTypes(cfg, c)
	return c, nil
}

func capField(x float64) any {
	if x == 0 {
		return nil
	}
	return Float(x)
}
