package data

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// slot is what a slot of a document holds.
type slot struct{ token, target int32 }

// allSlots is the definition: pairs of neighbours in BOS, tokens, EOS.
func allSlots(docs [][]int32, sp Specials) [][]slot {
	all := make([][]slot, len(docs))
	for d, ids := range docs {
		var seq []int32
		if sp.BOS >= 0 {
			seq = append(seq, sp.BOS)
		}
		seq = append(seq, ids...)
		if sp.EOS >= 0 {
			seq = append(seq, sp.EOS)
		}
		for i := range len(seq) - 1 {
			all[d] = append(all[d], slot{seq[i], seq[i+1]})
		}
	}
	return all
}

// unique draws documents in which no token comes twice, so that a slot tells its
// place; 0 and 1 are special.
func unique(t *rapid.T) [][]int32 {
	sizes := rapid.SliceOfN(rapid.IntRange(1, 40), 1, 12).Draw(t, "sizes")
	docs := make([][]int32, len(sizes))
	next := int32(2)
	for d, n := range sizes {
		for range n {
			docs[d] = append(docs[d], next)
			next++
		}
	}
	return docs
}

func drawSpecials(t *rapid.T) Specials {
	return rapid.SampledFrom([]Specials{{0, 1}, {0, None}, {None, 1}, {None, None}, {1, 1}}).Draw(t, "specials")
}

// checkSegments wants every slot in one segment, in order, and padding alone.
func checkSegments(t *rapid.T, b *Batch) {
	at := int32(0)
	for _, s := range b.Segments {
		if s.Start != at || s.Len < 1 {
			t.Fatalf("segment %+v, want one from %d", s, at)
		}
		if int(s.Start)/b.SeqLen != int(s.Start+s.Len-1)/b.SeqLen {
			t.Fatalf("segment %+v spans rows of %d", s, b.SeqLen)
		}
		at += s.Len
	}
	if int(at) != b.Rows*b.SeqLen || len(b.Tokens) != int(at) || len(b.Targets) != int(at) || len(b.Samples) != b.Rows {
		t.Fatalf("%d slots in segments, %d tokens, %d targets, %d samples, want %d x %d", at, len(b.Tokens), len(b.Targets), len(b.Samples), b.Rows, b.SeqLen)
	}
}

func TestEveryTokenIsTrainedOncePerEpoch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs, sp := unique(t), drawSpecials(t)
		o := LoaderOptions{
			SeqLen: rapid.IntRange(1, 30).Draw(t, "seq_len"), BatchSize: rapid.IntRange(1, 5).Draw(t, "batch"), Seed: rapid.Uint64().Draw(t, "seed"),
			Specials: sp, BestFit: rapid.Bool().Draw(t, "best_fit"), DocumentMask: rapid.Bool().Draw(t, "mask"),
		}
		want := map[slot]int{}
		n := 0
		for _, doc := range allSlots(docs, sp) {
			for _, s := range doc {
				want[s]++
				n++
			}
		}
		l, err := NewLoader(NewTokens(1000, docs...), o)
		if n == 0 {
			if !errors.Is(err, ErrEmpty) {
				t.Fatalf("nothing to predict: got %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if l.TokensPerEpoch() != int64(n) || l.SlotsPerRow()%2 != 0 || l.SlotsPerRow()-o.SeqLen > 1 {
			t.Errorf("%d tokens, want %d; %d slots for %d", l.TokensPerEpoch(), n, l.SlotsPerRow(), o.SeqLen)
		}
		samples := map[int64]bool{}
		for epoch := range 2 {
			got, rows := map[slot]int{}, 0
			for step := epoch * l.StepsPerEpoch(); step < (epoch+1)*l.StepsPerEpoch(); step++ {
				trained := 0
				rows += l.StepRows(step)
				for from := 0; from < l.StepRows(step); {
					count := rapid.IntRange(1, l.StepRows(step)-from).Draw(t, "count")
					var b Batch
					l.Fill(&b, step, from, count)
					checkSegments(t, &b)
					trained += checkRows(t, &b, o, docs, got)
					for _, s := range b.Samples {
						if samples[s] {
							t.Errorf("sample %d twice", s)
						}
						samples[s] = true
					}
					from += count
				}
				if l.StepTokens(step) != trained {
					t.Errorf("step %d: StepTokens says %d, is %d", step, l.StepTokens(step), trained)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("epoch %d trains\n%v, want\n%v", epoch, got, want)
			}
			if rows != l.RowsPerEpoch() {
				t.Errorf("epoch %d has %d rows, want %d", epoch, rows, l.RowsPerEpoch())
			}
		}
	})
}

// checkRows checks what segments hold and counts the trained slots.
func checkRows(t *rapid.T, b *Batch, o LoaderOptions, docs [][]int32, got map[slot]int) (trained int) {
	owner := func(s slot) int {
		return slices.IndexFunc(docs, func(ids []int32) bool { return slices.Contains(ids, s.token) || slices.Contains(ids, s.target) })
	}
	for _, seg := range b.Segments {
		for i := seg.Start; i < seg.Start+seg.Len; i++ {
			s := slot{b.Tokens[i], b.Targets[i]}
			if s.target == Ignored {
				if s.token != 0 || seg.Len != 1 || int(i)%b.SeqLen == 0 {
					t.Errorf("slot %d of padding holds %v in segment %+v", i, s, seg)
				}
				continue
			}
			trained++
			got[s]++
			first := slot{b.Tokens[seg.Start], b.Targets[seg.Start]}
			if o.DocumentMask && owner(s) != owner(first) {
				t.Errorf("segment %+v holds documents %d and %d", seg, owner(first), owner(s))
			}
			if o.DocumentMask && i > seg.Start && b.Targets[i-1] != s.token {
				t.Errorf("slot %d reads %d after %d was predicted", i, s.token, b.Targets[i-1])
			}
		}
	}
	return trained
}

func TestLoaderIsAFunctionOfTheStep(t *testing.T) {
	var docs [][]int32
	for d := range 20 {
		docs = append(docs, make([]int32, 5+d))
		for i := range docs[d] {
			docs[d][i] = int32(100*d + i)
		}
	}
	tokens := NewTokens(4000, docs...)
	row := func(o LoaderOptions, step, from, count int) string {
		l, err := NewLoader(tokens, o)
		if err != nil {
			t.Fatal(err)
		}
		var b Batch
		l.Fill(&b, step, from, count)
		return fmt.Sprint(b.Tokens, b.Targets, b.Samples)
	}
	o := LoaderOptions{SeqLen: 8, BatchSize: 4, Seed: 1, Specials: Specials{None, None}, DocumentMask: true}
	for _, at := range [][2]int{{0, 4}, {2, 1}} {
		first := row(o, 3, at[0], at[1])
		if again := row(o, 3, at[0], at[1]); again != first {
			t.Errorf("rows %v of a step: %s, then %s", at, first, again)
		}
	}
	l, err := NewLoader(tokens, o)
	if err != nil {
		t.Fatal(err)
	}
	var whole, part Batch
	l.Fill(&whole, 5, 0, 4)
	for i := range 4 {
		l.Fill(&part, 5, i, 1)
		if !slices.Equal(part.Tokens, whole.Tokens[8*i:8*i+8]) || part.Samples[0] != whole.Samples[i] {
			t.Errorf("row %d alone differs", i)
		}
	}
	other := o
	other.Seed = 2
	if row(o, 0, 0, 4) == row(other, 0, 0, 4) {
		t.Error("two seeds give one order")
	}
	if row(o, 0, 0, 4) == row(o, l.StepsPerEpoch(), 0, 4) {
		t.Error("two epochs have one order")
	}
}

func TestBestFitCutsNoDocumentThatFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs := unique(t)
		T := rapid.IntRange(1, 30).Draw(t, "seq_len")
		tokens := NewTokens(1000, docs...)
		s := newSlots(tokens, Specials{0, None})
		p, err := newBestFit(s, T)
		if err != nil {
			t.Fatal(err)
		}
		spans := make([]int, len(docs))
		waste := 0
		for r := range p.rows() {
			waste += T - p.filled(r)
			for k := 0; ; k++ {
				sp, ok := p.span(r, k, 0)
				if !ok {
					break
				}
				spans[sp.doc]++
			}
		}
		for d, ids := range docs {
			if want := (len(ids) + T - 1) / T; spans[d] != want {
				t.Errorf("document of %d slots is in %d spans of %d, want %d", len(ids), spans[d], T, want)
			}
		}
		// All rows but one are at least half full on average: the rests of two that are not would fit together.
		if 2*waste > T*(p.rows()+1) {
			t.Errorf("%d slots of %d rows of %d are padding", waste, p.rows(), T)
		}
	})
}

func TestNewLoaderRejects(t *testing.T) {
	f := func(tokens *Tokens, sp Specials, want string) {
		t.Helper()
		if _, err := NewLoader(tokens, LoaderOptions{SeqLen: 4, BatchSize: 1, Specials: sp}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		if _, err := NewEvaluation(tokens, EvaluationOptions{SeqLen: 4, BatchSize: 1, Specials: sp}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f(NewTokens(10, []int32{1}, []int32{2}), Specials{None, None}, "every document is a single token")
	f(NewTokens(10, []int32{1, 2}), Specials{10, None}, "special token 10 is not in the vocabulary")
	damaged := NewTokens(10, []int32{1, 2})
	damaged.image[headerBytes] = 3
	f(damaged, Specials{None, None}, "damaged token file")
}

func TestFillAllocatesNothing(t *testing.T) {
	docs := make([][]int32, 300)
	for d := range docs {
		docs[d] = make([]int32, 1+d%70)
	}
	tokens := NewTokens(10, docs...)
	for _, fit := range []bool{false, true} {
		l, err := NewLoader(tokens, LoaderOptions{SeqLen: 63, BatchSize: 8, Specials: Specials{0, 1}, BestFit: fit, DocumentMask: true})
		if err != nil {
			t.Fatal(err)
		}
		var b Batch
		l.Fill(&b, 0, 0, 8)
		step := 0
		if n := testing.AllocsPerRun(100, func() {
			l.Fill(&b, step, 0, l.StepRows(step))
			l.StepTokens(step)
			step++
		}); n != 0 {
			t.Errorf("best_fit %v: %v allocations", fit, n)
		}
	}
	e, err := NewEvaluation(tokens, EvaluationOptions{SeqLen: 64, BatchSize: 8, Specials: Specials{0, 1}, Stride: 32})
	if err != nil {
		t.Fatal(err)
	}
	var b Batch
	e.Fill(&b, 0)
	if n := testing.AllocsPerRun(100, func() { e.Fill(&b, e.Batches()-1) }); n != 0 {
		t.Errorf("evaluation: %v allocations", n)
	}
}

func BenchmarkFill(b *testing.B) {
	docs := make([][]int32, 3000)
	for d := range docs {
		docs[d] = make([]int32, 1+d)
	}
	l, err := NewLoader(NewTokens(4096, docs...), LoaderOptions{SeqLen: 512, BatchSize: 8, Specials: Specials{2, 3}, DocumentMask: true})
	if err != nil {
		b.Fatal(err)
	}
	var batch Batch
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		step := i % (l.StepsPerEpoch() - 1)
		l.Fill(&batch, step, 0, 8)
	}
}
