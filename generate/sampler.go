package generate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/internal/rng"
)

// Sampling says how a token is drawn from logits: divided by the temperature, cut
// to the top-k, then to the top-p, then drawn.
type Sampling struct {
	Temperature float64 // 0 takes the likeliest token
	TopK        int     // 0 is off
	TopP        float64 // 1 is off; the likeliest token is always kept
	Seed        uint64
}

// Validate reports every value that is out of range.
func (s Sampling) Validate() error {
	var problems []error
	if !(s.Temperature >= 0 && s.Temperature <= 100) {
		problems = append(problems, fmt.Errorf("temperature: want 0 (greedy) to 100, got %v", s.Temperature))
	}
	if s.TopK < 0 {
		problems = append(problems, fmt.Errorf("top-k: want 0 (off) or above, got %d", s.TopK))
	}
	if !(s.TopP > 0 && s.TopP <= 1) {
		problems = append(problems, fmt.Errorf("top-p: want above 0 and at most 1, got %v", s.TopP))
	}
	return errors.Join(problems...)
}

// Sampler draws tokens. The draw for a position is a function of (seed, position,
// logits), so a text does not depend on what else is generated beside it. It is
// not safe for concurrent use.
type Sampler struct {
	Sampling
	ids   []int32
	probs []float32
}

// Next returns the token for a position.
func (s *Sampler) Next(logits []float32, position int) int32 {
	if s.Temperature == 0 {
		return argmax(logits)
	}
	s.candidates(logits)
	key := rng.Key{Seed: s.Seed, Stream: rng.StreamSample}
	return s.draw(rng.Float64(key, uint64(position)))
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

// candidates fills ids and probs (unnormalised), likeliest first, ties by id.
func (s *Sampler) candidates(logits []float32) {
	if len(s.ids) != len(logits) {
		s.ids, s.probs = make([]int32, len(logits)), make([]float32, len(logits))
	}
	s.ids, s.probs = s.ids[:len(logits)], s.probs[:len(logits)]
	for i := range s.ids {
		s.ids[i] = int32(i)
	}
	slices.SortFunc(s.ids, func(a, b int32) int {
		if c := cmp.Compare(logits[b], logits[a]); c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
	for i, id := range s.ids {
		s.probs[i] = (logits[id] - logits[s.ids[0]]) / float32(s.Temperature)
	}
	kernel.Exp(s.probs, s.probs)
}

// draw picks by u in [0, 1) among the candidates that top-k and top-p leave.
func (s *Sampler) draw(u float64) int32 {
	kept := s.probs
	if s.TopK > 0 && s.TopK < len(kept) {
		kept = kept[:s.TopK]
	}
	total := sum(kept)
	if s.TopP < 1 {
		reached, n := 0.0, 0
		for n < len(kept) && (n == 0 || reached < s.TopP*total) {
			reached += float64(kept[n])
			n++
		}
		kept = kept[:n]
		total = sum(kept)
	}
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
