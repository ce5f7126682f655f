package nn

import (
	"math"
	"testing"

	"github.com/aries-serpent/codexml/tensor"
)

// dropped applies dropout to ones at one place of a model, for rows of a batch.
func dropped(t *testing.T, step uint64, samples ...int64) []float32 {
	const seqLen, cols = 40, 33
	b := &Batch{Rows: len(samples), SeqLen: seqLen, Samples: samples}
	for r := range samples {
		b.Segments = append(b.Segments, Segment{int32(r * seqLen), seqLen})
	}
	c := newTestContext(t, tensor.F32, b)
	c.Train, c.Seed, c.Step = true, 5, step
	l := NewDropout(0.25, 3)
	x := make([]float32, b.Slots()*cols)
	for i := range x {
		x[i] = 1
	}
	l.begin(c)
	for i := range b.Slots() {
		l.apply(x[i*cols:(i+1)*cols], x[i*cols:(i+1)*cols], i, cols, 0)
	}
	d := make([]float32, len(x))
	for i := range d {
		d[i] = 1
	}
	for i, v := range l.backward(c, tensor.FromF32(d, b.Slots(), cols)).F32 {
		if v != x[i] {
			t.Fatalf("element %d: the backward mask gives %v, the forward one %v", i, v, x[i])
		}
	}
	return x
}

func TestDropout(t *testing.T) {
	x := dropped(t, 1, 0, 1)
	zeros := 0
	for _, v := range x {
		if v == 0 {
			zeros++
		} else if math.Abs(float64(v)-1/0.75) > 1e-6 {
			t.Fatalf("a kept element is %v, want %v", v, 1/0.75)
		}
	}
	if share := float64(zeros) / float64(len(x)); math.Abs(share-0.25) > 0.03 {
		t.Errorf("%.3f of the elements are dropped, want 0.25", share)
	}
	same := func(a, b []float32) bool {
		for i := range a {
			if a[i] != b[i] {
				return false
			}
		}
		return true
	}
	if alone := dropped(t, 1, 1); !same(alone, x[len(x)/2:]) {
		t.Error("a sample's mask depends on what is beside it in the batch")
	}
	if same(x[:len(x)/2], x[len(x)/2:]) {
		t.Error("two samples have one mask")
	}
	if same(x, dropped(t, 2, 0, 1)) {
		t.Error("two steps have one mask")
	}
}
