package tokenizer

import (
	"errors"
	"fmt"
	"slices"
)

// Span is a stretch of a text.
type Span struct{ Start, End int }

// Encoding is what a text, or a pair, was encoded to: a value of every slice for each
// id.
type Encoding struct {
	IDs     []int32
	TypeIDs []int32
	// Tokens are the pieces as the vocabulary writes them, and added tokens as they
	// stand in the text.
	Tokens []string
	// Offsets and CharOffsets are where the ids come from in their text, in bytes and
	// in characters. Those of ids that are not from text are 0 and 0.
	Offsets, CharOffsets []Span
	// WordIDs number the pieces that the text was cut into, each text's from 0; -1
	// stands for ids that are not from text.
	WordIDs []int32
	// SequenceIDs are 0 for the text, 1 for its pair, -1 for ids from neither.
	SequenceIDs []int32
	// SpecialMask is 1 for ids that were added to what the text has, AttentionMask 0
	// for padding.
	SpecialMask, AttentionMask []int32
	// Overflowing are the further windows of a text that was truncated.
	Overflowing []*Encoding
}

// Len is the number of ids.
func (e *Encoding) Len() int { return len(e.IDs) }

// slice returns a window, with slices of its own.
func (e *Encoding) slice(start, end int) *Encoding {
	return &Encoding{
		IDs: slices.Clone(e.IDs[start:end]), TypeIDs: slices.Clone(e.TypeIDs[start:end]), Tokens: slices.Clone(e.Tokens[start:end]),
		Offsets: slices.Clone(e.Offsets[start:end]), CharOffsets: slices.Clone(e.CharOffsets[start:end]),
		WordIDs: slices.Clone(e.WordIDs[start:end]), SequenceIDs: slices.Clone(e.SequenceIDs[start:end]),
		SpecialMask: slices.Clone(e.SpecialMask[start:end]), AttentionMask: slices.Clone(e.AttentionMask[start:end]),
	}
}

// appendAll appends the ids of other, not its windows.
func (e *Encoding) appendAll(other *Encoding) {
	e.IDs, e.TypeIDs, e.Tokens = append(e.IDs, other.IDs...), append(e.TypeIDs, other.TypeIDs...), append(e.Tokens, other.Tokens...)
	e.Offsets, e.CharOffsets = append(e.Offsets, other.Offsets...), append(e.CharOffsets, other.CharOffsets...)
	e.WordIDs, e.SequenceIDs = append(e.WordIDs, other.WordIDs...), append(e.SequenceIDs, other.SequenceIDs...)
	e.SpecialMask, e.AttentionMask = append(e.SpecialMask, other.SpecialMask...), append(e.AttentionMask, other.AttentionMask...)
}

// appendOne appends an id that is not from text.
func (e *Encoding) appendOne(id, typeID int32, token string) {
	e.IDs, e.TypeIDs, e.Tokens = append(e.IDs, id), append(e.TypeIDs, typeID), append(e.Tokens, token)
	e.Offsets, e.CharOffsets = append(e.Offsets, Span{}), append(e.CharOffsets, Span{})
	e.WordIDs, e.SequenceIDs = append(e.WordIDs, -1), append(e.SequenceIDs, -1)
	e.SpecialMask, e.AttentionMask = append(e.SpecialMask, 1), append(e.AttentionMask, 1)
}

// joined is e followed by other, without windows.
func (e *Encoding) joined(other *Encoding) *Encoding {
	both := e.slice(0, e.Len())
	both.appendAll(other)
	return both
}

// merge appends other, and combines the windows of both in the original's order.
func (e *Encoding) merge(other *Encoding) {
	var windows []*Encoding
	for _, mine := range e.Overflowing {
		windows = append(windows, mine.joined(other))
		for _, theirs := range other.Overflowing {
			windows = append(windows, mine.joined(theirs))
		}
	}
	for _, theirs := range other.Overflowing {
		windows = append(windows, e.joined(theirs))
	}
	e.appendAll(other)
	e.Overflowing = windows
}

// setSequence says which text the ids are from.
func (e *Encoding) setSequence(id int32) {
	for i := range e.SequenceIDs {
		e.SequenceIDs[i] = id
	}
	for _, w := range e.Overflowing {
		w.setSequence(id)
	}
}

// Direction is an end of a text.
type Direction uint8

// Right is the end, Left the beginning.
const (
	Right Direction = iota
	Left
)

// TruncationStrategy says what is cut of a pair.
type TruncationStrategy uint8

// The strategies: the longer text first, only the first, only the second.
const (
	LongestFirst TruncationStrategy = iota
	OnlyFirst
	OnlySecond
)

// Truncation bounds the number of ids.
type Truncation struct {
	// MaxLength is the number of ids, with those that are added to the text's.
	MaxLength int
	// Stride is how many ids a further window repeats of the one before it.
	Stride    int
	Strategy  TruncationStrategy
	Direction Direction // the end that is cut off
}

// Padding lengthens encodings to one length.
type Padding struct {
	// Length is the length to reach; 0 stands for that of the longest encoding of the
	// batch.
	Length int
	// MultipleOf rounds the length up, if it is not 0.
	MultipleOf int
	ID, TypeID int32
	Token      string
	Direction  Direction // the end that is added to
}

// truncate cuts e to n ids; the rest becomes windows.
func (e *Encoding) truncate(n, stride int, direction Direction) error {
	size := e.Len()
	switch {
	case n >= size:
		return nil
	case n == 0:
		all := e.slice(0, size)
		*e = Encoding{Overflowing: append(e.Overflowing, all)}
		return nil
	case stride >= n:
		return fmt.Errorf("truncate: the stride is %d, want less than the %d ids that a text may have besides added ones", stride, n)
	}
	var windows []*Encoding
	if direction == Right {
		for start := 0; ; start += n - stride {
			stop := min(start+n, size)
			windows = append(windows, e.slice(start, stop))
			if stop == size {
				break
			}
		}
	} else {
		for stop := size; ; stop -= n - stride {
			start := max(stop-n, 0)
			windows = append(windows, e.slice(start, stop))
			if start == 0 {
				break
			}
		}
	}
	*e = *windows[0]
	e.Overflowing = windows[1:]
	return nil
}

// truncatePair applies t to a text and its pair, nil if there is none, which get
// added ids more afterwards.
func truncatePair(first, second *Encoding, t Truncation, added int) error {
	limit := t.MaxLength - added
	if limit < 0 {
		return fmt.Errorf("truncate: at most %d ids are wanted, but %d are added to every text", t.MaxLength, added)
	}
	total := first.Len()
	if second != nil {
		total += second.Len()
	}
	if total <= limit && limit > 0 {
		return nil
	}
	n1, n2, err := t.lengths(first, second, limit, total)
	if err != nil {
		return err
	}
	if err := first.truncate(n1, t.Stride, t.Direction); err != nil || second == nil {
		return err
	}
	return second.truncate(n2, t.Stride, t.Direction)
}

// lengths says how many ids the texts keep.
func (t Truncation) lengths(first, second *Encoding, limit, total int) (n1, n2 int, err error) {
	n1 = first.Len()
	if second != nil {
		n2 = second.Len()
	}
	remove := total - limit
	switch {
	case limit == 0:
		return 0, 0, nil
	case t.Strategy == LongestFirst && second == nil:
		return limit, 0, nil
	case t.Strategy == LongestFirst:
		n1, n2 = longestFirst(n1, n2, limit)
		return n1, n2, nil
	case t.Strategy == OnlySecond && second == nil:
		return 0, 0, errors.New("truncate: only the second text may be cut, but there is none: choose longest_first or only_first")
	case t.Strategy == OnlyFirst && n1 > remove:
		return n1 - remove, n2, nil
	case t.Strategy == OnlySecond && n2 > remove:
		return n1, n2 - remove, nil
	}
	return 0, 0, fmt.Errorf("truncate: %d ids must go, but the text that may be cut has no more: choose longest_first", remove)
}

func longestFirst(n1, n2, limit int) (int, int) {
	swap := n1 > n2
	if swap {
		n1, n2 = n2, n1
	}
	if n1 > limit {
		n2 = n1
	} else {
		n2 = max(n1, limit-n1)
	}
	if n1+n2 > limit {
		n1 = limit / 2
		n2 = n1 + limit%2
	}
	if swap {
		n1, n2 = n2, n1
	}
	return n1, n2
}

// pad lengthens encodings, and their windows, to one length.
func (p Padding) pad(all []*Encoding) {
	length := p.Length
	if length == 0 {
		for _, e := range all {
			length = max(length, e.Len())
		}
	}
	if p.MultipleOf > 0 && length%p.MultipleOf > 0 {
		length += p.MultipleOf - length%p.MultipleOf
	}
	for _, e := range all {
		p.padTo(e, length)
	}
}

func (p Padding) padTo(e *Encoding, length int) {
	for _, w := range e.Overflowing {
		p.padTo(w, length)
	}
	n := length - e.Len()
	if n <= 0 {
		return
	}
	filler := &Encoding{}
	for range n {
		filler.appendOne(p.ID, p.TypeID, p.Token)
	}
	clear(filler.AttentionMask)
	if p.Direction == Left {
		windows := e.Overflowing
		filler.appendAll(e)
		*e = *filler
		e.Overflowing = windows
		return
	}
	e.appendAll(filler)
}
