package train

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/aries-serpent/codexml/tokenizer/bpe"
	"github.com/aries-serpent/codexml/tokenizer/internal/heap"
)

// learner learns merges from counted words. Counts are kept per pair and corrected
// by what each merge does to its neighbours. A pair is queued once, with the words
// it is in, when the later of its two pieces is made, since only then can it arise;
// from then on its count can only fall, so a queued count that is out of date is
// put right when its turn comes.
type learner struct {
	opts   Options
	vocab  *bpe.Vocabulary
	merges []bpe.Merge

	words   []span
	counts  []int64 // of each word
	symbols []int32 // of all words
	pairs   map[uint64]int64
	queue   []candidate // a heap

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

// newLearner prepares words for learning and queues the pairs in them.
func newLearner(words *wordTable, opts Options) *learner {
	l := &learner{opts: opts, vocab: bpe.NewVocabulary(opts.VocabSize, 8*opts.VocabSize)}
	for _, s := range opts.Specials {
		l.vocab.Add([]byte(s))
	}
	var ids [bpe.NumBytes]int32
	for i, b := range bpe.ByteOrder {
		l.vocab.Add(bpe.AppendWritten(nil, []byte{b}))
		ids[b] = int32(len(opts.Specials) + i)
	}
	l.addWords(words, &ids)
	l.queuePairs(int32(len(opts.Specials)))
	l.left, l.right = newNeighbours(opts.VocabSize), newNeighbours(opts.VocabSize)
	return l
}

// addWords spells the words that have a pair as ids.
func (l *learner) addWords(words *wordTable, ids *[bpe.NumBytes]int32) {
	l.words = make([]span, 0, len(words.entries))
	l.counts = make([]int64, 0, len(words.entries))
	l.symbols = make([]int32, 0, len(words.text))
	for i := range words.entries {
		e := &words.entries[i]
		if e.size < 2 {
			continue
		}
		l.words = append(l.words, span{uint32(len(l.symbols)), e.size})
		l.counts = append(l.counts, int64(e.count))
		for _, b := range words.word(e) {
			l.symbols = append(l.symbols, ids[b])
		}
	}
}

// word returns the symbols of a word.
func (l *learner) word(w uint32) []int32 {
	s := l.words[w]
	return l.symbols[s.start : s.start+s.size]
}

// queuePairs counts the pairs of bytes, whose ids begin at base, and queues them.
func (l *learner) queuePairs(base int32) {
	counts := make([]int64, bpe.NumBytes*bpe.NumBytes)
	where := make([][]uint32, bpe.NumBytes*bpe.NumBytes)
	for w := range uint32(len(l.words)) {
		symbols := l.word(w)
		for i, right := range symbols[1:] {
			pair := int(symbols[i]-base)*bpe.NumBytes + int(right-base)
			counts[pair] += l.counts[w]
			if list := where[pair]; len(list) == 0 || list[len(list)-1] != w {
				where[pair] = append(list, w)
			}
		}
	}
	l.pairs = make(map[uint64]int64, l.opts.VocabSize)
	for pair, count := range counts {
		if count > 0 {
			key := pairKey(base+int32(pair/bpe.NumBytes), base+int32(pair%bpe.NumBytes))
			l.pairs[key] = count
			heap.Push(&l.queue, candidate{count: count, pair: key, words: where[pair]})
		}
	}
}

// learn merges pairs until the vocabulary is full or no pair is left.
func (l *learner) learn(ctx context.Context) error {
	first := l.vocab.Size()
	for l.vocab.Size() < l.opts.VocabSize && len(l.queue) > 0 {
		top := heap.Pop(&l.queue)
		if count := l.pairs[top.pair]; top.count != count {
			top.count = count
			heap.Push(&l.queue, top)
			continue
		}
		if top.count < 1 {
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
	l.written = append(l.written[:0], l.vocab.Piece(m.Left)...)
	l.written = append(l.written, l.vocab.Piece(m.Right)...)
	m.ID = int32(l.vocab.Size())
	if !l.vocab.Add(l.written) {
		// Only a special token can be there already: two parts of the same text are
		// merged in the same way wherever they stand, so no piece is made twice.
		return fmt.Errorf("the text makes the special token %q a piece: give it a name that text can't have, such as [%s]", l.written, l.written)
	}
	l.merges = append(l.merges, m)
	for _, w := range top.words {
		l.mergeWord(m, w)
	}
	l.recount(m)
	l.queueNew(m)
	return nil
}

// recount corrects the counts of the pairs beside a merge.
func (l *learner) recount(m bpe.Merge) {
	for _, other := range l.left.touched {
		l.pairs[pairKey(other, m.Left)] -= l.left.gains[other]
		l.pairs[pairKey(other, m.ID)] += l.left.gains[other]
	}
	for _, other := range l.right.touched {
		l.pairs[pairKey(m.Right, other)] -= l.right.gains[other]
		l.pairs[pairKey(m.ID, other)] += l.right.gains[other]
	}
}

// queueNew queues the pairs that arose beside a merge.
func (l *learner) queueNew(m bpe.Merge) {
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
// went on to undo it.
func (l *learner) queueIfAny(pair uint64, words []uint32) {
	if count := l.pairs[pair]; count > 0 {
		heap.Push(&l.queue, candidate{count: count, pair: pair, words: slices.Clone(words)})
	}
}

// mergeWord applies a merge to a word, from left to right.
func (l *learner) mergeWord(m bpe.Merge, w uint32) {
	symbols, count := l.word(w), l.counts[w]
	to := 0
	for from := 0; from < len(symbols); from++ {
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

// neighbours gathers what one merge does to the pairs on one side of it. By the
// neighbour's id: one pair loses as much as another gains.
type neighbours struct {
	gains   []int64
	words   [][]uint32 // where the new pair arises
	touched []int32
}

func newNeighbours(ids int) neighbours {
	return neighbours{gains: make([]int64, ids), words: make([][]uint32, ids)}
}

// add notes that the neighbour was found beside a merge in word w.
func (n *neighbours) add(id int32, count int64, w uint32) {
	list := n.words[id]
	if len(list) == 0 {
		n.touched = append(n.touched, id)
	}
	n.gains[id] += count
	if len(list) == 0 || list[len(list)-1] != w {
		n.words[id] = append(list, w)
	}
}

// forget makes ready for the next merge.
func (n *neighbours) forget() {
	for _, id := range n.touched {
		n.gains[id], n.words[id] = 0, n.words[id][:0]
	}
	n.touched = n.touched[:0]
}

// pairKey packs a pair.
func pairKey(left, right int32) uint64 { return uint64(uint32(left))<<32 | uint64(uint32(right)) }
