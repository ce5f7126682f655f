package generate

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/internal/rng"
)

// Sampling says how a token is drawn from logits, in the order and with the meaning
// that transformers has: Bias is added; tokens seen before are penalised; banned ones
// leave; then the logits are divided by the temperature, cut to the top-k, the top-p,
// the min-p, and one is drawn.
type Sampling struct {
	Temperature float64 // 0 takes the likeliest token
	TopK        int     // 0 is off
	TopP        float64 // 1 is off; the likeliest token is always kept
	MinP        float64 // least probability in units of the likeliest token's; 0 is off
	// RepetitionPenalty divides the positive logits of tokens of prompt and text, and
	// multiplies the negative ones (arXiv 1909.05858); 1 and 0 are off.
	RepetitionPenalty float64
	// PresencePenalty is taken off the logits of tokens that the text has, and
	// FrequencyPenalty once for each time that it has them; prompts do not count.
	PresencePenalty, FrequencyPenalty float64
	Bias                              []Bias
	Banned                            []int32
	Seed                              uint64
}

// Bias is added to the logit of a token.
type Bias struct {
	ID    int32
	Value float32
}

// Validate reports every value that is out of range.
func (s Sampling) Validate() error {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if !(s.Temperature >= 0 && s.Temperature <= 100) {
		bad("temperature: want 0 (greedy) to 100, got %v", s.Temperature)
	}
	if s.TopK < 0 {
		bad("top-k: want 0 (off) or above, got %d", s.TopK)
	}
	if !(s.TopP > 0 && s.TopP <= 1) {
		bad("top-p: want above 0 and at most 1, got %v", s.TopP)
	}
	if !(s.MinP >= 0 && s.MinP <= 1) {
		bad("min-p: want 0 (off) to 1, got %v", s.MinP)
	}
	if !(s.RepetitionPenalty >= 0 && s.RepetitionPenalty <= 100) {
		bad("repetition-penalty: want above 0 (1 is off) to 100, got %v", s.RepetitionPenalty)
	}
	for name, x := range map[string]float64{"presence-penalty": s.PresencePenalty, "frequency-penalty": s.FrequencyPenalty} {
		if !(x >= -100 && x <= 100) {
			bad("%s: want -100 to 100, got %v", name, x)
		}
	}
	slices.SortFunc(problems, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return errors.Join(problems...)
}

// edits says whether logits are changed before they are used.
func (s Sampling) edits() bool {
	return len(s.Bias)+len(s.Banned) > 0 || s.repeats() || s.PresencePenalty != 0 || s.FrequencyPenalty != 0
}

func (s Sampling) repeats() bool { return s.RepetitionPenalty != 0 && s.RepetitionPenalty != 1 }

// Sampler draws tokens. The draw for a position is a function of (seed, position,
// logits, tokens before), so a text does not depend on what else is generated beside
// it. It is not safe for concurrent use.
type Sampler struct {
	Sampling
	seen   []int32 // prompt and text
	prompt int     // tokens of the prompt in seen
	ids    []int32
	probs  []float32
	counts []int32
}

// Next returns the token for a position. It changes logits where the sampling says so.
func (s *Sampler) Next(logits []float32, position int) int32 {
	if s.edits() {
		s.edit(logits)
	}
	id := s.pick(logits, position)
	s.seen = append(s.seen, id)
	return id
}

func (s *Sampler) pick(logits []float32, position int) int32 {
	if s.Temperature == 0 {
		return argmax(logits)
	}
	s.candidates(logits)
	key := rng.Key{Seed: s.Seed, Stream: rng.StreamSample}
	return s.draw(rng.Float64(key, uint64(position)))
}

// edit applies bias, penalties and bans.
func (s *Sampler) edit(logits []float32) {
	for _, b := range s.Bias {
		if int(b.ID) < len(logits) {
			logits[b.ID] += b.Value
		}
	}
	if len(s.counts) != len(logits) {
		s.counts = make([]int32, len(logits))
	}
	if s.repeats() {
		for _, id := range s.seen {
			if s.counts[id]++; s.counts[id] > 1 {
				continue
			}
			if logits[id] > 0 {
				logits[id] /= float32(s.RepetitionPenalty)
			} else {
				logits[id] *= float32(s.RepetitionPenalty)
			}
		}
		s.forget(s.seen)
	}
	text := s.seen[s.prompt:]
	for _, id := range text {
		s.counts[id]++
	}
	for _, id := range text {
		if n := s.counts[id]; n > 0 {
			logits[id] -= float32(s.PresencePenalty) + float32(float32(n)*float32(s.FrequencyPenalty))
			s.counts[id] = 0
		}
	}
	for _, id := range s.Banned {
		if int(id) < len(logits) {
			logits[id] = float32(math.Inf(-1))
		}
	}
}

func (s *Sampler) forget(ids []int32) {
	for _, id := range ids {
		s.counts[id] = 0
	}
}

func argmax(logits []float32) int32 {
	best := 0
	for i, x := range logits {
		if x > logits[best] {
			best = i
		}
	}
	return int32(best)
}

// byLogit orders ids, likeliest first, ties by id.
func byLogit(logits []float32) func(a, b int32) int {
	return func(a, b int32) int {
		if c := cmp.Compare(logits[b], logits[a]); c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	}
}

// candidates fills ids and probs (unnormalised), likeliest first, ties by id: all
// tokens, or the top-k.
func (s *Sampler) candidates(logits []float32) {
	if cap(s.ids) < len(logits) {
		s.ids, s.probs = make([]int32, len(logits)), make([]float32, len(logits))
	}
	s.ids = s.ids[:len(logits)]
	for i := range s.ids {
		s.ids[i] = int32(i)
	}
	if s.TopK > 0 && s.TopK < len(s.ids) {
		s.ids = top(s.ids, logits, s.TopK)
	}
	slices.SortFunc(s.ids, byLogit(logits))
	s.probs = s.probs[:len(s.ids)]
	for i, id := range s.ids {
		s.probs[i] = (logits[id] - logits[s.ids[0]]) / float32(s.Temperature)
	}
	kernel.Exp(s.probs, s.probs)
}

// top returns the k first ids in the order of byLogit, in no order: a heap of those
// kept, the least likely at its root.
func top(ids []int32, logits []float32, k int) []int32 {
	less := byLogit(logits)
	heap := ids[:k]
	down := func(i int) {
		for {
			worst := i
			for c := 2*i + 1; c <= 2*i+2 && c < k; c++ {
				if less(heap[c], heap[worst]) > 0 {
					worst = c
				}
			}
			if worst == i {
				return
			}
			heap[i], heap[worst] = heap[worst], heap[i]
			i = worst
		}
	}
	for i := k/2 - 1; i >= 0; i-- {
		down(i)
	}
	for _, id := range ids[k:] {
		if less(id, heap[0]) < 0 {
			heap[0] = id
			down(0)
		}
	}
	return heap
}

// draw picks by u in [0, 1) among the candidates that top-p and min-p leave.
func (s *Sampler) draw(u float64) int32 {
	kept := s.probs
	total := sum(kept)
	if s.TopP < 1 {
		reached, n := 0.0, 0
		for n < len(kept) && (n == 0 || reached < s.TopP*total) {
			reached += float64(kept[n])
			n++
		}
		kept = kept[:n]
	}
	for s.MinP > 0 && len(kept) > 1 && float64(kept[len(kept)-1]) < s.MinP {
		kept = kept[:len(kept)-1]
	}
	total = sum(kept)
	at, reached := u*total, 0.0
	for i, p := range kept {
		if reached += float64(p); at < reached {
			return s.ids[i]
		}
	}
	return s.ids[len(kept)-1]
}

func sum(x []float32) float64 {
	total := 0.0
	for _, v := range x {
		total += float64(v)
	}
	return total
}
