package generate

import (
	"context"
	"fmt"
	"slices"

	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/nn"
)

// Candidate is a token with the natural logarithm of its probability.
type Candidate struct {
	ID      int32   `json:"id"`
	LogProb float32 `json:"logprob"`
}

// LogSumExp is log(sum(exp(logits))), the sum in float64.
func LogSumExp(logits []float32) float64 {
	most := kernel.Max(logits)
	buf := make([]float32, len(logits))
	for i, x := range logits {
		buf[i] = x - most
	}
	kernel.Exp(buf, buf)
	return kernel.Log64(sum(buf)) + float64(most)
}

// Likeliest lists the n likeliest tokens, ties by id.
func Likeliest(logits []float32, n int) []Candidate {
	n = min(n, len(logits))
	if n == 0 {
		return nil
	}
	ids := make([]int32, len(logits))
	for i := range ids {
		ids[i] = int32(i)
	}
	ids = top(ids, logits, n)
	slices.SortFunc(ids, byLogit(logits))
	norm, out := LogSumExp(logits), make([]Candidate, n)
	for i, id := range ids {
		out[i] = Candidate{id, float32(float64(logits[id]) - norm)}
	}
	return out
}

// LogProbs returns the natural logarithm of the probability of each id after the
// first, given those before it.
func LogProbs(m model.Model, c *nn.Context, ids []int32) ([]float32, error) {
	if err := check(m.Config(), []Request{{Prompt: ids, Options: Options{Sampling: Sampling{TopP: 1}}}}); err != nil {
		return nil, err
	}
	n := len(ids)
	b := &nn.Batch{Rows: 1, SeqLen: n, Tokens: ids, Targets: append(slices.Clone(ids[1:]), -1), Segments: []nn.Segment{{Len: int32(n)}}, Samples: []int64{0}}
	c.Train = false
	c.SetBatch(b)
	losses := make([]float32, n)
	m.Loss(c, losses, 0, false)
	for i := range losses {
		losses[i] = -losses[i]
	}
	return losses[:n-1], nil
}

// Next returns the n likeliest tokens after ids.
func Next(m model.Model, c *nn.Context, ids []int32, n int) ([]Candidate, error) {
	var out []Candidate
	r := Request{Prompt: ids, Options: Options{Sampling: Sampling{TopP: 1}, MaxNewTokens: 1, LogProbs: n}}
	r.Emit = func(t Token) error {
		out = t.Top
		return nil
	}
	_, err := Batch(context.Background(), m, c, []Request{r})
	return out, err
}

// Likelihood is a text's under a model.
type Likelihood struct {
	LogProb float64 // sum over the tokens that count
	Tokens  int     // that count: all but the first
}

// Perplexity is exp of the mean negative logarithm.
func (l Likelihood) Perplexity() float64 {
	return kernel.Exp64(-l.LogProb / float64(max(l.Tokens, 1)))
}

// Rolling is the likelihood of a text of any length: windows of at most window
// tokens that begin stride tokens apart; a token counts once, in the first window
// that has it, so that it has at least window - stride tokens before it, as far as
// there are any. progress, if not nil, is called with the tokens done.
func Rolling(ctx context.Context, m model.Model, c *nn.Context, ids []int32, window, stride int, progress func(done int)) (Likelihood, error) {
	var l Likelihood
	if most := m.Config().MaxSeqLen; window < 2 || window > most {
		return l, fmt.Errorf("context: want 2 to the model's %d positions, got %d", most, window)
	}
	if stride < 1 || stride >= window {
		return l, fmt.Errorf("stride: want 1 to %d, less than the context, got %d", window-1, stride)
	}
	if len(ids) < 2 {
		return l, fmt.Errorf("text: %d tokens leave nothing to predict: give at least two", len(ids))
	}
	for start, done := 0, 1; done < len(ids); start += stride {
		if err := ctx.Err(); err != nil {
			return l, err
		}
		end := min(start+window, len(ids))
		probs, err := LogProbs(m, c, ids[start:end])
		if err != nil {
			return l, err
		}
		for _, p := range probs[done-start-1:] {
			l.LogProb += float64(p)
			l.Tokens++
		}
		if done = end; progress != nil {
			progress(done)
		}
	}
	return l, nil
}
