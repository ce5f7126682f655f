package spmtrain

import (
	"cmp"
	"slices"

	"github.com/aries-serpent/codexml/internal/kernel"
)

// loss is how much less likely the corpus gets without a piece.
type loss struct {
	piece int
	loss  float64
}

// prune returns the pieces that stay, sorted by text: desired ones, or the share that
// the shrinking factor says. What a piece is worth is estimated by writing its best
// other pieces wherever it is used.
func (c *Config) prune(m *model, corpus *corpus, desired int) []piece {
	used := c.frequencies(m, corpus)
	keep, others := c.alternatives(m)
	sum := 0.0
	for _, n := range used {
		sum += float64(n)
	}
	logSum := kernel.Log64(sum)
	var stay []int
	var losses []loss
	for i := range m.pieces {
		n := float64(used[i])
		switch {
		case n == 0 || !keep[i]:
			continue
		case len(others[i]) == 0:
			stay = append(stay, i)
			continue
		}
		logWith := kernel.Log64(n) - logSum
		// where the piece is used there are len(others[i]) pieces instead of one
		logSumWithout := kernel.Log64(sum + float64(n*float64(len(others[i])-1)))
		logWithout := 0.0
		for _, o := range others[i] {
			times := n
			if o >= 0 {
				times += float64(used[o])
			}
			logWithout += kernel.Log64(times) - logSumWithout
		}
		losses = append(losses, loss{i, float64(n / sum * (logWith - logWithout))})
	}
	slices.SortFunc(losses, func(a, b loss) int {
		return cmp.Or(cmp.Compare(b.loss, a.loss), cmp.Compare(a.piece, b.piece))
	})
	size := max(desired, int(float64(c.Trainer.ShrinkingFactor)*float64(m.alive)))
	for _, l := range losses[:min(len(losses), max(0, size-len(stay)))] {
		stay = append(stay, l.piece)
	}
	slices.Sort(stay)
	pieces := make([]piece, len(stay))
	for i, id := range stay {
		pieces[i] = m.pieces[id]
	}
	return pieces
}

// frequencies are how often pieces are on the best paths through the corpus.
func (c *Config) frequencies(m *model, corpus *corpus) []int64 {
	sums := newSums(c.Threads, len(m.pieces))
	c.eachText(m, corpus, func(l *lattice) func(int) {
		counts := sums.table()
		var path []int32
		return func(i int) {
			l.fill(corpus.texts[i])
			_, path = l.best(len(corpus.texts[i]), -1, path[:0])
			for _, id := range path {
				if id >= 0 {
					counts[id] += corpus.counts[i]
				}
			}
		}
	})
	return sums.total()
}

// alternatives are the best other pieces for each piece's text, from the last. A
// piece is not to be kept if they are more likely than it.
func (c *Config) alternatives(m *model) (keep []bool, others [][]int32) {
	keep = make([]bool, len(m.pieces))
	others = make([][]int32, len(m.pieces))
	blocks := (len(m.pieces) + textsAtATime - 1) / textsAtATime
	parallel(c.Threads, blocks, func() func(int) {
		l := &lattice{m: m}
		var path []int32
		return func(block int) {
			for i := block * textsAtATime; i < min((block+1)*textsAtATime, len(m.pieces)); i++ {
				if m.prob[i] == 0 {
					continue
				}
				text := []byte(m.pieces[i].text)
				l.fill(text)
				var sum float64
				sum, path = l.best(len(text), int32(i), path[:0])
				keep[i] = len(path) == 0 || sum <= m.pieces[i].score
				if keep[i] {
					others[i] = slices.Clone(path)
				}
			}
		}
	})
	return keep, others
}
