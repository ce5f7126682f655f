package data

// Segment is a document, or a part of one, in a batch: Len slots from slot Start on.
type Segment struct{ Start, Len int32 }

// Ignored is the target of slots that are not trained or scored.
const Ignored int32 = -1

// Batch is Rows sequences of SeqLen slots each. It is filled anew by Loader.Fill and
// Evaluation.Fill, which allocate only when it grows.
type Batch struct {
	Rows, SeqLen int
	Tokens       []int32
	Targets      []int32   // the token to predict at each slot; Ignored where there is none
	Segments     []Segment // every slot is in exactly one; a slot of padding is one by itself
	Samples      []int64   // number of each row in the whole training
}

// reset gives the batch rows of length seqLen, all padding and without segments.
func (b *Batch) reset(rows, seqLen int) {
	n := rows * seqLen
	if cap(b.Tokens) < n || cap(b.Segments) < n {
		b.Tokens, b.Targets, b.Segments = make([]int32, n), make([]int32, n), make([]Segment, 0, n)
	}
	if cap(b.Samples) < rows {
		b.Samples = make([]int64, rows)
	}
	b.Rows, b.SeqLen = rows, seqLen
	b.Tokens, b.Targets, b.Segments, b.Samples = b.Tokens[:n], b.Targets[:n], b.Segments[:0], b.Samples[:rows]
	clear(b.Tokens)
	for i := range b.Targets {
		b.Targets[i] = Ignored
	}
}

// pad makes the slots from..to segments of their own.
func (b *Batch) pad(from, to int) {
	for i := from; i < to; i++ {
		b.Segments = append(b.Segments, Segment{int32(i), 1})
	}
}

// evenLen is the number of slots of a row of n tokens: an odd row has a slot of
// padding, so that pairs of slots never straddle rows.
func evenLen(n int) int { return n + n&1 }
