// Package generate continues token sequences: one pass over the prompt, then token
// by token with a key-value cache. It knows token ids only. A text is a function of
// model, prompt and sampling alone: not of threads, of the CPU tier, or of how the
// prompt was cut.
package generate

import (
	"context"
	"fmt"
	"slices"

	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/nn"
)

// Options bounds a generation.
type Options struct {
	Sampling     Sampling
	MaxNewTokens int
	Stop         []int32 // ids that end the text; they are not part of it
}

// Reason says why a generation ended.
type Reason string

const (
	StopToken   Reason = "stop"      // a stop token was drawn
	MaxTokens   Reason = "length"    // MaxNewTokens were generated
	ContextFull Reason = "context"   // the model has no further position
	Cancelled   Reason = "cancelled" // the context.Context ended
)

// Generate continues prompt and calls emit (or not, if nil) with every new token as
// it comes; an error of emit ends it.
func Generate(ctx context.Context, m model.Model, c *nn.Context, prompt []int32, o Options, emit func(id int32) error) ([]int32, Reason, error) {
	most := m.Config().MaxSeqLen
	if len(prompt) == 0 {
		return nil, "", fmt.Errorf("prompt: it has no tokens: give at least one")
	}
	if len(prompt) > most {
		return nil, "", fmt.Errorf("prompt: %d tokens do not fit the model's %d positions: shorten it", len(prompt), most)
	}
	if err := o.Sampling.Validate(); err != nil {
		return nil, "", err
	}
	state := m.NewState(c.DType, min(most, len(prompt)+o.MaxNewTokens))
	logits := make([]float32, m.Config().VocabSize)
	sampler := Sampler{Sampling: o.Sampling}
	var out []int32
	for next := prompt; ; {
		if len(out) == o.MaxNewTokens {
			return out, MaxTokens, nil
		}
		if state.Len() == most {
			return out, ContextFull, nil
		}
		if ctx.Err() != nil {
			return out, Cancelled, nil
		}
		m.Decode(c, state, next, logits)
		id := sampler.Next(logits, state.Len())
		if slices.Contains(o.Stop, id) {
			return out, StopToken, nil
		}
		out = append(out, id)
		next = out[len(out)-1:]
		if emit != nil {
			if err := emit(id); err != nil {
				return out, "", err
			}
		}
	}
}
