// Package decoder is the configurable decoder-only architecture: rotary or learned
// positions, LayerNorm or RMSNorm, plain or gated activations, grouped heads,
// normalised queries and keys, tied or untied head, over model's shared blocks. It
// registers the name decoder.
package decoder

import (
	"github.com/aries-serpent/codexml/model"
)

func init() {
	model.Architectures.MustRegister("decoder", model.Architecture{New: New, Export: Export}, "std")
}

// New builds a decoder; every valid configuration is one.
func New(cfg model.Config) (model.Model, error) { return model.NewTransformer(cfg), nil }
