package spmtrain

import (
	"cmp"
	"context"
	"iter"
	"math"
	"math/bits"
	"slices"

	format "github.com/aries-serpent/codexml/format/sentencepiece"
	"github.com/aries-serpent/codexml/internal/kernel"
)

// Train trains a model on sentences, each of which it is done with when it asks for
// the next.
func Train(ctx context.Context, sentences iter.Seq[[]byte], c Config) (*format.Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	metas, err := metaPieces(&c.Trainer)
	if err != nil {
		return nil, err
	}
	corpus, err := c.load(ctx, sentences, metas)
	if err != nil {
		return nil, err
	}
	var learned []piece
	if c.Trainer.ModelType == format.BPE {
		learned, err = c.trainBPE(ctx, corpus, int(c.Trainer.VocabSize)-len(metas))
	} else {
		learned, err = c.trainUnigram(ctx, corpus, int(c.Trainer.VocabSize)-len(metas))
	}
	if err != nil {
		return nil, err
	}
	return c.assemble(metas, learned)
}

// keepFactor is how many more pieces than wanted the last pruning leaves: the required
// characters among them are free to choose from the rest.
const keepFactor = 1.1

// trainUnigram starts with many pieces and, in turn, fits their probabilities
// (EM) and drops those that the likelihood misses least.
func (c *Config) trainUnigram(ctx context.Context, corpus *corpus, want int) ([]piece, error) {
	seeds := c.seeds(corpus)
	logarithms(seeds)
	c.Progress("seed", len(seeds))
	m := newModel(seeds)
	desired := int(float64(c.Trainer.VocabSize) * keepFactor)
	for {
		for range c.Trainer.NumSubIterations {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			m.maximise(c.expectation(m, corpus))
			c.Progress("fit", m.alive)
		}
		before := m.alive
		m = newModel(c.prune(m, corpus, desired))
		c.Progress("prune", m.alive)
		if m.alive <= desired || m.alive == before {
			break
		}
	}
	return finalize(m, corpus.required, want), nil
}

// countUnit is the largest power of two, at most 2^40, in whose inverse expected
// counts fit an int64.
func countUnit(corpus *corpus) float64 {
	total := uint64(1)
	for i, text := range corpus.texts {
		total += uint64(len(text)) * uint64(corpus.counts[i])
	}
	return math.Ldexp(1, min(40, 62-bits.Len64(total)))
}

// textsAtATime is how many texts a goroutine takes.
const textsAtATime = 256

// eachText calls the functions that newWorker makes with texts and their numbers.
func (c *Config) eachText(m *model, corpus *corpus, newWorker func(l *lattice) func(i int)) {
	blocks := (len(corpus.texts) + textsAtATime - 1) / textsAtATime
	parallel(c.Threads, blocks, func() func(int) {
		work := newWorker(&lattice{m: m})
		return func(block int) {
			for i := block * textsAtATime; i < min((block+1)*textsAtATime, len(corpus.texts)); i++ {
				work(i)
			}
		}
	})
}

// sums collects a table of integers a goroutine.
type sums struct {
	tables chan []int64
	size   int
}

func newSums(threads, size int) *sums { return &sums{make(chan []int64, threads), size} }

func (s *sums) table() []int64 {
	t := make([]int64, s.size)
	s.tables <- t
	return t
}

// total is the sum of the tables, once all goroutines are done.
func (s *sums) total() []int64 {
	close(s.tables)
	total := make([]int64, s.size)
	for t := range s.tables {
		for i, v := range t {
			total[i] += v
		}
	}
	return total
}

// expectation is how often each piece is expected in the corpus.
func (c *Config) expectation(m *model, corpus *corpus) []float64 {
	unit := countUnit(corpus)
	sums := newSums(c.Threads, len(m.pieces))
	c.eachText(m, corpus, func(l *lattice) func(int) {
		counts := sums.table()
		return func(i int) { l.expect(corpus.texts[i], corpus.counts[i], counts, unit) }
	})
	expected := make([]float64, len(m.pieces))
	for i, n := range sums.total() {
		expected[i] = float64(n) / unit
	}
	return expected
}

// leastExpected is what a piece must be expected to stay.
const leastExpected = 0.5

// maximise sets the scores by the expected counts: a Dirichlet process' posterior
// (Liang and Klein, "Structured Bayesian nonparametric models with variational
// inference", 2007), which favours few pieces.
func (m *model) maximise(expected []float64) {
	sum := 0.0
	for i, n := range expected {
		if m.prob[i] > 0 && n >= leastExpected {
			sum += n
		}
	}
	logSum := digamma(sum)
	for i, n := range expected {
		if m.prob[i] > 0 && n >= leastExpected {
			m.pieces[i].score = digamma(n) - logSum
		} else {
			m.pieces[i].score = math.Inf(-1)
		}
	}
	m.update()
}

// digamma is the derivative of the logarithm of the gamma function, by its
// recurrence and an asymptotic series at x - 1/2.
func digamma(x float64) float64 {
	result := 0.0
	for ; x < 7; x++ {
		result -= 1 / x
	}
	x -= 0.5
	y := 1 / x
	y2 := float64(y * y)
	y4 := float64(y2 * y2)
	result += kernel.Log64(x) + float64(y2/24) - float64(y4*7/960)
	return result + float64(float64(y4*y2)*31/8064) - float64(float64(y4*y4)*127/30720)
}

// finalize chooses want pieces: the required characters, then those with the highest
// scores, sorted by score.
func finalize(m *model, required []char, want int) []piece {
	scores := map[string]float64{}
	pieces := m.living()
	for _, p := range pieces {
		scores[p.text] = p.score
	}
	final := make([]piece, 0, want)
	chosen := map[string]bool{}
	penalty := 0.0
	for _, ch := range required {
		p := piece{text: string(ch.r)}
		score, ok := scores[p.text]
		if !ok { // all different, frequent characters first
			score = m.lowest() + penalty
			penalty += 0.0001
		}
		p.score = score
		chosen[p.text] = true
		final = append(final, p)
	}
	byScore := func(a, b piece) int {
		return cmp.Or(cmp.Compare(float32(b.score), float32(a.score)), cmp.Compare(a.text, b.text))
	}
	slices.SortFunc(pieces, byScore)
	for _, p := range pieces {
		if len(final) >= want {
			break
		}
		if !chosen[p.text] {
			final = append(final, p)
		}
	}
	slices.SortFunc(final, byScore)
	return final
}
