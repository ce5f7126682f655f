package vocab

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/aries-serpent/codexml/tokenizer"
)

// Encoder is a tokenizer that says which word each id is in.
type Encoder interface {
	tokenizer.Tokenizer
	EncodeText(text []byte, o tokenizer.EncodeOptions) (*tokenizer.Encoding, error)
}

// Grown is a piece that Expand added, and how to begin its row of the embedding:
// with the mean of the rows of From, the old ids of its text.
type Grown struct {
	ID    int32   `json:"id"`
	Piece string  `json:"piece"`
	Count int64   `json:"count"` // how often it was found in the corpus when it was added
	From  []int32 `json:"from"`
}

// Plan is the embedding initialisation plan: what to do to a model whose tokenizer
// was expanded.
type Plan struct {
	OldSize      int32   `json:"old_size"`
	NewSize      int32   `json:"new_size"`
	Method       string  `json:"method"` // mean: of the old rows
	Pieces       []Grown `json:"pieces"`
	TokensBefore int64   `json:"tokens_before"`
	TokensAfter  int64   `json:"tokens_after"`
}

// Expand adds the n pieces that shorten the documents most, to a BPE tokenizer: the
// pair of neighbours, within a word, that is most frequent (of equals the one with
// the lowest ids) becomes a piece, n times. Their merges come last, so that no id
// of text without them changes. progress, if not nil, is told how many are done.
func (d *Document) Expand(ctx context.Context, t Encoder, docs iter.Seq[[]byte], n int, progress func(done int)) (*Plan, error) {
	if err := d.wantBPE("expand"); err != nil {
		return nil, err
	}
	if d.prefix() != "" {
		return nil, fmt.Errorf("expand: a BPE model with a continuing_subword_prefix cannot be expanded")
	}
	words, total, err := countWords(ctx, t, docs)
	if err != nil {
		return nil, err
	}
	plan := &Plan{OldSize: d.Size(), Method: "mean", Pieces: []Grown{}, TokensBefore: total, TokensAfter: total}
	g := newGrower(d, words)
	for len(plan.Pieces) < n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		grown, ok := g.grow()
		if !ok {
			break
		}
		plan.Pieces = append(plan.Pieces, grown)
		plan.TokensAfter -= grown.Count
		if progress != nil {
			progress(len(plan.Pieces))
		}
	}
	plan.NewSize = d.Size()
	return plan, nil
}

// word is a word's ids and how often it is there.
type word struct {
	ids   []int32
	count int64
}

// countWords encodes the documents and counts their words of more than one id, in
// the order in which they first come.
func countWords(ctx context.Context, t Encoder, docs iter.Seq[[]byte]) ([]word, int64, error) {
	index := map[string]int{}
	var words []word
	total := int64(0)
	var key []byte
	for doc := range docs {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		e, err := t.EncodeText(doc, tokenizer.EncodeOptions{Allowed: tokenizer.NoSpecials(), Whole: true})
		if err != nil {
			return nil, 0, err
		}
		total += int64(len(e.IDs))
		for i := 0; i < len(e.IDs); {
			end := i + 1
			for end < len(e.IDs) && e.WordIDs[end] == e.WordIDs[i] {
				end++
			}
			if end > i+1 {
				key = key[:0]
				for _, id := range e.IDs[i:end] {
					key = append(key, byte(id), byte(id>>8), byte(id>>16), byte(id>>24))
				}
				at, ok := index[string(key)]
				if !ok {
					at = len(words)
					index[string(key)] = at
					words = append(words, word{ids: slices.Clone(e.IDs[i:end])})
				}
				words[at].count++
			}
			i = end
		}
	}
	return words, total, nil
}

type pair [2]int32

// grower merges pairs in words.
type grower struct {
	d      *Document
	pieces map[int32]string
	fixed  map[int32]bool    // added tokens are no part of a merge
	from   map[int32][]int32 // the old ids of a new one
	words  []word
	count  map[pair]int64
	where  map[pair]map[int]struct{}
	merges map[pair]bool
	queue  queue
}

func newGrower(d *Document, words []word) *grower {
	g := &grower{d: d, pieces: map[int32]string{}, fixed: map[int32]bool{}, from: map[int32][]int32{}, words: words, count: map[pair]int64{}, where: map[pair]map[int]struct{}{}, merges: map[pair]bool{}}
	for piece, id := range d.IDs {
		g.pieces[id] = piece
	}
	for _, a := range d.Added {
		g.fixed[a.ID] = true
	}
	for _, m := range d.Merges {
		g.merges[pair{d.IDs[m[0]], d.IDs[m[1]]}] = true
	}
	for w := range words {
		g.change(w, 1)
	}
	for p, n := range g.count {
		g.queue = append(g.queue, candidate{n, p})
	}
	heap.Init(&g.queue)
	return g
}

// change adds a word's pairs to the counts, or takes them away.
func (g *grower) change(w int, sign int64) {
	ids := g.words[w].ids
	for i := range len(ids) - 1 {
		p := pair{ids[i], ids[i+1]}
		g.count[p] += sign * g.words[w].count
		if sign > 0 {
			if g.where[p] == nil {
				g.where[p] = map[int]struct{}{}
			}
			g.where[p][w] = struct{}{}
		}
		if g.count[p] == 0 {
			delete(g.count, p)
			delete(g.where, p)
		}
	}
}

// candidate is a pair with its count when it was queued.
type candidate struct {
	count int64
	pair  pair
}

// queue is a heap of candidates: the highest count first, then the lowest ids.
type queue []candidate

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	a, b := q[i], q[j]
	return a.count > b.count || a.count == b.count && slices.Compare(a.pair[:], b.pair[:]) < 0
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(candidate)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// next takes the best pair that can become a piece and is there more than once.
func (g *grower) next() (best pair, ok bool) {
	for len(g.queue) > 0 {
		c := heap.Pop(&g.queue).(candidate)
		switch now := g.count[c.pair]; {
		case now < 2 || !g.mergeable(c.pair):
		case now < c.count: // out of date
			heap.Push(&g.queue, candidate{now, c.pair})
		default:
			return c.pair, true
		}
	}
	return pair{}, false
}

// grow makes a piece of the most frequent pair; false if there is none.
func (g *grower) grow() (Grown, bool) {
	best, ok := g.next()
	if !ok {
		return Grown{}, false
	}
	id := g.d.Size()
	piece := g.pieces[best[0]] + g.pieces[best[1]]
	g.d.IDs[piece] = id
	g.pieces[id] = piece
	g.d.Merges = append(g.d.Merges, [2]string{g.pieces[best[0]], g.pieces[best[1]]})
	g.merges[best] = true
	for _, part := range best {
		old, ok := g.from[part]
		if !ok {
			old = []int32{part}
		}
		g.from[id] = append(g.from[id], old...)
	}
	removed := int64(0)
	var touched []pair // only pairs with the new piece can have become more
	for _, w := range sortedKeys(g.where[best]) {
		g.change(w, -1)
		before := len(g.words[w].ids)
		g.words[w].ids = replacePair(g.words[w].ids, best, id)
		removed += int64(before-len(g.words[w].ids)) * g.words[w].count
		g.change(w, 1)
		for i := range len(g.words[w].ids) - 1 {
			if p := (pair{g.words[w].ids[i], g.words[w].ids[i+1]}); p[0] == id || p[1] == id {
				touched = append(touched, p)
			}
		}
	}
	slices.SortFunc(touched, func(a, b pair) int { return slices.Compare(a[:], b[:]) })
	for _, p := range slices.Compact(touched) {
		heap.Push(&g.queue, candidate{g.count[p], p})
	}
	return Grown{ID: id, Piece: piece, Count: removed, From: g.from[id]}, true
}

// mergeable says whether a pair can become a piece of its own.
func (g *grower) mergeable(p pair) bool {
	left, okLeft := g.pieces[p[0]]
	right, okRight := g.pieces[p[1]]
	if !okLeft || !okRight || g.fixed[p[0]] || g.fixed[p[1]] || g.merges[p] {
		return false
	}
	_, there := g.d.IDs[left+right]
	return !there
}

func replacePair(ids []int32, p pair, id int32) []int32 {
	out := ids[:0]
	for i := 0; i < len(ids); i++ {
		if i+1 < len(ids) && ids[i] == p[0] && ids[i+1] == p[1] {
			out = append(out, id)
			i++
			continue
		}
		out = append(out, ids[i])
	}
	return out
}

func sortedKeys(m map[int]struct{}) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, cmp.Compare[int])
	return keys
}
