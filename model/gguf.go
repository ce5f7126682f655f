package model

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/aries-serpent/codexml/format/gguf"
)

// GGUF says how an architecture lies in a file of llama.cpp.
type GGUF struct {
	// Name is general.architecture.
	Name string
	// Config reads the metadata under the architecture's name, all of which it must
	// ask for; nil where another architecture reads the files.
	Config func(m *Metadata) Config
	// Describe is the reverse of Config. ExportGGUF refuses what Config would not read
	// again as it was.
	Describe func(cfg Config) Description
	// Weights are the tensors' names.
	Weights func(cfg Config) []Weight
}

// Metadata reads a GGUF file's metadata under the name of its architecture, as
// Fields reads an object.
type Metadata struct {
	file     *gguf.Metadata
	find     func(name string) (gguf.Tensor, bool)
	arch     string
	seen     map[string]bool
	problems []error
}

// Badf adds a problem of a key.
func (m *Metadata) Badf(key, format string, args ...any) {
	m.problems = append(m.problems, fmt.Errorf("%s.%s: %s", m.arch, key, fmt.Sprintf(format, args...)))
}

func lookup[T any](m *Metadata, key string, get func(key string) (T, error), missing T) T {
	m.seen[m.arch+"."+key] = true
	v, err := get(m.arch + "." + key)
	if errors.Is(err, gguf.ErrMissing) {
		return missing
	}
	if err != nil {
		m.problems = append(m.problems, err)
		return missing
	}
	return v
}

// Int is a whole number, or missing if it is not there.
func (m *Metadata) Int(key string, missing int) int {
	return int(lookup(m, key, m.file.Int, int64(missing)))
}

// Size is a whole number above 0 that must be there.
func (m *Metadata) Size(key string) int {
	n := m.Int(key, 0)
	if n < 1 {
		m.Badf(key, "want a number above 0, got %d, or nothing", n)
		return 1
	}
	return n
}

// Float is a number.
func (m *Metadata) Float(key string, missing float64) float64 {
	return lookup(m, key, m.file.Float, missing)
}

// Text is a string.
func (m *Metadata) Text(key, missing string) string { return lookup(m, key, m.file.Text, missing) }

// Ignore says that keys do not change what the model computes.
func (m *Metadata) Ignore(keys ...string) {
	for _, key := range keys {
		m.seen[m.arch+"."+key] = true
	}
}

// HasTensor says whether the file has a tensor.
func (m *Metadata) HasTensor(name string) bool {
	_, ok := m.find(name)
	return ok
}

// finish reports all problems, and every key of the architecture that nobody asked for.
func (m *Metadata) finish() error {
	problems := m.problems
	for _, key := range m.file.Keys() {
		if strings.HasPrefix(key, m.arch+".") && !m.seen[key] {
			problems = append(problems, fmt.Errorf("%s: the key is not understood: it may change what the model computes, so it is refused", key))
		}
	}
	return errors.Join(problems...)
}

// GatedMetadata reads what Llama, Qwen and Gemma have in common.
func GatedMetadata(name string, m *Metadata) Config {
	cfg := DefaultConfig()
	cfg.Name, cfg.Norm, cfg.Activation = name, "rmsnorm", "swiglu"
	cfg.MaxSeqLen, cfg.DModel, cfg.NLayers = m.Size("context_length"), m.Size("embedding_length"), m.Size("block_count")
	cfg.FFNDim, cfg.NHeads = m.Size("feed_forward_length"), m.Size("attention.head_count")
	cfg.NKVHeads = m.Int("attention.head_count_kv", cfg.NHeads)
	cfg.HeadSize = m.Int("attention.key_length", cfg.DModel/max(cfg.NHeads, 1))
	for _, key := range []string{"attention.value_length", "rope.dimension_count"} {
		if n := m.Int(key, cfg.HeadSize); n != cfg.HeadSize {
			m.Badf(key, "only the width of a head, %d, is supported here, got %d", cfg.HeadSize, n)
		}
	}
	cfg.LayerNormEps = m.Float("attention.layer_norm_rms_epsilon", 1e-6)
	m.Vocabulary(&cfg)
	m.rope(&cfg)
	cfg.TieEmbeddings = !m.HasTensor("output.weight")
	cfg.QKVBias, cfg.AttnOutBias, cfg.MLPBias = m.HasTensor("blk.0.attn_q.bias"), m.HasTensor("blk.0.attn_output.bias"), m.HasTensor("blk.0.ffn_up.bias")
	return cfg
}

// Vocabulary sets the number of tokens: the rows of the token embedding.
func (m *Metadata) Vocabulary(cfg *Config) {
	m.Ignore("vocab_size")
	if t, ok := m.find("token_embd.weight"); ok && len(t.Shape) == 2 {
		cfg.VocabSize = t.Shape[0]
		return
	}
	m.problems = append(m.problems, fmt.Errorf("tensor token_embd.weight is missing, or no matrix"))
}

func (m *Metadata) rope(cfg *Config) {
	cfg.RotaryTheta = m.Float("rope.freq_base", 10000)
	cfg.RopeType = m.Text("rope.scaling.type", "default")
	factor := m.Float("rope.scaling.factor", m.Float("rope.scale_linear", 1))
	original := m.Int("rope.scaling.original_context_length", cfg.MaxSeqLen)
	m.Ignore("rope.scaling.finetuned")
	switch cfg.RopeType {
	case "default", "none":
		cfg.RopeType = "default"
		if factor != 1 {
			cfg.RopeType, cfg.RopeFactor = "linear", factor
		}
	case "linear":
		cfg.RopeFactor = factor
	case "yarn":
		cfg.RopeFactor, cfg.RopeOriginalLen = factor, original
		cfg.RopeBetaFast, cfg.RopeBetaSlow = m.Float("rope.scaling.yarn_beta_fast", 32), m.Float("rope.scaling.yarn_beta_slow", 1)
		cfg.RopeAttentionFactor = m.Float("rope.scaling.attn_factor", 0)
		m.yarnNote(cfg)
	default:
		m.Badf("rope.scaling.type", "%q is not supported here, want none, linear or yarn", cfg.RopeType)
	}
	if t, ok := m.find("rope_freqs.weight"); ok {
		m.llama3(cfg, t)
	}
}

// yarnNote turns attn_factor, which llama.cpp multiplies with the usual factor, into
// the whole one.
func (m *Metadata) yarnNote(cfg *Config) {
	if extra := cfg.RopeAttentionFactor; extra != 0 && extra != 1 {
		usual := *cfg
		usual.RopeAttentionFactor = 0
		_, scale := RopeFrequencies(usual)
		cfg.RopeAttentionFactor = extra * float64(scale)
	} else {
		cfg.RopeAttentionFactor = 0
	}
}

// llama3 finds the numbers of Llama 3's rope by what the converter made of them: the
// divisors of the frequencies.
func (m *Metadata) llama3(cfg *Config, t gguf.Tensor) {
	want := cfg.HeadDim() / 2
	if t.Elements() != want || !t.Type.Readable() {
		m.problems = append(m.problems, fmt.Errorf("tensor rope_freqs.weight: want %d numbers, got %d of type %v", want, t.Elements(), t.Type))
		return
	}
	divisors := make([]float32, want)
	if err := gguf.Dequantize(divisors, t.Type, t.Data); err != nil {
		m.problems = append(m.problems, err)
		return
	}
	plain := *cfg
	plain.RopeType = "default"
	base, _ := RopeFrequencies(plain)
	try := *cfg
	try.RopeType, try.RopeFactor, try.RopeLowFreqFactor, try.RopeHighFreqFactor = "llama3", float64(slices.Max(divisors)), 1, 4
	for _, try.RopeOriginalLen = range []int{8192, 4096, 2048, 16384, 32768} {
		scaled, _ := RopeFrequencies(try)
		same := true
		for i, d := range divisors {
			same = same && math.Abs(float64(float32(scaled[i]*d)-base[i])) <= 1e-4*float64(base[i])
		}
		if same {
			*cfg = try
			return
		}
	}
	m.problems = append(m.problems, errors.New("tensor rope_freqs.weight: its divisors are not those of a Llama 3 rope, the only kind that is supported here"))
}

// GatedGGUFWeights are llama.cpp's tensors of Llama, Qwen and Gemma; paired says that
// query and key rows lie pair by pair.
func GatedGGUFWeights(cfg Config, paired bool) []Weight {
	all := []Weight{{Param: "embed.weight", Names: []string{"token_embd.weight"}}, {Param: "norm.weight", Names: []string{"output_norm.weight"}}}
	if !cfg.TieEmbeddings {
		all = append(all, Weight{Param: "head.weight", Names: []string{"output.weight"}})
	}
	d := cfg.HeadDim()
	qkv := []int{cfg.NHeads * d, cfg.KVHeads() * d, cfg.KVHeads() * d}
	var pairs []int
	if paired {
		pairs = []int{cfg.NHeads, cfg.KVHeads()}
	}
	for i := range cfg.NLayers {
		from, to := fmt.Sprintf("blk.%d.", i), fmt.Sprintf("layers.%d.", i)
		add := func(param string, bias bool, rows, pairs []int, names ...string) {
			for _, suffix := range []string{".weight", ".bias"} {
				if suffix == ".bias" && !bias {
					continue
				}
				w := Weight{Param: to + param + suffix, Rows: rows, Pairs: pairs}
				for _, name := range names {
					w.Names = append(w.Names, from+name+suffix)
				}
				all = append(all, w)
			}
		}
		add("norm1", false, nil, nil, "attn_norm")
		add("norm2", false, nil, nil, "ffn_norm")
		if cfg.PostNorms {
			add("post1", false, nil, nil, "post_attention_norm")
			add("post2", false, nil, nil, "post_ffw_norm")
		}
		if cfg.QKNorm {
			add("attn.q_norm", false, nil, nil, "attn_q_norm")
			add("attn.k_norm", false, nil, nil, "attn_k_norm")
		}
		add("attn.qkv", cfg.Bias || cfg.QKVBias, qkv, pairs, "attn_q", "attn_k", "attn_v")
		add("attn.out", cfg.Bias || cfg.AttnOutBias, nil, nil, "attn_output")
		add("mlp.up", cfg.Bias || cfg.MLPBias, []int{cfg.FFN(), cfg.FFN()}, nil, "ffn_gate", "ffn_up")
		add("mlp.down", cfg.Bias || cfg.MLPBias, nil, nil, "ffn_down")
	}
	return all
}
