package train

import (
	"context"
	"fmt"
	"math"

	"github.com/aries-serpent/codexml/tokenizer/bpe"
	"github.com/aries-serpent/codexml/tokenizer/internal/heap"
)

// learner learns merges from counted words. Counts are kept per pair and corrected
// by what each merge does to its neighbours. A pair is queued once, with the words
// it is in, when the later of its two pieces is made, since only then can it arise;
// from then on its count can only fall, so a queued count that is out of date is
// put right when its turn comes.
type learner struct {
	opts    Options
	vocab   *bpe.Vocabulary
	lengths []int32 // of pieces, in characters
	merges  []bpe.Merge

	words   []span
	counts  []int64 // of each word
	symbols []int32 // of all words
	pairs   pairCounts
	queue   []candidate // a heap
	lists   listArena

	left, right neighbours
	written     []byte // scratch
}

// span is where the symbols of a word are.
type span struct{ start, size uint32 }

// candidate is a pair that may be merged next, with its count when it was queued
// and the words in which it arose.
type candidate struct {
	count int64
	pair  uint64
	words []uint32
}

// Before orders candidates: the higher count, then the lower ids.
func (a candidate) Before(b candidate) bool {
	if a.count != b.count {
		return a.count > b.count
	}
	return a.pair < b.pair
}

// newLearner prepares words for learning and queues the pairs in them. It uses the
// words up.
func newLearner(words *wordTable, opts Options) (*learner, error) {
	l := &learner{opts: opts, pairs: newPairCounts(4 * opts.VocabSize)}
	if err := l.spell(words); err != nil {
		return nil, err
	}
	*words = wordTable{}
	l.queuePairs()
	size := max(opts.VocabSize, l.vocab.Size())
	l.left, l.right = newNeighbours(size), newNeighbours(size)
	return l, nil
}

// word returns the symbols of a word.
func (l *learner) word(w uint32) []int32 {
	s := l.words[w]
	return l.symbols[s.start : s.start+s.size]
}

// queuePairs counts the pairs of characters and queues them.
func (l *learner) queuePairs() {
	index := newPairCounts(1 << 12) // of each pair in what follows
	var pairs []uint64
	var counts []int64
	var sizes []uint32 // of the lists of words
	each := func(f func(w uint32, pair uint64)) {
		for w := range uint32(len(l.words)) {
			symbols := l.word(w)
			for i, right := range symbols[1:] {
				f(w, pairKey(symbols[i], right))
			}
		}
	}
	each(func(w uint32, pair uint64) {
		at := index.at(pair)
		if *at == 0 {
			pairs, counts, sizes = append(pairs, pair), append(counts, 0), append(sizes, 0)
			*at = int64(len(pairs))
		}
		counts[*at-1] += l.counts[w]
		sizes[*at-1]++
	})
	lists := make([][]uint32, len(pairs))
	for i, n := range sizes {
		lists[i] = l.lists.room(int(n))
	}
	each(func(w uint32, pair uint64) {
		list := &lists[*index.at(pair)-1]
		if n := len(*list); n == 0 || (*list)[n-1] != w {
			*list = append(*list, w)
		}
	})
	for i, pair := range pairs {
		*l.pairs.at(pair) = counts[i]
		heap.Push(&l.queue, candidate{count: counts[i], pair: pair, words: lists[i]})
	}
}

// learn merges pairs until the vocabulary is full or no pair is left.
func (l *learner) learn(ctx context.Context) error {
	first := l.vocab.Size()
	for l.vocab.Size() < l.opts.VocabSize && len(l.queue) > 0 {
		top := heap.Pop(&l.queue)
		if count := *l.pairs.at(top.pair); top.count != count {
			if count >= max(1, int64(l.opts.MinFrequency)) {
				top.count = count
				heap.Push(&l.queue, top)
			}
			continue
		}
		if top.count < 1 || uint64(top.count) < l.opts.MinFrequency {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := l.apply(&top); err != nil {
			return err
		}
		l.opts.Progress(l.vocab.Size()-first, l.opts.VocabSize-first)
	}
	return nil
}

// apply makes a merge of a pair, applies it to the words, and queues the pairs
// that arise.
func (l *learner) apply(top *candidate) error {
	m := bpe.Merge{Left: int32(top.pair >> 32 & math.MaxInt32), Right: int32(uint32(top.pair))}
	left, right := l.vocab.Piece(m.Left), l.vocab.Piece(m.Right)
	if n := len(l.opts.Prefix); n > 0 && len(right) >= n && string(right[:n]) == l.opts.Prefix {
		right = right[n:]
	}
	l.written = append(append(l.written[:0], left...), right...)
	m.ID = int32(l.vocab.Size())
	if id, ok := l.vocab.ID(l.written); ok {
		if int(id) < len(l.opts.Specials) {
			return fmt.Errorf("the text makes the special token %q a piece: give it a name that text can't have, such as [%s]", l.written, l.written)
		}
		m.ID = id // made of two other pieces before, as a prefix allows
	} else {
		l.vocab.Add(l.written)
		l.lengths = append(l.lengths, l.lengths[m.Left]+l.lengths[m.Right])
	}
	l.merges = append(l.merges, m)
	for _, w := range top.words {
		l.mergeWord(m, w)
	}
	l.recount(m)
	return nil
}

// recount corrects the counts of the pairs beside a merge, and queues the new ones. A
// pair that would be too long is not counted.
func (l *learner) recount(m bpe.Merge) {
	length, most := int(l.lengths[m.ID]), l.opts.MaxTokenLength
	if most == 0 {
		most = math.MaxInt
	}
	for _, other := range l.left.touched {
		*l.pairs.at(pairKey(other, m.Left)) -= l.left.gains[other]
		if length+int(l.lengths[other]) < most {
			*l.pairs.at(pairKey(other, m.ID)) += l.left.gains[other]
		}
	}
	for _, other := range l.right.touched {
		*l.pairs.at(pairKey(m.Right, other)) -= l.right.gains[other]
		if length+int(l.lengths[other]) < most {
			*l.pairs.at(pairKey(m.ID, other)) += l.right.gains[other]
		}
	}
	for _, other := range l.left.touched {
		l.queueIfAny(pairKey(other, m.ID), l.left.words[other])
	}
	for _, other := range l.right.touched {
		l.queueIfAny(pairKey(m.ID, other), l.right.words[other])
	}
	l.left.forget()
	l.right.forget()
}

// queueIfAny queues a pair with a copy of its words, unless the merge that made it
// went on to undo it, or it is too rare, which it can only stay.
func (l *learner) queueIfAny(pair uint64, words []uint32) {
	if count := *l.pairs.at(pair); count >= max(1, int64(l.opts.MinFrequency)) {
		heap.Push(&l.queue, candidate{count: count, pair: pair, words: append(l.lists.room(len(words)), words...)})
	}
}

// mergeWord applies a merge to a word, from left to right.
func (l *learner) mergeWord(m bpe.Merge, w uint32) {
	symbols, count := l.word(w), l.counts[w]
	from := 0
	for ; from+1 < len(symbols); from++ {
		if symbols[from] == m.Left && symbols[from+1] == m.Right {
			break
		}
	}
	to := from
	for ; from < len(symbols); from++ {
		symbols[to] = symbols[from]
		if symbols[from] == m.Left && from+1 < len(symbols) && symbols[from+1] == m.Right {
			symbols[to] = m.ID
			if to > 0 {
				l.left.add(symbols[to-1], count, w)
			}
			if from++; from+1 < len(symbols) {
				l.right.add(symbols[from+1], count, w)
			}
		}
		to++
	}
	l.words[w].size = uint32(to)
}
