package sentencepiece

import (
	"math"
	"sync"

	format "github.com/aries-serpent/codexml/format/sentencepiece"
	"github.com/aries-serpent/codexml/tokenizer/internal/heap"
	"github.com/aries-serpent/codexml/tokenizer/internal/parts"
)

// bpe joins neighbouring symbols, those first that make the piece with the highest
// score, the leftmost of equal ones, until no pair makes a piece.
type bpe struct {
	pieces  *pieces
	joins   parts.Joins
	order   []int32 // by id: scores as integers in the order that the original compares them
	unused  bool    // there are unused pieces: texts are not cut into parts
	scratch sync.Pool
}

func newBPE(m *format.Model, p *pieces) *bpe {
	b := &bpe{pieces: p, order: make([]int32, len(m.Pieces))}
	b.scratch.New = func() any { return new(merger) }
	for i, piece := range m.Pieces {
		bits := int32(math.Float32bits(piece.Score))
		if bits < 0 {
			bits ^= math.MaxInt32 // -0 comes before 0
		}
		b.order[i] = bits
		b.unused = b.unused || p.types[i] == format.Unused
		if isText(p.types[i]) {
			b.joins.Add(piece.Text)
		}
	}
	return b
}

func (b *bpe) AppendIDs(dst []int32, text []byte) []int32 {
	o := parts.Output{Spelling: &b.pieces.spelling, Text: text, IDs: dst}
	b.put(&o)
	return o.IDs
}

func (b *bpe) AppendTokens(ids []int32, ends []int, text []byte) ([]int32, []int) {
	o := parts.Output{Spelling: &b.pieces.spelling, Text: text, IDs: ids, Ends: ends, WantEnds: true}
	b.put(&o)
	return o.IDs, o.Ends
}

func (b *bpe) put(o *parts.Output) {
	s := b.scratch.Get().(*merger)
	s.bpe = b
	for o.Pos < len(o.Text) {
		text := o.Text[o.Pos:]
		if !b.unused { // how an unused piece is split depends on the whole text
			text = text[:b.joins.Segment(text)]
		}
		if len(text) > parts.MaxSegment || b.unused {
			s.run(text)
			for i := range s.ids {
				o.Put(s.ids[i], int(s.sizes[i]))
			}
			continue
		}
		hash := parts.Hash(text)
		slot := s.cache.Find(hash, text)
		if slot == nil {
			s.run(text)
			s.small = s.small[:0]
			for _, n := range s.sizes {
				s.small = append(s.small, uint8(n))
			}
			slot = s.cache.Put(hash, text, len(text), s.ids, s.small, b.pieces.spelling.Unknown)
		}
		o.PutSlot(&s.cache, slot)
	}
	o.Flush()
	s.release()
	b.scratch.Put(s)
}

// symbol is a part of the text; the next one begins where it ends.
type symbol struct {
	start, end int32 // end is 0 for one that was joined to the one before
	prev, next int32 // -1: none
	frozen     bool  // a user-defined piece
}

// pair is a join that could be done.
type pair struct {
	order, left, right int32
	size               int32
}

// Before implements heap.Ordered.
func (p pair) Before(q pair) bool {
	return p.order > q.order || p.order == q.order && p.left < q.left
}

// merger is what one call works with.
type merger struct {
	*bpe
	cache   parts.Cache
	text    []byte
	symbols []symbol
	queue   []pair
	splits  map[string]int32 // of unused pieces: the length of the first part
	ids     []int32
	sizes   []int32
	small   []uint8
}

func (s *merger) release() {
	if cap(s.symbols) > 1<<20 {
		s.symbols, s.queue, s.ids, s.sizes = nil, nil, nil, nil
	}
	s.bpe, s.text = nil, nil
	clear(s.splits)
}

// run sets ids and sizes to the pieces of text.
func (s *merger) run(text []byte) {
	s.text, s.symbols, s.queue, s.ids, s.sizes = text, s.symbols[:0], s.queue[:0], s.ids[:0], s.sizes[:0]
	for at := 0; at < len(text); {
		n, frozen := s.pieces.prefix(text[at:])
		i := int32(len(s.symbols))
		s.symbols = append(s.symbols, symbol{start: int32(at), end: int32(at + n), prev: i - 1, next: i + 1, frozen: frozen})
		at += n
	}
	s.symbols[len(s.symbols)-1].next = -1
	for i := range s.symbols[1:] {
		s.offer(int32(i), int32(i+1))
	}
	for len(s.queue) > 0 {
		p := heap.Pop(&s.queue)
		left, right := &s.symbols[p.left], &s.symbols[p.right]
		if left.end == 0 || right.end == 0 || right.end-left.start != p.size {
			continue // one of them was joined to another
		}
		left.end, left.next = right.end, right.next
		right.end = 0
		if left.next >= 0 {
			s.symbols[left.next].prev = p.left
		}
		s.offer(left.prev, p.left)
		s.offer(p.left, left.next)
	}
	for i := int32(0); i >= 0; i = s.symbols[i].next {
		s.write(text[s.symbols[i].start:s.symbols[i].end], 0)
	}
}

// offer adds a pair if it makes a piece.
func (s *merger) offer(left, right int32) {
	if left < 0 || right < 0 {
		return
	}
	l, r := &s.symbols[left], &s.symbols[right]
	if l.frozen || r.frozen {
		return
	}
	text := s.text[l.start:r.end]
	id, ok := s.pieces.found[string(text)]
	if !ok {
		return
	}
	if s.pieces.types[id] == format.Unused {
		if s.splits == nil {
			s.splits = map[string]int32{}
		}
		s.splits[string(text)] = l.end - l.start
	}
	heap.Push(&s.queue, pair{order: s.order[id], left: left, right: right, size: r.end - l.start})
}

// maxDepth bounds how often unused pieces in unused pieces are split, as in the
// original.
const maxDepth = 100

// write writes a piece, an unused one as what it was joined of.
func (s *merger) write(text []byte, depth int) {
	id, ok := s.pieces.found[string(text)]
	if ok && s.pieces.types[id] == format.Unused && depth <= maxDepth {
		n, found := s.splits[string(text)]
		if found {
			s.write(text[:n], depth+1)
			s.write(text[n:], depth+1)
			return
		}
		ok = false
	}
	if !ok {
		id = -1
	}
	s.ids = append(s.ids, id)
	s.sizes = append(s.sizes, int32(len(text)))
}
