package data

import "sort"

// None is the token of a special that there is none of.
const None int32 = -1

// Specials are the tokens put around each document, or None. A document's sequence
// is BOS, its tokens, EOS. Every token of the sequence but the last fills a slot, with
// the one after it as target: so EOS is predicted and never read, and without BOS
// the first token is read and never predicted. (A tokenizer whose one special
// separates documents, as GPT-2's, gives it as both.)
type Specials struct{ BOS, EOS int32 }

// slots sees a token file as the slots of its documents one after another.
type slots struct {
	t *Tokens
	Specials
	extra int64 // slots of a document beyond its tokens: -1, 0 or 1
}

func newSlots(t *Tokens, sp Specials) slots {
	s := slots{t: t, Specials: sp, extra: -1}
	if sp.BOS >= 0 {
		s.extra++
	}
	if sp.EOS >= 0 {
		s.extra++
	}
	return s
}

// start is the number of slots before a document.
func (s slots) start(doc int) int64 { return s.t.offset(doc) + int64(doc)*s.extra }

// size is the number of slots of a document.
func (s slots) size(doc int) int64 { return s.t.DocumentLen(doc) + s.extra }

// total is the number of slots of all documents.
func (s slots) total() int64 { return s.start(s.t.documents) }

// find returns the document that a slot is in.
func (s slots) find(slot int64) int {
	return sort.Search(s.t.documents, func(doc int) bool { return s.start(doc+1) > slot })
}

// copy fills tokens and targets with a document's slots from the given one on.
func (s slots) copy(tokens, targets []int32, doc int, from int64) {
	s.sequence(tokens, doc, from)
	s.sequence(targets, doc, from+1)
}

// sequence fills dst with a document's sequence from a position on.
func (s slots) sequence(dst []int32, doc int, from int64) {
	if s.BOS >= 0 {
		if from == 0 && len(dst) > 0 {
			dst[0] = s.BOS
			dst = dst[1:]
		} else {
			from--
		}
	}
	if n := s.t.DocumentLen(doc) - from; int64(len(dst)) > n {
		dst[n] = s.EOS
		dst = dst[:n]
	}
	s.t.read(dst, s.t.offset(doc)+from)
}
