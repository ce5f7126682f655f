package model_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/format/gguf"
	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/internal/testkit"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/nn"
	"github.com/aries-serpent/codexml/tensor"
)

// ggufCases are models as llama.cpp's converter would describe them.
func ggufCases() map[string]struct {
	cfg  func(c *model.Config)
	meta map[string]any
} {
	gated := func(name string, more map[string]any) map[string]any {
		m := map[string]any{
			"context_length": uint32(64), "embedding_length": uint32(64), "block_count": uint32(2), "feed_forward_length": uint32(96), "attention.head_count": uint32(4),
			"attention.head_count_kv": uint32(2), "attention.layer_norm_rms_epsilon": float32(1e-5), "rope.freq_base": float32(10000),
		}
		for k, v := range more {
			m[k] = v
		}
		out := map[string]any{"general.architecture": name}
		for k, v := range m {
			out[name+"."+k] = v
		}
		return out
	}
	type c = struct {
		cfg  func(c *model.Config)
		meta map[string]any
	}
	return map[string]c{
		"llama": {func(c *model.Config) { c.Name = "llama" }, gated("llama", map[string]any{"vocab_size": uint32(96), "rope.dimension_count": uint32(16)})},
		"qwen2": {func(c *model.Config) { c.Name, c.QKVBias, c.TieEmbeddings = "qwen2", true, true }, gated("qwen2", nil)},
		"qwen3": {func(c *model.Config) { c.Name, c.QKNorm, c.HeadSize = "qwen3", true, 32 }, gated("qwen3", map[string]any{"attention.key_length": uint32(32), "attention.value_length": uint32(32)})},
		"gemma2": {func(c *model.Config) {
			c.Name, c.TieEmbeddings, c.PostNorms, c.Activation, c.EmbedScale, c.SlidingWindow, c.LayerPattern = "gemma2", true, true, "geglu", 8, 9, "sg"
			c.AttnSoftcap, c.LogitSoftcap = 50, 30
		}, gated("gemma2", map[string]any{"attention.sliding_window": uint32(9), "attn_logit_softcapping": float32(50), "final_logit_softcapping": float32(30)})},
		"gemma3": {func(c *model.Config) {
			c.Name, c.TieEmbeddings, c.PostNorms, c.Activation, c.EmbedScale, c.SlidingWindow, c.LayerPattern = "gemma3", true, true, "geglu", 8, 9, "sssssg"
			c.QKNorm, c.LocalRotaryTheta = true, 1e4
		}, gated("gemma3", map[string]any{"attention.sliding_window": uint32(9)})},
		"gpt2": {func(c *model.Config) {
			*c = model.Presets()["gpt2-124m"]
			c.Preset, c.VocabSize, c.DModel, c.NHeads, c.NLayers, c.MaxSeqLen, c.FFNDim = "", 96, 64, 4, 2, 64, 96
		}, map[string]any{
			"general.architecture": "gpt2", "gpt2.context_length": uint32(64), "gpt2.embedding_length": uint32(64), "gpt2.block_count": uint32(2), "gpt2.feed_forward_length": uint32(96),
			"gpt2.attention.head_count": uint32(4), "gpt2.attention.layer_norm_epsilon": float32(1e-5),
		}},
	}
}

// writeGGUF writes a model's weights, the matrices in a type.
func writeGGUF(t *testing.T, m model.Model, meta map[string]any, kind gguf.Type) string {
	t.Helper()
	arch, err := model.Architectures.Get(m.Config().Name)
	if err != nil {
		t.Fatal(err)
	}
	var entries []gguf.KeyValue
	for k, v := range meta {
		entries = append(entries, gguf.KeyValue{Key: k, Value: v})
	}
	var list []gguf.Tensor
	for _, x := range model.ExportWeights(m, arch.GGUF.Weights(m.Config())) {
		g := gguf.Tensor{Name: x.Name, Shape: x.Shape, Type: gguf.F32}
		if len(x.Shape) == 2 && !strings.HasPrefix(x.Name, "position") {
			g.Type = kind
		}
		n, _ := g.Type.RowBytes(len(x.Data))
		g.Data = make([]byte, n)
		if g.Type == gguf.F32 {
			binary.Encode(g.Data, binary.LittleEndian, x.Data)
		} else if err := gguf.Quantize(g.Data, g.Type, x.Data); err != nil {
			t.Fatal(err)
		}
		list = append(list, g)
	}
	var file bytes.Buffer
	w, err := gguf.NewWriter(&file, entries, list)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list {
		if err := w.WriteTensor(x.Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.gguf")
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func ggufModel(t *testing.T, change func(c *model.Config)) model.Model {
	cfg := model.DefaultConfig()
	cfg.VocabSize, cfg.DModel, cfg.NHeads, cfg.NKVHeads, cfg.NLayers, cfg.MaxSeqLen, cfg.FFNDim, cfg.InitStd = 96, 64, 4, 2, 2, 64, 96, 0.15
	cfg.Norm, cfg.Activation, cfg.TieEmbeddings = "rmsnorm", "swiglu", false
	change(&cfg)
	m := build(t, cfg)
	for i, p := range m.Params() {
		if p.Group == nn.GroupVector {
			testkit.Hash(p.Data, uint32(i), 1)
		}
	}
	return m
}

func TestGGUF(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	for name, c := range ggufCases() {
		t.Run(name, func(t *testing.T) {
			m := ggufModel(t, c.cfg)
			again, _ := open(t, writeGGUF(t, m, c.meta, gguf.F32), model.LoadOptions{Train: true})
			want, got := m.Config(), again.Config()
			got.HeadSize, want.HeadSize = got.HeadDim(), want.HeadDim()
			got.FFNMult, got.InitStd, got.LayerNormEps = want.FFNMult, want.InitStd, want.LayerNormEps
			got.NKVHeads = want.NKVHeads
			if got != want {
				t.Errorf("configuration: got %+v, want %+v", got, want)
			}
			for i, p := range again.Params() {
				testkit.SameBits(t, p.Name, p.Data, m.Params()[i].Data)
			}
			for _, kind := range []gguf.Type{gguf.Q8_0, gguf.Q4_1, gguf.F16} {
				path := writeGGUF(t, m, c.meta, kind)
				whole, _ := open(t, path, model.LoadOptions{Pool: pool})
				kept, _ := open(t, path, model.LoadOptions{Pool: pool, Keep: true})
				if n := countKept(kept); n < 9 || countKept(whole) > 0 {
					t.Errorf("%v: %d parameters stay as they are", kind, n)
				}
				x, y := ggufLogits(t, whole), ggufLogits(t, kept)
				testkit.SameBits(t, kind.String()+" logits", y, x)
			}
		})
	}
}

func countKept(m model.Model) int {
	n := 0
	for _, p := range m.Params() {
		if p.Kept() {
			n++
		}
	}
	return n
}

func ggufLogits(t *testing.T, m model.Model) []float32 {
	c := newContext(t, m, 2, tensor.F32)
	s, logits := m.NewState(tensor.F32, 40), make([]float32, m.Config().VocabSize)
	m.Decode(c, s, []int32{1, 5, 90, 33, 4}, logits)
	m.Decode(c, s, []int32{7}, logits)
	return logits
}

func TestOpenRejects(t *testing.T) {
	f := func(name, want string, damage func(dir string, config map[string]any) map[string]any) {
		t.Helper()
		dir := pretrainedFolder(t, name)
		rewriteConfig(t, dir, damage)
		p, err := model.Open(dir)
		if err == nil {
			p.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
	set := func(key string, value any) func(string, map[string]any) map[string]any {
		return func(_ string, c map[string]any) map[string]any {
			c[key] = value
			return c
		}
	}
	f("llama", "field new_thing is not understood", set("new_thing", 3))
	f("llama", `quantization_config: weights quantised by "gptq" are not read`, set("quantization_config", map[string]any{"quant_method": "gptq", "bits": 4}))
	f("llama", "hidden_size: want a number above 0", set("hidden_size", nil))
	f("llama", "hidden_size: want a whole number", set("hidden_size", "x"))
	f("llama", `model_type "t5" is not supported here, want one of`, set("model_type", "t5"))
	f("llama", "want shape [32 128] by the configuration, the file has [32 52]", set("intermediate_size", 128))
	f("llama", "tensor lm_head.weight: want shape [1048576 32]", set("vocab_size", 1<<20))
	f("llama", "9 tensors of the architecture are missing: model.layers.3.input_layernorm.weight", set("num_hidden_layers", 4))
	f("llama", "9 tensors do not belong to the architecture: model.layers.2.input_layernorm.weight", set("num_hidden_layers", 2))
	f("llama-yarn", "mystery is not understood", set("rope_parameters", map[string]any{"rope_type": "yarn", "factor": 2.0, "mystery": 1}))
	f("llama", `rope_type: "longrope" is not supported here`, set("rope_parameters", map[string]any{"rope_type": "longrope", "factor": 2.0}))
	f("gemma2", "use_bidirectional_attention: true is not supported here", set("use_bidirectional_attention", true))
	f("gpt2", "tie_word_embeddings: false is not supported here", set("tie_word_embeddings", false))
	f("llama", "the folder has no weights", func(dir string, c map[string]any) map[string]any {
		if err := os.Remove(filepath.Join(dir, "model.safetensors")); err != nil {
			t.Fatal(err)
		}
		return c
	})
	if _, err := model.Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no config.json") {
		t.Errorf("an empty folder: %v", err)
	}
}

// TestOpenIgnoresHarmlessFields adds what configurations on model hubs have beside.
func TestOpenIgnoresHarmlessFields(t *testing.T) {
	dir := pretrainedFolder(t, "llama")
	rewriteConfig(t, dir, func(_ string, c map[string]any) map[string]any {
		for key, value := range map[string]any{
			"is_llama_config": true, "rope_interleaved": false, "rope_scaling": nil, "transformers.js_config": map[string]any{"dtype": "q4"}, "max_length": 20, "do_sample": true,
			"torch_dtype": "bfloat16", "transformers_version": "4.42.3", "pruned_heads": map[string]any{}, "_name_or_path": "x", "bos_token_id": 1, "eos_token_id": []int{2, 5},
		} {
			c[key] = value
		}
		return c
	})
	p, err := model.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if g := p.Generation; g.BOS != 1 || len(g.EOS) != 2 || g.EOS[1] != 5 {
		t.Errorf("special ids: %+v", g)
	}
}
