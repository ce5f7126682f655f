package model

import (
	"strings"

	"github.com/aries-serpent/codexml/tensor"
)

// Footprint is the memory that uses of a model take, in bytes.
type Footprint struct {
	Inference int `json:"inference"` // weights as LoadOptions.Keep holds them, keys and values of Positions
	Full      int `json:"full_fine_tuning"`
	LoRA      int `json:"lora"`
	QLoRA     int `json:"lora_4bit"` // the frozen matrices in 4 bits
	Positions int `json:"positions"` // a document's length; training is one row of so many
}

const (
	adamBytes   = 4 + 4 + 4 + 4 // of a trained element: weight, gradient, two moments
	fourBits    = 18            // bytes of a block of 32, Q4_0
	fourBitSize = 32
)

// Footprint estimates the memory of one document of at most positions tokens, with
// AdamW in float32, blocks computed again where that is cheap, and adapters of the
// given rank at every matrix of the blocks.
func (p *Pretrained) Footprint(positions, rank int) Footprint {
	m, err := shaped(p.Config)
	if err != nil {
		panic("model: Pretrained.Footprint: " + err.Error()) // Open built it before
	}
	positions = min(positions, p.Config.MaxSeqLen)
	var all, adapters, matrices int
	for _, x := range m.Params() {
		all += x.Len()
		if len(x.Shape) == 2 && strings.HasPrefix(x.Name, "layers.") {
			adapters += rank * (x.Shape[0] + x.Shape[1])
			matrices += x.Len()
		}
	}
	m.SetRecompute(RecomputeCheap)
	plan := m.Plan(1, positions, tensor.F32)
	work := plan.Activations + plan.Temporaries + plan.Head
	cache := 2 * 4 * p.Config.NLayers * p.Config.KVHeads() * p.Config.HeadDim() * positions
	return Footprint{
		Inference: p.kept(m) + cache,
		Full:      adamBytes*all + work,
		LoRA:      4*all + adamBytes*adapters + work,
		QLoRA:     4*(all-matrices) + matrices/fourBitSize*fourBits + adamBytes*adapters + work,
		Positions: positions,
	}
}

// kept is what the weights take that LoadOptions.Keep leaves as they are, and the
// others in float32.
func (p *Pretrained) kept(m Model) (bytes int) {
	for all := parts(m, p.weights); len(all) > 0; {
		n := 1
		for n < len(all) && all[n].param == all[0].param {
			n++
		}
		if _, ok := p.blocks(all[:n]); !ok {
			bytes += 4 * all[0].param.Len()
		} else {
			for _, x := range all[:n] {
				t, _ := p.Source.Find(x.name)
				bytes += int(t.Bytes)
			}
		}
		all = all[n:]
	}
	return bytes
}
