package data

import (
	"fmt"

	"github.com/aries-serpent/codexml/internal/rng"
)

// LoaderOptions say how tokens become batches. All of them reach the result.
type LoaderOptions struct {
	SeqLen       int    // tokens of a row; an odd number gets a slot of padding
	BatchSize    int    // rows of an optimiser step: the global batch
	Seed         uint64 // of the order of rows
	Specials     Specials
	BestFit      bool // Config.Packing is best_fit
	DocumentMask bool // Config.DocumentMask
}

// Loader deals the rows of a token file out to training steps without end: each
// epoch has every row once, in an order of its own, and the last step of an epoch
// may have fewer rows than the others. What a step gets is a function of its number,
// so there is nothing to save and resuming costs nothing.
type Loader struct {
	o       LoaderOptions
	slots   slots
	packing packing
	rows    int
}

// NewLoader verifies the tokens and prepares to deal them out.
func NewLoader(t *Tokens, o LoaderOptions) (*Loader, error) {
	if o.SeqLen < 1 || o.BatchSize < 1 {
		panic(fmt.Sprintf("data: NewLoader: seq_len %d, batch size %d", o.SeqLen, o.BatchSize))
	}
	s, err := usable(t, o.Specials)
	if err != nil {
		return nil, fmt.Errorf("load training data: %w", err)
	}
	l := &Loader{o: o, slots: s, packing: concat{s, int64(o.SeqLen)}}
	if o.BestFit {
		if l.packing, err = newBestFit(s, o.SeqLen); err != nil {
			return nil, fmt.Errorf("load training data: %w", err)
		}
	}
	l.rows = l.packing.rows()
	return l, nil
}

// usable verifies tokens and that they have something to predict.
func usable(t *Tokens, sp Specials) (slots, error) {
	for _, id := range []int32{sp.BOS, sp.EOS} {
		if id >= int32(t.VocabSize()) {
			return slots{}, fmt.Errorf("special token %d is not in the vocabulary of %s, which has %d tokens", id, t.path, t.VocabSize())
		}
	}
	if err := t.Verify(); err != nil {
		return slots{}, err
	}
	s := newSlots(t, sp)
	if s.total() == 0 {
		return slots{}, fmt.Errorf("%w: %s: every document is a single token, and without BOS or EOS there is nothing to predict: give longer documents, "+
			"or a tokenizer with one of them", ErrEmpty, t.path)
	}
	return s, nil
}

// RowsPerEpoch is the number of rows.
func (l *Loader) RowsPerEpoch() int { return l.rows }

// TokensPerEpoch is the number of trained targets of an epoch.
func (l *Loader) TokensPerEpoch() int64 { return l.slots.total() }

// StepsPerEpoch is the number of steps that deal out every row once.
func (l *Loader) StepsPerEpoch() int { return (l.rows + l.o.BatchSize - 1) / l.o.BatchSize }

// SlotsPerRow is the length of a row in batches: SeqLen made even.
func (l *Loader) SlotsPerRow() int { return evenLen(l.o.SeqLen) }

// place is the epoch of a step and the number of the step's first row in the
// epoch's order.
func (l *Loader) place(step int) (epoch, first int) {
	if step < 0 {
		panic(fmt.Sprintf("data: Loader: step %d", step))
	}
	n := l.StepsPerEpoch()
	return step / n, step % n * l.o.BatchSize
}

// StepRows is the number of rows of a step.
func (l *Loader) StepRows(step int) int {
	_, first := l.place(step)
	return min(l.o.BatchSize, l.rows-first)
}

// StepTokens is the number of trained targets of a step.
func (l *Loader) StepTokens(step int) int {
	epoch, first := l.place(step)
	order := rng.NewPermutation(l.rows, l.o.Seed, uint64(epoch))
	n := 0
	for i := range l.StepRows(step) {
		n += l.packing.filled(order.At(first + i))
	}
	return n
}

// Fill makes b rows from..from+count-1 of a step: a micro-batch. It allocates
// nothing once b has had its largest size. Loaders may be used by several goroutines,
// each with its own batch.
func (l *Loader) Fill(b *Batch, step, from, count int) {
	if from < 0 || count < 0 || from+count > l.StepRows(step) {
		panic(fmt.Sprintf("data: Loader.Fill: rows %d to %d of the %d of step %d", from, from+count, l.StepRows(step), step))
	}
	epoch, first := l.place(step)
	order := rng.NewPermutation(l.rows, l.o.Seed, uint64(epoch))
	b.reset(count, l.SlotsPerRow())
	for i := range count {
		b.Samples[i] = int64(epoch)*int64(l.rows) + int64(first+from+i)
		l.fillRow(b, i, order.At(first+from+i))
	}
}

// fillRow makes row i of a batch row r of the data.
func (l *Loader) fillRow(b *Batch, i, r int) {
	start, end := i*b.SeqLen, (i+1)*b.SeqLen
	at := start
	for k := 0; ; k++ {
		sp, ok := l.packing.span(r, k, at-start)
		if !ok {
			break
		}
		l.slots.copy(b.Tokens[at:at+sp.size], b.Targets[at:at+sp.size], sp.doc, sp.from)
		if l.o.DocumentMask {
			b.Segments = append(b.Segments, Segment{int32(at), int32(sp.size)})
		}
		at += sp.size
	}
	if !l.o.DocumentMask {
		b.Segments = append(b.Segments, Segment{int32(start), int32(at - start)})
	}
	b.pad(at, end)
}
