package unigram

import (
	"math"

	"github.com/aries-serpent/codexml/tokenizer/internal/parts"
)

// scratch is what one call works with. It belongs to one call at a time.
type scratch struct {
	cache parts.Cache
	p32   []place[float32]
	p64   []place[float64]
	gaps  []float64
	ends  []int32 // of the path's pieces, from the last
	ids   []int32
	sizes []uint8
}

// keptPlaces is how long a text may be whose scratch is kept.
const keptPlaces = 1 << 20

func (s *scratch) places32(n int) []place[float32] {
	if cap(s.p32) < n {
		s.p32 = make([]place[float32], n+n/4)
	}
	s.p32 = s.p32[:n]
	return s.p32
}

func (s *scratch) places64(n int) []place[float64] {
	if cap(s.p64) < n {
		s.p64 = make([]place[float64], n+n/4)
		s.gaps = make([]float64, n+n/4)
	}
	s.p64, s.gaps = s.p64[:n], s.gaps[:n]
	return s.p64
}

func (s *scratch) release() {
	if cap(s.p32) > keptPlaces {
		s.p32 = nil
	}
	if cap(s.p64) > keptPlaces {
		s.p64, s.gaps = nil, nil
	}
	if cap(s.ends) > keptPlaces {
		s.ends = nil
	}
}

// AppendIDs appends the ids of the pieces of text.
func (m *Model) AppendIDs(dst []int32, text []byte) []int32 {
	o := parts.Output{Spelling: &m.spelling, Text: text, IDs: dst}
	m.encode(&o)
	return o.IDs
}

// AppendTokens appends ids, and for each where in text it ends; it begins where the
// one before it ends. The bytes that spell an unknown character (with FuseUnknown:
// all unknown characters that follow one another) share one end and so one span.
func (m *Model) AppendTokens(ids []int32, ends []int, text []byte) ([]int32, []int) {
	o := parts.Output{Spelling: &m.spelling, Text: text, IDs: ids, Ends: ends, WantEnds: true}
	m.encode(&o)
	return o.IDs, o.Ends
}

func (m *Model) encode(o *parts.Output) {
	if len(o.Text) == 0 {
		return
	}
	s := m.scratch.Get().(*scratch)
	if m.rules == SentencePiece {
		run(m, s, o, float32(0))
	} else {
		run(m, s, o, float64(0))
	}
	o.Flush()
	s.release()
	m.scratch.Put(s)
}

// run encodes part after part. What is remembered of a part was found from a sum
// of 0; sums here start where the part before it ended and are rounded otherwise. It
// is the original's path only if rounding cannot change a choice on it; if it might,
// the original's steps are done.
func run[F float32 | float64](m *Model, s *scratch, o *parts.Output, sum F) {
	for o.Pos < len(o.Text) {
		if m.rules == SentencePiece && (sum < -tooLarge || sum > tooLarge) {
			sum = 0
		}
		text := o.Text[o.Pos:]
		text = text[:m.joins.Segment(text)]
		if len(text) <= parts.MaxSegment {
			if slot := m.lookUp(s, text); sure(slot, sum) {
				ids, _ := s.cache.Pieces(slot)
				sum = add(m, sum, ids)
				o.PutSlot(&s.cache, slot)
				continue
			}
		}
		sum = step(m, s, o, sum, text)
	}
}

// sure says whether rounding leaves the path of the slot as it is. A sum after n
// additions of numbers that stay below b is wrong by at most n*b*u, where u is half
// of the type's precision, and a choice compares two of them.
func sure[F float32 | float64](s *parts.Slot, sum F) bool {
	u := 0x1p-24
	if _, ok := any(sum).(float64); ok {
		if sum == 0 {
			return true // this is how the slot was found
		}
		u = 0x1p-53
	}
	b := math.Abs(float64(sum)) + float64(s.Bound)
	return b < tooLarge && float64(s.Margin) > 2.5*float64(s.Steps)*b*u
}

// add continues the sum over the pieces of a path, one addition each.
func add[F float32 | float64](m *Model, sum F, ids []int32) F {
	scores := scoresOf[F](m)
	for _, id := range ids {
		if id >= 0 {
			sum += scores[id]
		} else {
			sum += F(m.unknown)
		}
	}
	return sum
}

func scoresOf[F float32 | float64](m *Model) []F {
	var f F
	if _, ok := any(f).(float32); ok {
		return any(m.scores32).([]F)
	}
	return any(m.scores).([]F)
}

// lookUp returns what is known of text, which has at most MaxSegment bytes.
func (m *Model) lookUp(s *scratch, text []byte) *parts.Slot {
	hash := parts.Hash(text)
	if slot := s.cache.Find(hash, text); slot != nil {
		return slot
	}
	found := m.measure(s, text)
	path(s, s.p64, len(text))
	s.ids, s.sizes = s.ids[:0], s.sizes[:0]
	at := int32(0)
	for i := len(s.ends) - 1; i >= 0; i-- {
		end := s.ends[i]
		s.ids = append(s.ids, s.p64[end].id)
		s.sizes = append(s.sizes, uint8(end-at))
		at = end
	}
	slot := s.cache.Put(hash, text, found.steps, s.ids, s.sizes, m.spelling.Unknown)
	// a float32 of them must not say more than they do
	slot.Margin = float32(min(found.margin, 1e30)) * 0.999
	slot.Bound = float32(found.bound) * 1.001
	return slot
}

// path sets s.ends to the ends of the pieces of the path to end, from the last.
func path[F float32 | float64](s *scratch, places []place[F], end int) {
	s.ends = s.ends[:0]
	for at := int32(end); at > 0; at = places[at].from {
		s.ends = append(s.ends, at)
	}
}

// step encodes a part as the original does.
func step[F float32 | float64](m *Model, s *scratch, o *parts.Output, sum F, text []byte) F {
	var places []place[F]
	if _, ok := any(sum).(float32); ok {
		places = any(s.places32(len(text) + 1)).([]place[F])
	} else {
		places = any(s.places64(len(text) + 1)).([]place[F])
	}
	sum = search(m, scoresOf[F](m), places, sum, text)
	path(s, places, len(text))
	at := int32(0)
	for i := len(s.ends) - 1; i >= 0; i-- {
		end := s.ends[i]
		o.Put(places[end].id, int(end-at))
		at = end
	}
	return sum
}
