package model

import (
	"math"
	"strings"

	"github.com/aries-serpent/codexml/internal/rng"
	"github.com/aries-serpent/codexml/nn"
)

// initialise draws the initial weights: normal(0, init_std), or by fan-in where
// init_std is 0; gains 1, biases 0. Every parameter has its own stream, so a
// change of one leaves the others as they are.
func initialise(m Model, seed uint64) {
	cfg := m.Config()
	for i, p := range m.Params() {
		output := strings.HasSuffix(p.Name, ".out.weight") || strings.HasSuffix(p.Name, ".down.weight")
		switch {
		case p.Group == nn.GroupVector && strings.HasSuffix(p.Name, "bias"):
			clear(p.Data)
		case p.Group == nn.GroupVector:
			for j := range p.Data {
				p.Data[j] = 1
			}
		case cfg.ZeroInitOutput && (output || p.Group == nn.GroupHead):
			clear(p.Data)
		default:
			std := initStd(cfg, p, output)
			key := rng.Key{Seed: seed, Stream: rng.StreamInit + uint64(i)}
			rng.Normals(p.Data, key, 0)
			for j := range p.Data {
				p.Data[j] *= std
			}
		}
	}
}

// initStd is the standard deviation of a weight. gpt2 scales its output projections
// by 1/sqrt(2 layers), as the GPT-2 report says.
func initStd(cfg Config, p *nn.Param, output bool) float32 {
	std := cfg.InitStd
	if std == 0 {
		if p.Group == nn.GroupEmbedding {
			std = 1
		} else {
			std = 1 / math.Sqrt(float64(p.Shape[1]))
		}
	}
	if cfg.Name == "gpt2" && output {
		std /= math.Sqrt(float64(2 * cfg.NLayers))
	}
	return float32(std)
}
