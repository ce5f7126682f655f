package spmtrain

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/aries-serpent/codexml/tokenizer/internal/heap"
)

// joint is a pair of neighbouring symbols that may become one.
type joint struct {
	left, right int32
	text        string
	chars       int
	count       int64
	places      []int32 // of left symbols; some are of the past
	queued      bool    // stands in fresh
	done        bool
}

// entry is a joint with the count that it had when it was queued.
type entry struct {
	*joint
	queuedCount int64
}

// Before implements heap.Ordered: the original's order, frequent joints first, then
// those of fewer characters, then by text.
func (e entry) Before(f entry) bool {
	switch {
	case e.queuedCount != f.queuedCount:
		return e.queuedCount > f.queuedCount
	case e.chars != f.chars:
		return e.chars < f.chars
	case e.text != f.text:
		return e.text < f.text
	}
	return e.left < f.left
}

// joiner learns BPE. Places are characters of the corpus' texts, one text after the
// other; a symbol stands at the place of its first character.
type joiner struct {
	rules      rules
	symbols    []string
	at         []int32 // by place: the symbol there, -1 if it is inside one
	next, prev []int32 // by place: the neighbours' places, -1 at a text's ends
	count      []int64 // by text
	text       []int32 // by place: its text
	joints     map[uint64]*joint
	fresh      []*joint
	queue      []entry
}

// trainBPE joins the most frequent pair of neighbours, again and again.
func (c *Config) trainBPE(ctx context.Context, corpus *corpus, want int) ([]piece, error) {
	j := newJoiner(c, corpus)
	var pieces []piece
	seen := map[string]bool{}
	for merges := want - len(corpus.required); len(pieces) < merges; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		best := j.pop()
		if best == nil {
			break
		}
		best.done = true
		if !seen[best.text] { // else joined of other parts: one of the ways is enough
			seen[best.text] = true
			pieces = append(pieces, piece{best.text, -float64(len(pieces))})
			j.apply(best)
			if len(pieces)%256 == 0 {
				c.Progress("join", len(pieces))
			}
		}
		best.places = nil
	}
	for _, ch := range corpus.required {
		pieces = append(pieces, piece{string(ch.r), -float64(len(pieces))})
	}
	return pieces, nil
}

func newJoiner(c *Config, corpus *corpus) *joiner {
	j := &joiner{rules: rules{&c.Trainer, scripts()}, count: corpus.counts, joints: map[uint64]*joint{}}
	ids := map[rune]int32{}
	for i, text := range corpus.texts {
		first := int32(len(j.at))
		for _, r := range string(text) {
			id, ok := ids[r]
			if !ok {
				id = int32(len(j.symbols))
				ids[r] = id
				j.symbols = append(j.symbols, string(r))
			}
			place := int32(len(j.at))
			j.at = append(j.at, id)
			j.next = append(j.next, place+1)
			j.prev = append(j.prev, place-1)
			j.text = append(j.text, int32(i))
		}
		j.prev[first] = -1
		j.next[len(j.next)-1] = -1
	}
	for place := range j.at {
		j.add(int32(place), j.next[place])
	}
	j.queueFresh()
	return j
}

// find returns the joint of the symbols at two places, nil if there can be none.
func (j *joiner) find(left, right int32) *joint {
	l, r := j.at[left], j.at[right]
	key := uint64(uint32(l))<<32 | uint64(uint32(r))
	found, ok := j.joints[key]
	if !ok {
		text := j.symbols[l] + j.symbols[r]
		if j.rules.valid([]byte(text)) {
			found = &joint{left: l, right: r, text: strings.Clone(text), chars: utf8.RuneCountInString(text)}
		}
		j.joints[key] = found
	}
	return found
}

// add counts a pair.
func (j *joiner) add(left, right int32) {
	if left < 0 || right < 0 {
		return
	}
	p := j.find(left, right)
	if p == nil || p.done {
		return
	}
	p.count += j.count[j.text[left]]
	p.places = append(p.places, left)
	if !p.queued {
		p.queued = true
		j.fresh = append(j.fresh, p)
	}
}

// remove counts a pair no longer.
func (j *joiner) remove(left, right int32, best *joint) {
	if left < 0 || right < 0 {
		return
	}
	if p := j.find(left, right); p != nil && p != best {
		p.count -= j.count[j.text[left]]
	}
}

func (j *joiner) queueFresh() {
	for _, p := range j.fresh {
		p.queued = false
		if !p.done {
			heap.Push(&j.queue, entry{p, p.count})
		}
	}
	j.fresh = j.fresh[:0]
}

// pop is the most frequent joint, nil if none occurs.
func (j *joiner) pop() *joint {
	for len(j.queue) > 0 {
		e := heap.Pop(&j.queue)
		switch {
		case e.done || e.count <= 0:
		case e.queuedCount > e.count: // some of its places have gone
			heap.Push(&j.queue, entry{e.joint, e.count})
		case e.queuedCount == e.count:
			return e.joint
		}
	}
	return nil
}

// apply joins wherever best's symbols are neighbours.
func (j *joiner) apply(best *joint) {
	id := int32(len(j.symbols))
	j.symbols = append(j.symbols, best.text)
	for _, left := range best.places {
		right := j.next[left]
		if j.at[left] != best.left || right < 0 || j.at[right] != best.right {
			continue
		}
		before, after := j.prev[left], j.next[right]
		j.remove(before, left, best)
		j.remove(right, after, best)
		j.at[left], j.at[right] = id, -1
		j.next[left] = after
		if after >= 0 {
			j.prev[after] = left
		}
		j.add(before, left)
		j.add(left, after)
	}
	j.queueFresh()
}
