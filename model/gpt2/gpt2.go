// Package gpt2 is the architecture of the GPT-2 report: LayerNorm, learned
// positions, tanh GELU, biases and a tied head, over model's shared blocks. It
// registers the name gpt2.
package gpt2

import (
	"fmt"

	"github.com/aries-serpent/codexml/model"
)

func init() {
	model.Architectures.MustRegister("gpt2", model.Architecture{New: New, Export: Export}, "std")
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
	w := model.NewExporter(m, e)
	w.Copy("transformer.wte.weight", "embed.weight")
	w.Copy("transformer.wpe.weight", "positions.weight")
	for i := range cfg.NLayers {
		from, to := fmt.Sprintf("layers.%d.", i), fmt.Sprintf("transformer.h.%d.", i)
		for _, x := range [][2]string{{"ln_1", "norm1"}, {"ln_2", "norm2"}} {
			w.Copy(to+x[0]+".weight", from+x[1]+".weight")
			w.Copy(to+x[0]+".bias", from+x[1]+".bias")
		}
		for _, x := range [][2]string{{"attn.c_attn", "attn.qkv"}, {"attn.c_proj", "attn.out"}, {"mlp.c_fc", "mlp.up"}, {"mlp.c_proj", "mlp.down"}} {
			w.Transposed(to+x[0]+".weight", from+x[1]+".weight")
			w.Copy(to+x[0]+".bias", from+x[1]+".bias")
		}
	}
	w.Copy("transformer.ln_f.weight", "norm.weight")
	w.Copy("transformer.ln_f.bias", "norm.bias")
	return e, nil
}
