package spmtrain

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// piece is a piece in the making.
type piece struct {
	text  string
	score float64 // frequency times length, then a logarithm of a probability
}

// seeds are the characters, and of all texts that occur twice and may be a piece
// those with the largest frequency times length: the strings that the suffixes of the
// corpus have in common (Abouelhoda, Kurtz, Ohlebusch, "Replacing suffix trees with
// enhanced suffix arrays", 2004), counted with how often each text occurs.
func (c *Config) seeds(corpus *corpus) []piece {
	var found []candidate
	for start := 0; start < len(corpus.texts); {
		end, size := start, 0
		for end < len(corpus.texts) && (end == start || size+len(corpus.texts[end]) < chunkBytes) {
			size += len(corpus.texts[end]) + 1
			end++
		}
		more := c.chunkSeeds(corpus.texts[start:end], corpus.counts[start:end], size)
		if start > 0 {
			more = mergeCandidates(found, more)
		}
		found = more
		start = end
	}
	if limit := int(c.Trainer.SeedSentencepieceSize); len(found) > limit {
		slices.SortFunc(found, func(a, b candidate) int {
			return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(len(b.text), len(a.text)), bytes.Compare(a.text, b.text))
		})
		found = found[:limit]
	}
	pieces := make([]piece, 0, len(corpus.required)+len(found))
	for _, ch := range corpus.required {
		if ch.count > 0 {
			pieces = append(pieces, piece{string(ch.r), float64(ch.count)})
		}
	}
	for _, f := range found {
		pieces = append(pieces, piece{string(f.text), f.score})
	}
	slices.SortFunc(pieces, func(a, b piece) int { return cmp.Compare(a.text, b.text) })
	return pieces
}

// chunkBytes is how much text is sorted at a time: 4 bytes for each of its characters
// are taken beside it.
const chunkBytes = 256 << 20

// candidate is a text that may become a piece.
type candidate struct {
	text  []byte
	score float64
}

// mergeCandidates adds the scores of equal texts.
func mergeCandidates(a, b []candidate) []candidate {
	all := append(a, b...)
	slices.SortFunc(all, func(a, b candidate) int { return bytes.Compare(a.text, b.text) })
	out := all[:0]
	for _, c := range all {
		if n := len(out); n > 0 && bytes.Equal(out[n-1].text, c.text) {
			out[n-1].score += c.score
			continue
		}
		out = append(out, c)
	}
	return out
}

// suffixes sorts the suffixes of texts as far as a piece may reach.
type suffixes struct {
	text    []byte  // the texts, a zero byte after each
	counts  []int64 // by text
	owner   []int32 // by a position's number divided by ownerStep: the text there
	ends    []int   // by text: where it ends in text
	longest int     // bytes of a piece
	rules   rules
}

const ownerStep = 64

func (c *Config) chunkSeeds(texts [][]byte, counts []int64, size int) []candidate {
	s := &suffixes{
		text: make([]byte, 0, size), counts: counts, ends: make([]int, len(texts)),
		longest: 4 * int(c.Trainer.MaxSentencepieceLength), rules: rules{&c.Trainer, scripts()},
	}
	for i, text := range texts {
		for len(s.owner)*ownerStep <= len(s.text) {
			s.owner = append(s.owner, int32(i))
		}
		s.text = append(s.text, text...)
		s.ends[i] = len(s.text)
		s.text = append(s.text, 0)
		for len(s.owner)*ownerStep < len(s.text) {
			s.owner = append(s.owner, int32(i))
		}
	}
	places, starts := s.buckets()
	found := make([][]candidate, len(starts)-1)
	parallel(c.Threads, len(found), func() func(int) {
		var sorter sorter
		return func(b int) {
			if bucket := places[starts[b]:starts[b+1]]; len(bucket) > 0 {
				found[b] = s.candidates(&sorter, bucket)
			}
		}
	})
	return slices.Concat(found...)
}

// parallel calls the functions that newWorker makes, one a goroutine, with 0 to n-1.
func parallel(threads, n int, newWorker func() func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(threads, n) {
		wg.Go(func() {
			work := newWorker()
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				work(i)
			}
		})
	}
	wg.Wait()
}

// buckets are the places of characters in text, sorted by their first two bytes.
func (s *suffixes) buckets() (places []uint32, starts []int) {
	starts = make([]int, 1<<16+1)
	each := func(f func(key, at int)) {
		for i, b := range s.text {
			if b != 0 && b&0xC0 != 0x80 {
				f(int(b)<<8|int(s.text[i+1]), i)
			}
		}
	}
	each(func(key, _ int) { starts[key+1]++ })
	for i := range starts[1:] {
		starts[i+1] += starts[i]
	}
	places = make([]uint32, starts[1<<16])
	next := slices.Clone(starts)
	each(func(key, at int) {
		places[next[key]] = uint32(at)
		next[key]++
	})
	return places, starts
}

// keyed is a place and the 8 bytes from some depth on, zeros from the text's end.
type keyed struct {
	key   uint64
	place uint32
}

// sorter is what one goroutine works with.
type sorter struct {
	items []keyed
	stack []interval
}

// key reads 8 bytes at i. There is no zero byte in a text, so zeros come after the
// first one.
func (s *suffixes) key(i int) uint64 {
	var v uint64
	if i+8 <= len(s.text) {
		v = binary.BigEndian.Uint64(s.text[i:])
	} else {
		var tail [8]byte
		copy(tail[:], s.text[min(i, len(s.text)):])
		v = binary.BigEndian.Uint64(tail[:])
	}
	if (v-0x0101010101010101)&^v&0x8080808080808080 == 0 {
		return v // no byte is zero
	}
	for n := range 8 {
		if v>>(56-8*n)&0xFF == 0 {
			return v &^ (1<<(64-8*n) - 1)
		}
	}
	return v
}

// sort sorts items, which are equal up to depth.
func (s *suffixes) sort(items []keyed, depth int) {
	for i := range items {
		items[i].key = s.key(int(items[i].place) + depth)
	}
	slices.SortFunc(items, func(a, b keyed) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.place, b.place))
	})
	if depth+8 >= s.longest {
		return
	}
	for i := 0; i < len(items); {
		j := i + 1
		for j < len(items) && items[j].key == items[i].key {
			j++
		}
		if j-i > 1 && items[i].key&0xFF != 0 {
			s.sort(items[i:j], depth+8)
		}
		i = j
	}
}

// common is how many bytes the suffixes at a and b have in common, at most longest.
func (s *suffixes) common(a, b int) int {
	for n := 0; n < s.longest; n += 8 {
		x, y := s.key(a+n), s.key(b+n)
		if x != y {
			return min(n+bits.LeadingZeros64(x^y)/8, s.longest)
		}
		if x&0xFF == 0 { // both end here
			return min(n+8-min(bits.TrailingZeros64(x)/8, 8), s.longest)
		}
	}
	return s.longest
}

// countAt is how often the text at a place occurs, and where it ends.
func (s *suffixes) countAt(place int) (count int64, end int) {
	i := s.owner[place/ownerStep]
	for s.ends[i] < place {
		i++
	}
	return s.counts[i], s.ends[i]
}

// interval is suffixes that have depth bytes in common.
type interval struct {
	depth  int
	weight int64 // how often their texts occur
}

// candidates are the texts that suffixes of a bucket have in common.
func (s *suffixes) candidates(work *sorter, bucket []uint32) (found []candidate) {
	work.items = work.items[:0]
	for _, place := range bucket {
		work.items = append(work.items, keyed{place: place})
	}
	s.sort(work.items, 2)
	stack := append(work.stack[:0], interval{})
	before := 0 // bytes in common with the suffix before
	for i := range work.items {
		place := int(work.items[i].place)
		after := 0
		if i+1 < len(work.items) {
			after = s.common(place, int(work.items[i+1].place))
		}
		count, end := s.countAt(place)
		if depth := end - place; depth > max(before, after) { // else a neighbour holds all of it
			found = s.add(found, place, interval{depth, count})
		}
		// close what the next suffix does not have
		if after > before {
			stack = append(stack, interval{after, 0})
		}
		stack[len(stack)-1].weight += count
		for len(stack) > 1 && stack[len(stack)-1].depth > after {
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			found = s.add(found, place, top)
			if last := &stack[len(stack)-1]; last.depth < after {
				stack = append(stack, interval{after, top.weight})
			} else {
				last.weight += top.weight
			}
		}
		before = after
	}
	work.stack = stack
	return found
}

// add adds the first bytes of the suffix at place if they may be a piece.
func (s *suffixes) add(found []candidate, place int, v interval) []candidate {
	if v.weight < 2 || v.depth > s.longest {
		return found
	}
	text := s.text[place : place+v.depth]
	if next := s.text[place+v.depth]; next&0xC0 == 0x80 { // ends in a character
		return found
	}
	chars := utf8.RuneCount(text)
	if chars < 2 || !s.rules.valid(text) {
		return found
	}
	return append(found, candidate{text, float64(v.weight) * float64(chars)})
}
