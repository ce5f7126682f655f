package model

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"

	"github.com/aries-serpent/codexml/format/gguf"
)

// Description are the metadata of a GGUF file under the name of its architecture:
// values as gguf.KeyValue takes them.
type Description map[string]any

// DescribeGated is the reverse of GatedMetadata.
func DescribeGated(cfg Config) Description {
	d := Description{
		"context_length": uint32(cfg.MaxSeqLen), "embedding_length": uint32(cfg.DModel), "block_count": uint32(cfg.NLayers), "feed_forward_length": uint32(cfg.FFN()),
		"attention.head_count": uint32(cfg.NHeads), "attention.head_count_kv": uint32(cfg.KVHeads()), "attention.layer_norm_rms_epsilon": float32(cfg.LayerNormEps),
		"attention.key_length": uint32(cfg.HeadDim()), "attention.value_length": uint32(cfg.HeadDim()), "rope.dimension_count": uint32(cfg.HeadDim()),
		"rope.freq_base": float32(cfg.RotaryTheta), "vocab_size": uint32(cfg.VocabSize),
	}
	if cfg.SlidingWindow > 0 {
		d["attention.sliding_window"] = uint32(cfg.SlidingWindow)
	}
	switch cfg.RopeType {
	case "linear":
		d["rope.scaling.type"], d["rope.scaling.factor"] = "linear", float32(cfg.RopeFactor)
	case "yarn":
		d["rope.scaling.type"], d["rope.scaling.factor"], d["rope.scaling.original_context_length"] = "yarn", float32(cfg.RopeFactor), uint32(cfg.RopeOriginalLen)
		d["rope.scaling.yarn_beta_fast"], d["rope.scaling.yarn_beta_slow"] = float32(cfg.RopeBetaFast), float32(cfg.RopeBetaSlow)
		if cfg.RopeAttentionFactor > 0 { // llama.cpp multiplies it with the usual one
			usual := cfg
			usual.RopeAttentionFactor = 0
			_, scale := RopeFrequencies(usual)
			d["rope.scaling.attn_factor"] = float32(cfg.RopeAttentionFactor / float64(scale))
		}
	}
	return d
}

// ExportGGUF describes a model as llama.cpp has it: the metadata under its
// architecture, general.architecture first, then sorted by key, and the tensors, as
// float32. What a file of that architecture cannot say is an error that names it.
// The tensors may share memory with the model's parameters.
func ExportGGUF(m Model) ([]gguf.KeyValue, []ExportTensor, error) {
	cfg := m.Config()
	arch, err := Architectures.Get(cfg.Name)
	if err != nil {
		return nil, nil, err
	}
	g := arch.GGUF
	if g.Name == "" {
		return nil, nil, fmt.Errorf("model.name %s: llama.cpp has no such architecture: it stays a folder", cfg.Name)
	}
	entries := []gguf.KeyValue{{Key: "general.architecture", Value: g.Name}}
	d := g.Describe(cfg)
	for _, key := range slices.Sorted(maps.Keys(d)) {
		entries = append(entries, gguf.KeyValue{Key: g.Name + "." + key, Value: d[key]})
	}
	list := ExportWeights(m, g.Weights(cfg))
	if cfg.RopeType == "llama3" {
		list = append(list, ropeDivisors(cfg))
	}
	return entries, list, sayable(cfg, g.Name, entries, list)
}

// ropeDivisors say Llama 3's rope: by what each frequency is divided.
func ropeDivisors(cfg Config) ExportTensor {
	plain := cfg
	plain.RopeType = "default"
	base, _ := RopeFrequencies(plain)
	scaled, _ := RopeFrequencies(cfg)
	divisors := make([]float32, len(base))
	for i := range divisors {
		x := float64(base[i]) / float64(scaled[i])
		for _, exact := range []float64{1, cfg.RopeFactor} { // the ends, but for rounding
			if math.Abs(x-exact) <= 1e-6*exact {
				x = exact
			}
		}
		divisors[i] = float32(x)
	}
	return ExportTensor{"rope_freqs.weight", []int{len(divisors)}, divisors}
}

// sayable reads the description again and compares it with the configuration.
func sayable(cfg Config, name string, entries []gguf.KeyValue, list []ExportTensor) error {
	var file bytes.Buffer
	if _, err := gguf.NewWriter(&file, entries, nil); err != nil {
		return err
	}
	f, err := gguf.Parse(file.Bytes())
	if err != nil {
		return err
	}
	again := &Metadata{file: &f.Metadata, arch: name, seen: map[string]bool{}, find: func(name string) (gguf.Tensor, bool) {
		i := slices.IndexFunc(list, func(t ExportTensor) bool { return t.Name == name })
		if i < 0 {
			return gguf.Tensor{}, false
		}
		t := gguf.Tensor{Name: name, Shape: list[i].Shape, Type: gguf.F32}
		if len(t.Shape) == 1 {
			t.Data, _ = binary.Append(nil, binary.LittleEndian, list[i].Data) // floats are of a known size
		}
		return t, true
	}}
	var got Config
	for _, e := range Architectures.List() {
		if g := e.Value.GGUF; g.Name == name && g.Config != nil {
			got = g.Config(again)
		}
	}
	if err := errors.Join(differences(plainly(cfg), plainly(got))...); err != nil {
		return err
	}
	if err := again.finish(); err != nil {
		return fmt.Errorf("as GGUF: %w", err)
	}
	return nil
}

// plainly gives a configuration in one of the ways to say the same.
func plainly(cfg Config) Config {
	cfg.HeadSize, cfg.NKVHeads, cfg.FFNDim = cfg.HeadDim(), cfg.KVHeads(), cfg.FFN()
	pattern := make([]byte, cfg.NLayers)
	for i := range pattern {
		pattern[i] = 'g'
		if cfg.Sliding(i) {
			pattern[i] = 's'
		}
	}
	cfg.LayerPattern = string(pattern)
	if !slices.Contains(pattern, 's') {
		cfg.SlidingWindow, cfg.LocalRotaryTheta = 0, 0
	} else if cfg.LocalRotaryTheta == 0 && cfg.RopeType == "default" {
		cfg.LocalRotaryTheta = cfg.RotaryTheta
	}
	if cfg.AttnScale == 0 {
		cfg.AttnScale = 1 / math.Sqrt(float64(cfg.HeadDim()))
	}
	if cfg.RopeType == "yarn" && cfg.RopeAttentionFactor == 0 {
		_, scale := RopeFrequencies(cfg)
		cfg.RopeAttentionFactor = float64(scale)
	}
	cfg.Name, cfg.Preset, cfg.Path = "", "", "" // Mistral is a Llama there
	cfg.FFNMult, cfg.Dropout, cfg.InitStd, cfg.ZeroInitOutput = 0, 0, 0, false
	return cfg
}

// differences names the keys in which two configurations differ, numbers by more
// than float32 rounds them.
func differences(want, got Config) (problems []error) {
	a, b := reflect.ValueOf(want), reflect.ValueOf(got)
	for i := range a.NumField() {
		x, y := a.Field(i), b.Field(i)
		if x.Equal(y) || x.CanFloat() && math.Abs(x.Float()-y.Float()) <= 1e-6*math.Abs(x.Float()) {
			continue
		}
		problems = append(problems, fmt.Errorf("model.%s: a GGUF file cannot say %v (llama.cpp would take %v): the model stays a folder", a.Type().Field(i).Tag.Get("yaml"), x, y))
	}
	return problems
}
