// Package generate continues token sequences: one pass over the prompt, then token
// by token with a key-value cache, several texts side by side. It knows token ids
// only. A text is a function of model, prompt and sampling alone: not of threads, of
// the CPU tier, of what else is generated beside it, or of how the prompt was cut.
//
// The commands generate, chat and score call it. A call belongs to one goroutine,
// which spreads the work over the nn.Context's pool.
package generate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/nn"
	"github.com/aries-serpent/codexml/tensor"
)

// Options bounds a generation.
type Options struct {
	Sampling     Sampling
	MaxNewTokens int
	Stop         []int32 // ids that end the text; they are not part of it
	// LogProbs asks for the log-probability of every new token and for that many of
	// the likeliest others at its place; negative: for none at all.
	LogProbs int
}

// Request is a prompt to continue.
type Request struct {
	Prompt []int32
	Options
	// Emit, if not nil, is called with every new token as it comes. ErrStop ends the
	// text with it; another error ends everything.
	Emit func(t Token) error
}

// Token is a generated token.
type Token struct {
	ID int32
	// LogProb is the natural logarithm of the probability that the model gives it,
	// before temperature, penalties and cuts. Only where Options asks for it.
	LogProb float32
	Top     []Candidate // the likeliest at its place, likeliest first
}

// Result is a continued prompt.
type Result struct {
	IDs    []int32
	Tokens []Token // with log-probabilities where they were asked for
	Reason Reason
}

// ErrStop is what Request.Emit returns to end a text.
var ErrStop = errors.New("the text ends here")

// Reason says why a generation ended.
type Reason string

const (
	StopToken   Reason = "stop"      // a stop token was drawn, or Emit said so
	MaxTokens   Reason = "length"    // MaxNewTokens were generated
	ContextFull Reason = "context"   // the model has no further position
	Cancelled   Reason = "cancelled" // the context.Context ended
)

// chunk is the number of prompt tokens of a pass: it bounds the memory of a long
// prompt and changes no bit.
const chunk = 512

// Generate continues one prompt and calls emit (or not, if nil) with every new token
// as it comes; an error of emit ends it.
func Generate(ctx context.Context, m model.Model, c *nn.Context, prompt []int32, o Options, emit func(id int32) error) ([]int32, Reason, error) {
	o.LogProbs = -1
	r := Request{Prompt: prompt, Options: o}
	if emit != nil {
		r.Emit = func(t Token) error { return emit(t.ID) }
	}
	results, err := Batch(ctx, m, c, []Request{r})
	return results[0].IDs, results[0].Reason, err
}

// Batch continues several prompts at once. Every text is the one that it would be
// alone. After an error, or when ctx ends, the results hold what there is.
func Batch(ctx context.Context, m model.Model, c *nn.Context, requests []Request) ([]Result, error) {
	results := make([]Result, len(requests))
	if err := check(m.Config(), requests); err != nil {
		return results, err
	}
	b := &batch{m: m, c: c, logits: tensor.FromF32(make([]float32, len(requests)*m.Config().VocabSize), len(requests), m.Config().VocabSize)}
	for i := range requests {
		b.texts = append(b.texts, newText(m, c, &requests[i], &results[i]))
	}
	return results, b.run(ctx)
}

// ErrTooLong is wrapped where a prompt does not fit the model's positions.
var ErrTooLong = errors.New("the prompt is longer than the model's context")

func check(cfg model.Config, requests []Request) error {
	for i, r := range requests {
		name := "prompt"
		if len(requests) > 1 {
			name = fmt.Sprintf("prompt %d", i+1)
		}
		if len(r.Prompt) == 0 {
			return fmt.Errorf("%s: it has no tokens: give at least one", name)
		}
		if len(r.Prompt) > cfg.MaxSeqLen {
			return fmt.Errorf("%s: %w: %d tokens do not fit %d positions: shorten it, or keep its end only (--truncate)", name, ErrTooLong, len(r.Prompt), cfg.MaxSeqLen)
		}
		for _, id := range r.Prompt {
			if id < 0 || int(id) >= cfg.VocabSize {
				return fmt.Errorf("%s: id %d is not one of the model's %d tokens", name, id, cfg.VocabSize)
			}
		}
		if err := r.Sampling.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// batch is a call of Batch under way.
type batch struct {
	m      model.Model
	c      *nn.Context
	logits tensor.Tensor
	texts  []*text // those that are not finished

	states []*model.State
	next   [][]int32
}

// text is one of its texts.
type text struct {
	*Request
	*Result
	sampler Sampler
	state   *model.State
	most    int     // positions
	next    []int32 // what the model has not seen yet
}

func newText(m model.Model, c *nn.Context, r *Request, out *Result) *text {
	most := m.Config().MaxSeqLen
	return &text{
		Request: r, Result: out, sampler: Sampler{Sampling: r.Sampling, seen: slices.Clone(r.Prompt), prompt: len(r.Prompt)}, most: most,
		state: m.NewState(c.DType, min(most, len(r.Prompt)+r.MaxNewTokens)), next: r.Prompt,
	}
}

func (b *batch) run(ctx context.Context) error {
	for {
		b.texts = slices.DeleteFunc(b.texts, (*text).finished)
		if len(b.texts) == 0 {
			return nil
		}
		if ctx.Err() != nil {
			for _, t := range b.texts {
				t.Reason = Cancelled
			}
			return nil
		}
		b.decode()
		for i, t := range b.texts {
			if len(t.next) > 0 {
				continue // in the middle of its prompt
			}
			if err := t.take(b.logits.F32[i*b.logits.Cols : (i+1)*b.logits.Cols]); err != nil {
				return err
			}
		}
	}
}

// decode takes the next tokens of all texts through the model: of a prompt, as many
// as there is room for in a pass.
func (b *batch) decode() {
	b.states, b.next = b.states[:0], b.next[:0]
	room := chunk
	for _, t := range b.texts {
		n := max(1, min(len(t.next), room))
		room -= n
		b.states, b.next = append(b.states, t.state), append(b.next, t.next[:n])
		t.next = t.next[n:]
	}
	b.m.DecodeBatch(b.c, b.states, b.next, b.logits.Slice(0, len(b.texts)))
}

// finished says whether the text has ended, and why.
func (t *text) finished() bool {
	switch {
	case t.Reason != "":
	case len(t.IDs) >= t.MaxNewTokens:
		t.Reason = MaxTokens
	case len(t.IDs) > 0 && t.state.Len() == t.most:
		t.Reason = ContextFull
	}
	return t.Reason != ""
}

// take draws the next token.
func (t *text) take(logits []float32) error {
	token := Token{}
	var norm float64
	if t.LogProbs >= 0 {
		norm = LogSumExp(logits)
		token.Top = Likeliest(logits, t.LogProbs)
	}
	raw := logits
	if t.Sampling.edits() && t.LogProbs >= 0 {
		raw = slices.Clone(logits)
	}
	token.ID = t.sampler.Next(logits, t.state.Len())
	if slices.Contains(t.Stop, token.ID) {
		t.Reason = StopToken
		return nil
	}
	if t.LogProbs >= 0 {
		token.LogProb = float32(float64(raw[token.ID]) - norm)
	}
	t.IDs, t.Tokens = append(t.IDs, token.ID), append(t.Tokens, token)
	t.next = t.IDs[len(t.IDs)-1:]
	if t.Emit == nil {
		return nil
	}
	err := t.Emit(token)
	if errors.Is(err, ErrStop) {
		t.Reason = StopToken
		return nil
	}
	return err
}
