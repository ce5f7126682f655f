package data

import (
	"fmt"
	"math"
	"math/bits"
)

// span is a part of a document that lies in one row: size slots from slot from on.
type span struct {
	doc  int
	from int64
	size int
}

// packing lays the slots of documents out in rows of T.
type packing interface {
	// rows is the number of rows.
	rows() int
	// span is the span number k of row r, which comes after the given slots of it; false at the row's end.
	span(r, k, after int) (span, bool)
	// filled is the number of slots of row r that hold tokens.
	filled(r int) int
}

// concat is the documents one after another, cut into rows of T slots; the last row
// may be shorter.
type concat struct {
	slots slots
	T     int64
}

func (c concat) rows() int { return int((c.slots.total() + c.T - 1) / c.T) }

func (c concat) filled(r int) int { return int(min(c.T, c.slots.total()-int64(r)*c.T)) }

func (c concat) span(r, _, after int) (span, bool) {
	room := c.filled(r) - after
	if room == 0 {
		return span{}, false
	}
	slot := int64(r)*c.T + int64(after)
	doc := c.slots.find(slot)
	from := slot - c.slots.start(doc)
	return span{doc, from, int(min(int64(room), c.slots.size(doc)-from))}, true
}

// bestFit fills rows with whole documents. What a document has beyond a multiple of
// T, and documents shorter than T, are put, the longest first, into the row whose
// room they leave least of; so only documents longer than a row are cut.
type bestFit struct {
	spans []span
	first []int // of each row in spans, and the end
}

func newBestFit(s slots, T int) (*bestFit, error) {
	if s.t.documents > math.MaxInt32 || s.total()/int64(T) > math.MaxInt32-int64(s.t.documents) {
		return nil, fmt.Errorf("pack documents: %d documents and %d slots are too many for best_fit: use concat", s.t.documents, s.total())
	}
	rests := make([][]int32, T) // documents by the size of their rest, in order
	var whole []span
	for doc := range s.t.documents {
		size := s.size(doc)
		rest := size % int64(T)
		if rest > 0 {
			rests[rest] = append(rests[rest], int32(doc))
		}
		for from := int64(0); from < size-rest; from += int64(T) {
			whole = append(whole, span{doc, from, T})
		}
	}
	p := &bestFit{}
	for _, sp := range whole {
		p.first = append(p.first, len(p.spans))
		p.spans = append(p.spans, sp)
	}
	for _, row := range fit(rests) {
		p.first = append(p.first, len(p.spans))
		for _, f := range row {
			p.spans = append(p.spans, span{int(f.doc), s.size(int(f.doc)) - int64(f.size), int(f.size)})
		}
	}
	p.first = append(p.first, len(p.spans))
	return p, nil
}

// fitted is a rest in a row.
type fitted struct{ doc, size int32 }

// fit packs documents, given by size below len(rests), into rows of that length.
func fit(rests [][]int32) [][]fitted {
	T := len(rests)
	var rows [][]fitted
	open := make([][]int32, T)     // rows by room
	some := make([]uint64, T/64+1) // bit n: there is a row with room n
	for size := T - 1; size > 0; size-- {
		for _, doc := range rests[size] {
			room, row := roomFor(some, size), int32(len(rows))
			if room < 0 {
				rows = append(rows, nil)
				room = T
			} else {
				last := len(open[room]) - 1
				row = open[room][last]
				if open[room] = open[room][:last]; last == 0 {
					some[room/64] &^= 1 << (room % 64)
				}
			}
			rows[row] = append(rows[row], fitted{doc, int32(size)})
			if room -= size; room > 0 {
				open[room] = append(open[room], row)
				some[room/64] |= 1 << (room % 64)
			}
		}
	}
	return rows
}

// roomFor is the least number in the set that is not below size, or -1.
func roomFor(set []uint64, size int) int {
	word := set[size/64] &^ (1<<(size%64) - 1)
	for i := size / 64; ; word = set[i] {
		if word != 0 {
			return i*64 + bits.TrailingZeros64(word)
		}
		if i++; i == len(set) {
			return -1
		}
	}
}

func (p *bestFit) rows() int { return len(p.first) - 1 }

func (p *bestFit) filled(r int) int {
	n := 0
	for _, sp := range p.spans[p.first[r]:p.first[r+1]] {
		n += sp.size
	}
	return n
}

func (p *bestFit) span(r, k, _ int) (span, bool) {
	row := p.spans[p.first[r]:p.first[r+1]]
	if k == len(row) {
		return span{}, false
	}
	return row[k], true
}
