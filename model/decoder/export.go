package decoder

import (
	"errors"
	"fmt"
	"slices"

	"github.com/aries-serpent/codexml/model"
)

// target is an architecture of transformers that some decoders are.
type target struct {
	name    string
	refuses func(cfg model.Config) string // the key that does not fit and why, or ""
	export  func(w *model.Exporter, e *model.Export, cfg model.Config)
}

var targets = []target{
	{"Llama", refuseLlama, exportLlama},
	{"Qwen3", refuseQwen3, exportQwen3},
	{"NanoChat", refuseNanoChat, exportNanoChat},
	{"GPT-NeoX", refuseNeoX, exportNeoX},
}

// Export translates the weights to the architecture of transformers that the
// configuration amounts to, or says for each candidate which key stands against it.
func Export(m model.Model) (*model.Export, error) {
	cfg, e := m.Config(), &model.Export{}
	if err := refuseNew(cfg); err != nil {
		return nil, err
	}
	problems := []error{errors.New("transformers has no architecture for this decoder")}
	for _, t := range targets {
		if why := t.refuses(cfg); why != "" {
			problems = append(problems, fmt.Errorf("%s: model.%s", t.name, why))
			continue
		}
		t.export(model.NewExporter(m, e), e, cfg)
		return e, nil
	}
	return nil, errors.Join(problems...)
}

// refuseNew names what none of the targets has, and the architectures that do.
func refuseNew(cfg model.Config) error {
	if cfg.RopeType != "default" {
		return fmt.Errorf("model.rope_type: no decoder is exported with %s: choose model.name llama, qwen2 or qwen3 for it", cfg.RopeType)
	}
	if err := model.RefuseSet(cfg, "sliding_window", "local_rotary_theta", "qkv_bias", "attn_out_bias", "mlp_bias", "post_norms", "embed_scale", "attn_scale", "attn_softcap"); err != nil {
		return fmt.Errorf("transformers has no architecture for this decoder: %w; or choose the architecture that has it: mistral, qwen2, gemma2, gemma3", err)
	}
	return nil
}

// refuseCommon holds what the Llama-like targets and NanoChat share.
func refuseCommon(cfg model.Config) string {
	switch {
	case cfg.RotaryTheta == 0:
		return "rotary_theta is 0, it wants rotary positions"
	case cfg.Norm != "rmsnorm":
		return "norm is layernorm, it wants rmsnorm"
	}
	return ""
}

func refuseLlama(cfg model.Config) string {
	if cfg.QKNorm {
		return "qk_norm is on, it has none"
	}
	return refuseGated(cfg)
}

func refuseGated(cfg model.Config) string {
	switch {
	case !cfg.NormGain:
		return "norm_gain is off, it wants gains"
	case cfg.EmbedNorm:
		return "embed_norm is on, it has none"
	case cfg.LogitSoftcap != 0:
		return "logit_softcap is set, it has none"
	case !cfg.Gated():
		return "activation is " + cfg.Activation + ", it wants swiglu or geglu"
	}
	return refuseCommon(cfg)
}

func refuseQwen3(cfg model.Config) string {
	if cfg.Bias {
		return "bias is on, its feed-forward layer has none"
	}
	return refuseGated(cfg)
}

func refuseNanoChat(cfg model.Config) string {
	switch {
	case !cfg.QKNorm:
		return "qk_norm is off, it wants it"
	case cfg.NormGain:
		return "norm_gain is on, it has none"
	case !cfg.EmbedNorm:
		return "embed_norm is off, it wants it"
	case cfg.Bias:
		return "bias is on, its feed-forward layer has none"
	case cfg.Gated():
		return "activation is " + cfg.Activation + ", it wants a plain one"
	}
	return refuseCommon(cfg)
}

func refuseNeoX(cfg model.Config) string {
	switch {
	case cfg.RotaryTheta == 0:
		return "rotary_theta is 0, it wants rotary positions"
	case cfg.Norm != "layernorm":
		return "norm is rmsnorm, it wants layernorm"
	case cfg.QKNorm:
		return "qk_norm is on, it has none"
	case cfg.EmbedNorm:
		return "embed_norm is on, it has none"
	case cfg.LogitSoftcap != 0:
		return "logit_softcap is set, it has none"
	case cfg.Gated():
		return "activation is " + cfg.Activation + ", it wants a plain one"
	case cfg.KVHeads() != cfg.NHeads:
		return "n_kv_heads is below n_heads, it has no groups"
	case cfg.HeadDim()*cfg.NHeads != cfg.DModel:
		return "head_dim is not d_model/n_heads, it has no other"
	}
	return ""
}

// common is the part of config.json that all targets but their names share.
func common(class, kind string, cfg model.Config) map[string]any {
	return map[string]any{
		"architectures": []string{class}, "model_type": kind, "vocab_size": cfg.VocabSize, "hidden_size": cfg.DModel, "intermediate_size": cfg.FFN(),
		"num_hidden_layers": cfg.NLayers, "num_attention_heads": cfg.NHeads, "num_key_value_heads": cfg.KVHeads(), "head_dim": cfg.HeadDim(),
		"hidden_act": model.HuggingFaceActivation(cfg.Activation), "max_position_embeddings": cfg.MaxSeqLen, "tie_word_embeddings": cfg.TieEmbeddings,
		"rope_theta": cfg.RotaryTheta, "rope_parameters": map[string]any{"rope_type": "default", "rope_theta": cfg.RotaryTheta}, "attention_dropout": 0.0,
	}
}

func exportLlama(w *model.Exporter, e *model.Export, cfg model.Config) {
	e.Config = common("LlamaForCausalLM", "llama", cfg)
	e.Config["rms_norm_eps"], e.Config["attention_bias"], e.Config["mlp_bias"] = cfg.LayerNormEps, cfg.Bias, cfg.Bias
	exportGated(w, cfg)
}

func exportQwen3(w *model.Exporter, e *model.Export, cfg model.Config) {
	e.Config = common("Qwen3ForCausalLM", "qwen3", cfg)
	e.Config["rms_norm_eps"], e.Config["attention_bias"], e.Config["use_sliding_window"] = cfg.LayerNormEps, false, false
	exportGated(w, cfg)
}

// exportGated writes the weights under the names of Llama and Qwen3.
func exportGated(w *model.Exporter, cfg model.Config) {
	exportEnds(w, cfg)
	for i := range cfg.NLayers {
		from, to := fmt.Sprintf("layers.%d.", i), fmt.Sprintf("model.layers.%d.", i)
		w.Copy(to+"input_layernorm.weight", from+"norm1.weight")
		w.Copy(to+"post_attention_layernorm.weight", from+"norm2.weight")
		if cfg.QKNorm {
			w.Copy(to+"self_attn.q_norm.weight", from+"attn.q_norm.weight")
			w.Copy(to+"self_attn.k_norm.weight", from+"attn.k_norm.weight")
		}
		for _, suffix := range suffixes(cfg) {
			exportParts(w, to+"self_attn.", from+"attn.qkv"+suffix, qkvParts(cfg), []string{"q_proj" + suffix, "k_proj" + suffix, "v_proj" + suffix})
			w.Copy(to+"self_attn.o_proj"+suffix, from+"attn.out"+suffix)
			exportParts(w, to+"mlp.", from+"mlp.up"+suffix, []int{cfg.FFN(), cfg.FFN()}, []string{"gate_proj" + suffix, "up_proj" + suffix})
			w.Copy(to+"mlp.down_proj"+suffix, from+"mlp.down"+suffix)
		}
	}
}

func exportEnds(w *model.Exporter, cfg model.Config) {
	w.Copy("model.embed_tokens.weight", "embed.weight")
	if w.Has("norm.weight") {
		w.Copy("model.norm.weight", "norm.weight")
	}
	if !cfg.TieEmbeddings {
		w.Copy("lm_head.weight", "head.weight")
	}
}

func suffixes(cfg model.Config) []string {
	if cfg.Bias {
		return []string{".weight", ".bias"}
	}
	return []string{".weight"}
}

func qkvParts(cfg model.Config) []int {
	d := cfg.HeadDim()
	return []int{cfg.NHeads * d, cfg.KVHeads() * d, cfg.KVHeads() * d}
}

func exportParts(w *model.Exporter, to, from string, parts []int, names []string) {
	for i, name := range names {
		w.Part(to+name, from, parts, i)
	}
}

// exportNanoChat turns the second half of every query and key head around, since
// NanoChat rotates the other way: with P = diag(1, -1), P R(a) P = R(-a).
func exportNanoChat(w *model.Exporter, e *model.Export, cfg model.Config) {
	e.Config = common("NanoChatForCausalLM", "nanochat", cfg)
	e.Config["rms_norm_eps"], e.Config["attention_bias"] = cfg.LayerNormEps, false
	e.Config["final_logit_softcapping"] = nil
	if cfg.LogitSoftcap > 0 {
		e.Config["final_logit_softcapping"] = model.Float(cfg.LogitSoftcap)
	}
	exportEnds(w, cfg)
	parts := qkvParts(cfg)
	for i := range cfg.NLayers {
		from, to := fmt.Sprintf("layers.%d.", i), fmt.Sprintf("model.layers.%d.", i)
		exportParts(w, to+"self_attn.", from+"attn.qkv.weight", parts, []string{"q_proj.weight", "k_proj.weight", "v_proj.weight"})
		for j := len(e.Tensors) - 3; j < len(e.Tensors)-1; j++ {
			e.Tensors[j].Data = turned(e.Tensors[j], cfg.HeadDim())
		}
		w.Copy(to+"self_attn.o_proj.weight", from+"attn.out.weight")
		w.Copy(to+"mlp.fc1.weight", from+"mlp.up.weight")
		w.Copy(to+"mlp.fc2.weight", from+"mlp.down.weight")
	}
}

// turned is a copy of a projection with the second half of each head negated.
func turned(t model.ExportTensor, headDim int) []float32 {
	data, cols := slices.Clone(t.Data), t.Shape[1]
	for i := range data {
		if i/cols%headDim >= headDim/2 {
			data[i] = -data[i]
		}
	}
	return data
}

func exportNeoX(w *model.Exporter, e *model.Export, cfg model.Config) {
	e.Config = common("GPTNeoXForCausalLM", "gpt_neox", cfg)
	e.Config["layer_norm_eps"], e.Config["attention_bias"], e.Config["use_parallel_residual"] = cfg.LayerNormEps, cfg.Bias, false
	e.Config["rope_parameters"] = map[string]any{"rope_type": "default", "rope_theta": cfg.RotaryTheta, "partial_rotary_factor": 1.0}
	zeros := make([]float32, max(cfg.DModel, cfg.FFN()))
	ones := slices.Repeat([]float32{1}, cfg.DModel)
	norm := func(to, from string) {
		if w.Has(from + ".weight") {
			w.Copy(to+".weight", from+".weight")
		} else {
			w.Add(to+".weight", ones, cfg.DModel)
		}
		biasOr(w, to, from, zeros[:cfg.DModel])
	}
	w.Copy("gpt_neox.embed_in.weight", "embed.weight")
	if !cfg.TieEmbeddings {
		w.Copy("lm_head.weight", "head.weight")
	}
	for i := range cfg.NLayers {
		from, to := fmt.Sprintf("layers.%d.", i), fmt.Sprintf("gpt_neox.layers.%d.", i)
		norm(to+"input_layernorm", from+"norm1")
		norm(to+"post_attention_layernorm", from+"norm2")
		for _, suffix := range suffixes(cfg) {
			interleave(w, e, to+"attention.query_key_value"+suffix, from+"attn.qkv"+suffix, cfg)
			w.Copy(to+"attention.dense"+suffix, from+"attn.out"+suffix)
		}
		w.Copy(to+"mlp.dense_h_to_4h.weight", from+"mlp.up.weight")
		biasOr(w, to+"mlp.dense_h_to_4h", from+"mlp.up", zeros[:cfg.FFN()])
		w.Copy(to+"mlp.dense_4h_to_h.weight", from+"mlp.down.weight")
		biasOr(w, to+"mlp.dense_4h_to_h", from+"mlp.down", zeros[:cfg.DModel])
	}
	norm("gpt_neox.final_layer_norm", "norm")
}

// biasOr exports a bias, or zeros where the model has none.
func biasOr(w *model.Exporter, to, from string, zeros []float32) {
	if w.Has(from + ".bias") {
		w.Copy(to+".bias", from+".bias")
	} else {
		w.Add(to+".bias", zeros, len(zeros))
	}
}

// interleave exports a fused projection with query, key and value head by head.
func interleave(w *model.Exporter, e *model.Export, to, from string, cfg model.Config) {
	w.Copy(to, from)
	t := &e.Tensors[len(e.Tensors)-1]
	src, rows := t.Data, cfg.HeadDim()
	t.Data = make([]float32, 0, len(src))
	size := rows * len(src) / t.Shape[0]
	for h := range cfg.NHeads {
		for part := range 3 {
			at := (part*cfg.NHeads + h) * size
			t.Data = append(t.Data, src[at:at+size]...)
		}
	}
}
