package data

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestEvaluationScoresEveryTokenOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs, sp := unique(t), drawSpecials(t)
		o := EvaluationOptions{SeqLen: rapid.IntRange(1, 30).Draw(t, "seq_len"), BatchSize: rapid.IntRange(1, 4).Draw(t, "batch"), Specials: sp}
		o.Stride = rapid.IntRange(0, o.SeqLen).Draw(t, "stride")
		var want []slot // in order
		bytes, scored := int64(0), 0
		for d, doc := range allSlots(docs, sp) {
			if len(doc) > 0 {
				want = append(want, doc...)
				bytes += int64(len(docs[d]))
				scored++
			}
		}
		e, err := NewEvaluation(NewTokens(1000, docs...), o)
		if len(want) == 0 {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.Tokens() != int64(len(want)) || e.Bytes() != bytes || e.Documents() != scored {
			t.Errorf("%d tokens, %d bytes, %d documents, want %d, %d, %d", e.Tokens(), e.Bytes(), e.Documents(), len(want), bytes, scored)
		}
		var got []slot
		var b Batch
		for i := range e.Batches() {
			e.Fill(&b, i)
			checkSegments(t, &b)
			for _, seg := range b.Segments {
				got = append(got, checkWindow(t, &b, seg, o)...)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("scored\n%v, want\n%v", got, want)
		}
	})
}

// checkWindow returns what a segment scores. Its context comes first, and has
// SeqLen-Stride tokens unless the document has no more.
func checkWindow(t *rapid.T, b *Batch, seg Segment, o EvaluationOptions) (scored []slot) {
	context := 0
	for i := seg.Start; i < seg.Start+seg.Len; i++ {
		s := slot{b.Tokens[i], b.Targets[i]}
		if s.target == Ignored {
			if len(scored) > 0 {
				t.Errorf("slot %d is not scored, the one before it is", i)
			}
			context++
			continue
		}
		scored = append(scored, s)
		if i+1 < seg.Start+seg.Len && b.Tokens[i+1] != s.target {
			t.Errorf("slot %d predicts %d, but %d follows", i, s.target, b.Tokens[i+1])
		}
	}
	if len(scored) > 0 && context > 0 && (o.Stride == 0 || int(seg.Len) != o.SeqLen || context < o.SeqLen-o.Stride) {
		t.Errorf("segment of %d has a context of %d, stride %d of %d", seg.Len, context, o.Stride, o.SeqLen)
	}
	if o.Stride > 0 && len(scored) > o.Stride && context > 0 {
		t.Errorf("%d tokens are scored at once, stride %d", len(scored), o.Stride)
	}
	return scored
}

func TestEvaluationBoundsTokens(t *testing.T) {
	docs := make([][]int32, 100)
	for d := range docs {
		docs[d] = make([]int32, 10+d)
	}
	tokens := NewTokens(10, docs...)
	f := func(bound int64, seed uint64, least, most int64) *Evaluation {
		t.Helper()
		e, err := NewEvaluation(tokens, EvaluationOptions{SeqLen: 16, BatchSize: 4, Specials: Specials{0, None}, MaxTokens: bound, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		if e.Tokens() < least || e.Tokens() > most || e.Bytes() != e.Tokens() {
			t.Errorf("bound %d: %d tokens, %d bytes, want %d to %d", bound, e.Tokens(), e.Bytes(), least, most)
		}
		return e
	}
	all := tokens.Len()
	f(0, 1, all, all)
	f(all, 1, all, all)
	f(2000, 1, 1800, 2000)
	f(5, 1, 10, 10)
	if fmt.Sprint(f(2000, 1, 0, 2000).windows) == fmt.Sprint(f(2000, 2, 0, 2000).windows) {
		t.Error("two seeds draw the same documents")
	}
}
