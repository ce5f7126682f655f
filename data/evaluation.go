package data

import (
	"fmt"
	"slices"

	"github.com/aries-serpent/codexml/internal/rng"
)

// EvaluationOptions say how documents are scored.
type EvaluationOptions struct {
	SeqLen    int // tokens of a window; an odd number gets a slot of padding
	BatchSize int // rows of a batch; does not reach the scores
	Specials  Specials
	// Stride is how many tokens each window after a document's first adds to those scored; the SeqLen-Stride before
	// them are its context. 0 is SeqLen: no context, the fewest windows.
	Stride int
	// MaxTokens bounds the tokens scored, by whole documents drawn with Seed; if none is so short, the shortest is
	// scored. 0 scores all.
	MaxTokens int64
	Seed      uint64
}

// window scores the slots from..to-1 of a document after its context, which begins
// at slot start.
type window struct {
	doc             int
	start, from, to int64
}

// Evaluation scores every token of documents exactly once, in a fixed order.
// Windows never span documents; several short ones share a row.
type Evaluation struct {
	o         EvaluationOptions
	slots     slots
	windows   []window
	rows      []int // number of the first window of each row, and the end
	documents int
	tokens    int64
	bytes     int64
}

// NewEvaluation verifies the tokens and lays the windows out.
func NewEvaluation(t *Tokens, o EvaluationOptions) (*Evaluation, error) {
	if o.Stride == 0 {
		o.Stride = o.SeqLen
	}
	if o.SeqLen < 1 || o.BatchSize < 1 || o.Stride < 1 || o.Stride > o.SeqLen || o.MaxTokens < 0 {
		panic(fmt.Sprintf("data: NewEvaluation: seq_len %d, batch size %d, stride %d, max tokens %d", o.SeqLen, o.BatchSize, o.Stride, o.MaxTokens))
	}
	s, err := usable(t, o.Specials)
	if err != nil {
		return nil, fmt.Errorf("load evaluation data: %w", err)
	}
	e := &Evaluation{o: o, slots: s}
	for _, doc := range e.chosen() {
		e.documents++
		e.tokens += s.size(doc)
		e.bytes += t.DocumentBytes(doc)
		e.cut(doc)
	}
	e.layOut()
	return e, nil
}

// chosen are the documents to score, in order.
func (e *Evaluation) chosen() []int {
	var docs []int
	for doc := range e.slots.t.Documents() {
		if e.slots.size(doc) > 0 {
			docs = append(docs, doc)
		}
	}
	if e.o.MaxTokens == 0 || e.slots.total() <= e.o.MaxTokens {
		return docs
	}
	order := rng.NewPermutation(len(docs), e.o.Seed, 0)
	smallest := docs[0]
	left, enough := e.o.MaxTokens, int64((1-fullEnough)*float64(e.o.MaxTokens))
	var drawn []int
	for i := 0; i < len(docs) && left > enough; i++ {
		doc := docs[order.At(i)]
		if size := e.slots.size(doc); size <= left {
			drawn = append(drawn, doc)
			left -= size
		} else if size < e.slots.size(smallest) {
			smallest = doc
		}
	}
	if len(drawn) == 0 {
		return []int{smallest}
	}
	slices.Sort(drawn)
	return drawn
}

// cut makes the windows of a document. Each ends where it scores last, so that the
// last one is as long as the others.
func (e *Evaluation) cut(doc int) {
	size, T := e.slots.size(doc), int64(e.o.SeqLen)
	for from := int64(0); from < size; {
		to := min(from+int64(e.o.Stride), size)
		if from == 0 {
			to = min(T, size)
		}
		start := from
		if e.o.Stride < e.o.SeqLen {
			start = max(0, to-T)
		}
		e.windows = append(e.windows, window{doc, start, from, to})
		from = to
	}
}

// layOut puts windows into rows, in order, each into the last row if it has room.
func (e *Evaluation) layOut() {
	room := int64(0)
	for i, w := range e.windows {
		if n := w.to - w.start; n > room {
			e.rows = append(e.rows, i)
			room = int64(e.o.SeqLen)
		}
		room -= w.to - w.start
	}
	e.rows = append(e.rows, len(e.windows))
}

// Batches is the number of batches.
func (e *Evaluation) Batches() int { return (len(e.rows) - 2 + e.o.BatchSize) / e.o.BatchSize }

// Documents is the number of documents scored.
func (e *Evaluation) Documents() int { return e.documents }

// Tokens is the number of targets scored, EOS included where there is one.
func (e *Evaluation) Tokens() int64 { return e.tokens }

// Bytes is the number of bytes of the texts scored: what bits per byte are per.
// Without BOS it counts those of each document's first token, which is not scored.
func (e *Evaluation) Bytes() int64 { return e.bytes }

// Fill makes b the given batch, of BatchSize rows but the last. It allocates nothing
// once b has had its largest size. Evaluations may be used by several goroutines,
// each with its own batch.
func (e *Evaluation) Fill(b *Batch, batch int) {
	if batch < 0 || batch >= e.Batches() {
		panic(fmt.Sprintf("data: Evaluation.Fill: batch %d of %d", batch, e.Batches()))
	}
	first := batch * e.o.BatchSize
	count := min(e.o.BatchSize, len(e.rows)-1-first)
	b.reset(count, evenLen(e.o.SeqLen))
	for i := range count {
		r := first + i
		b.Samples[i] = int64(r)
		at := i * b.SeqLen
		for _, w := range e.windows[e.rows[r]:e.rows[r+1]] {
			at = e.fillWindow(b, at, w)
		}
		b.pad(at, (i+1)*b.SeqLen)
	}
}

// fillWindow puts a window at a slot and returns the slot after it.
func (e *Evaluation) fillWindow(b *Batch, at int, w window) int {
	n := int(w.to - w.start)
	tokens, targets := b.Tokens[at:at+n], b.Targets[at:at+n]
	e.slots.copy(tokens, targets, w.doc, w.start)
	for i := range w.from - w.start {
		targets[i] = Ignored
	}
	b.Segments = append(b.Segments, Segment{int32(at), int32(n)})
	return at + n
}
