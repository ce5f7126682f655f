// Package model builds causal language models: the Model interface, the block that
// architectures share, and their registry. Architectures live in model/<name>. A
// model is used by one goroutine at a time; its results are a function of its
// parameters and input alone, whatever the pool, the batch split and the CPU tier.
package model

import (
	"fmt"

	"github.com/aries-serpent/codexml/nn"
	"github.com/aries-serpent/codexml/plugin"
	"github.com/aries-serpent/codexml/tensor"
)

// Model is a causal language model.
type Model interface {
	// Config is the resolved configuration.
	Config() Config
	// Params lists the parameters in a fixed order, each once.
	Params() []*nn.Param
	// Loss writes the cross-entropy in nats of each target of the context's batch; a
	// slot without target gives 0. With gradients, the gradient of coef times their
	// sum is added to the parameters' gradients.
	Loss(c *nn.Context, losses []float32, coef float32, gradients bool)
	// FinishGrads completes the parameters' gradients after a step's last batch.
	FinishGrads(c *nn.Context)
	// Logits computes the logits of every slot of the context's batch, N x V.
	Logits(c *nn.Context, out tensor.Tensor)
	// NewState returns an empty document of at most capacity positions.
	NewState(dtype tensor.DType, capacity int) *State
	// Decode appends tokens to the document and computes the logits after the last, V.
	Decode(c *nn.Context, s *State, tokens []int32, logits []float32)
	// DecodeBatch appends tokens[i] to the document states[i], for all i in one pass,
	// and computes the logits after the last of each, a row of logits, len(states) x V.
	// The bits are those of Decode.
	DecodeBatch(c *nn.Context, states []*State, tokens [][]int32, logits tensor.Tensor)
	// Plan says what a step of batches of rows x seqLen slots takes.
	Plan(rows, seqLen int, dtype tensor.DType) Memory
	// SetRecompute chooses what the backward pass computes again.
	SetRecompute(r Recompute)
}

// Architecture is what a registry entry offers.
type Architecture struct {
	// New builds a model whose parameters have shapes and no storage from a validated
	// configuration, or says which key it cannot honour.
	New func(cfg Config) (Model, error)
	// Export translates a model's weights to a folder that transformers opens.
	Export func(m Model) (*Export, error)
	// HuggingFace says how to read folders of transformers; the zero value: not at all.
	HuggingFace HuggingFace
	// GGUF says how to read files of llama.cpp; the zero value: not at all.
	GGUF GGUF
}

// Export is a model in the terms of Hugging Face transformers.
type Export struct {
	Config  map[string]any // config.json
	Tensors []ExportTensor
}

// ExportTensor is a named weight.
type ExportTensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// Architectures is the registry of model.name.
var Architectures = plugin.New[Architecture]("model.name")

// Resolve applies the preset and checks the configuration. given says which keys
// the user set: they win over the preset.
func Resolve(cfg Config, given func(key string) bool) (Config, error) {
	if cfg.Preset != "" {
		preset, ok := Presets()[cfg.Preset]
		if !ok {
			return cfg, fmt.Errorf("model.preset: want one of %v, got %q", presetNames(), cfg.Preset)
		}
		cfg = overlay(preset, cfg, given)
	}
	return cfg, cfg.Validate()
}

// New builds the model of a resolved configuration with initial weights drawn from
// the seed.
func New(cfg Config, seed uint64) (Model, error) {
	m, err := shaped(cfg)
	if err != nil {
		return nil, err
	}
	for _, p := range m.Params() {
		p.Allocate(true)
	}
	initialise(m, seed)
	return m, nil
}

// shaped builds a model whose parameters have no storage yet.
func shaped(cfg Config) (Model, error) {
	arch, err := Architectures.Get(cfg.Name)
	if err != nil {
		return nil, err
	}
	if cfg.VocabSize == 0 {
		return nil, fmt.Errorf("model.vocab_size: not set, and no tokenizer gave one")
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return arch.New(cfg)
}

// NumParams counts a model's parameters.
func NumParams(m Model) int {
	n := 0
	for _, p := range m.Params() {
		n += p.Len()
	}
	return n
}
