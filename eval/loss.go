package eval

import (
	"context"
	"math"

	"github.com/aries-serpent/codexml/data"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/nn"
)

// Loss is what a model loses on a text.
type Loss struct {
	NLL    float64 `json:"nll"` // summed negative log-likelihood, nats
	Tokens int64   `json:"tokens"`
	Bytes  int64   `json:"bytes"`
}

// Mean is the loss per token in nats.
func (l Loss) Mean() float64 { return l.NLL / float64(l.Tokens) }

// Perplexity is exp of the mean; 0 without tokens.
func (l Loss) Perplexity() float64 {
	p, err := Perplexity(l.NLL, l.Tokens)
	if err != nil {
		return 0
	}
	return p
}

// BitsPerByte is the loss per byte in bits; 0 without bytes.
func (l Loss) BitsPerByte() float64 {
	b, err := BitsPerByte(l.NLL, l.Bytes)
	if err != nil {
		return 0
	}
	return b
}

// LossOf scores every token of an evaluation once, in order; losses are summed in
// float64 by token, so batches do not reach the result. show is called after each
// batch, if not nil. It ends early, with the context's error, when ctx does.
func LossOf(ctx context.Context, m model.Model, c *nn.Context, e *data.Evaluation, show func(done, total int)) (Loss, error) {
	var batch data.Batch
	var input nn.Batch
	var losses []float32
	total := Loss{Tokens: e.Tokens(), Bytes: e.Bytes()}
	c.Train = false
	for i := range e.Batches() {
		if ctx.Err() != nil {
			return Loss{}, ctx.Err()
		}
		e.Fill(&batch, i)
		input = Input(input, &batch)
		if n := input.Slots(); len(losses) < n {
			losses = make([]float32, n)
		}
		c.SetBatch(&input)
		m.Loss(c, losses[:input.Slots()], 0, false)
		for _, l := range losses[:input.Slots()] {
			total.NLL += float64(l)
		}
		if show != nil {
			show(i+1, e.Batches())
		}
	}
	if math.IsNaN(total.NLL) || math.IsInf(total.NLL, 0) {
		return total, &MetricError{"loss", "the loss on the evaluation data is not finite"}
	}
	return total, nil
}

// Input shows a batch of data to the layers, reusing b's segments.
func Input(b nn.Batch, from *data.Batch) nn.Batch {
	segments := b.Segments[:0]
	for _, s := range from.Segments {
		segments = append(segments, nn.Segment{Start: s.Start, Len: s.Len})
	}
	return nn.Batch{Rows: from.Rows, SeqLen: from.SeqLen, Tokens: from.Tokens, Targets: from.Targets, Segments: segments, Samples: from.Samples}
}
