package spmtrain

import (
	"math"
	"math/bits"

	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/tokenizer/internal/trie"
)

// model is the pieces of a moment, in the order of their texts, and their
// probabilities. A piece that has gone has probability 0 until the model is built
// anew.
type model struct {
	pieces  []piece
	trie    *trie.Trie
	prob    []float64 // by piece
	alive   int
	unknown piece // for characters that no piece has
	unkProb float64
	longest int // bytes of a piece
}

// unknownPenalty is how much less likely than the least likely piece an unknown
// character is.
const unknownPenalty = 10

// newModel makes a model of pieces, which are sorted by text.
func newModel(pieces []piece) *model {
	m := &model{pieces: pieces, prob: make([]float64, len(pieces)), alive: len(pieces)}
	keys := make([]trie.Key, len(pieces))
	for i, p := range pieces {
		keys[i] = trie.Key{Text: p.text, Value: int32(i)}
		m.longest = max(m.longest, len(p.text))
	}
	m.trie = trie.New(keys)
	m.update()
	return m
}

// update computes what depends on the scores. A score of -Inf is that of a piece
// that has gone.
func (m *model) update() {
	low := math.Inf(1)
	m.alive = 0
	for i, p := range m.pieces {
		m.prob[i] = 0
		if !math.IsInf(p.score, -1) {
			m.prob[i] = kernel.Exp64(p.score)
			low = min(low, p.score)
			m.alive++
		}
	}
	m.unknown.score = low - unknownPenalty
	m.unkProb = kernel.Exp64(m.unknown.score)
}

// lowest is the score of the least likely piece.
func (m *model) lowest() float64 { return m.unknown.score + unknownPenalty }

// living are the pieces that have not gone.
func (m *model) living() []piece {
	pieces := make([]piece, 0, m.alive)
	for _, p := range m.pieces {
		if !math.IsInf(p.score, -1) {
			pieces = append(pieces, p)
		}
	}
	return pieces
}

// logarithms turns frequencies into logarithms of probabilities.
func logarithms(pieces []piece) {
	sum := 0.0
	for _, p := range pieces {
		sum += p.score
	}
	logSum := kernel.Log64(sum)
	for i := range pieces {
		pieces[i].score = kernel.Log64(pieces[i].score) - logSum
	}
}

// edge is a piece in a text; id is -1 for an unknown character.
type edge struct{ start, end, id int32 }

// lattice is the pieces in a text and what is computed over them.
type lattice struct {
	m      *model
	edges  []edge // by their start
	alpha  []float64
	beta   []float64
	shifts []int32 // how often alpha was scaled before or at a place
	from   []int32 // the best path's last edge
	scaled bool
}

// Numbers below tiny are scaled up by 1/scale, powers of two.
const (
	scale = 0x1p-512
	tiny  = 0x1p-400
)

// fill finds the edges of text.
func (l *lattice) fill(text []byte) {
	l.edges = l.edges[:0]
	m := l.m
	for at := 0; at < len(text); {
		char := charLen(text[at])
		single := false
		node := trie.Root
		for i := at; i < len(text); i++ {
			if node = m.trie.Next(node, text[i]); node == trie.None {
				break
			}
			if id := m.trie.Value(node); id != trie.None && m.prob[id] > 0 {
				single = single || i+1-at == char
				l.edges = append(l.edges, edge{int32(at), int32(i + 1), id})
			}
		}
		if !single {
			l.edges = append(l.edges, edge{int32(at), int32(at + char), -1})
		}
		at += char
	}
}

// charLen is the length of a character of UTF-8 by its first byte.
func charLen(b byte) int {
	if b < 0xC0 {
		return 1
	}
	return bits.LeadingZeros8(^b)
}

func (l *lattice) prob(id int32) float64 {
	if id < 0 {
		return l.m.unkProb
	}
	return l.m.prob[id]
}

func (l *lattice) score(id int32) float64 {
	if id < 0 {
		return l.m.unknown.score
	}
	return l.m.pieces[id].score
}

// forward sums the probabilities of all paths to each place.
func (l *lattice) forward(n int) {
	l.alpha = resize(l.alpha, n+1)
	clear(l.alpha)
	l.alpha[0] = 1
	l.scaled = false
	last := int32(-1)
	for _, e := range l.edges {
		if e.start != last {
			last = e.start
			if l.alpha[last] < tiny {
				l.scale(int(last), n)
			}
		}
		l.alpha[e.end] += float64(l.alpha[e.start] * l.prob(e.id))
	}
}

// scale makes what lies before the path at a place larger.
func (l *lattice) scale(at, n int) {
	if !l.scaled {
		l.scaled = true
		l.shifts = resize(l.shifts, n+1)
		clear(l.shifts)
	}
	for i := at; i <= n; i++ {
		l.shifts[i]++
	}
	for i := at; i <= min(n, at+max(l.m.longest, 4)); i++ {
		l.alpha[i] /= scale
	}
}

// expect adds to counts how often each piece is expected in a text that occurs
// times: in units of 1/unit, as integers, so that the order of texts does not matter.
func (l *lattice) expect(text []byte, times int64, counts []int64, unit float64) {
	n := len(text)
	l.fill(text)
	l.forward(n)
	l.beta = resize(l.beta, n+1)
	clear(l.beta)
	l.beta[n] = 1
	weight := float64(times) * unit / l.alpha[n]
	for i := len(l.edges) - 1; i >= 0; i-- {
		e := l.edges[i]
		p := l.prob(e.id)
		if l.scaled {
			for range l.shifts[e.end] - l.shifts[e.start] {
				p /= scale
			}
		}
		b := float64(p * l.beta[e.end])
		l.beta[e.start] += b
		if e.id >= 0 {
			counts[e.id] += int64(float64(float64(l.alpha[e.start]*b)*weight) + 0.5)
		}
	}
}

// best finds the path with the largest sum of scores and returns it: ids from the
// last to the first. An edge with id without is left out.
func (l *lattice) best(n int, without int32, path []int32) (sum float64, ids []int32) {
	l.alpha = resize(l.alpha, n+1)
	l.from = resize(l.from, n+1)
	for i := range l.from {
		l.from[i] = -1
	}
	l.alpha[0] = 0
	for i, e := range l.edges {
		if e.id == without && without >= 0 || e.start > 0 && l.from[e.start] < 0 {
			continue
		}
		if s := l.alpha[e.start] + l.score(e.id); l.from[e.end] < 0 || s > l.alpha[e.end] {
			l.alpha[e.end], l.from[e.end] = s, int32(i)
		}
	}
	if l.from[n] < 0 {
		return 0, nil
	}
	for at := int32(n); at > 0; {
		e := l.edges[l.from[at]]
		path = append(path, e.id)
		at = e.start
	}
	return l.alpha[n], path
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n+n/4)[:n]
	}
	return s[:n]
}
