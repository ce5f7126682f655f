package model_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/internal/testkit"
	"github.com/aries-serpent/codexml/model"
	_ "github.com/aries-serpent/codexml/model/decoder"
	_ "github.com/aries-serpent/codexml/model/gpt2"
	"github.com/aries-serpent/codexml/model/modeltest"
	"github.com/aries-serpent/codexml/nn"
	"github.com/aries-serpent/codexml/tensor"
)

// each runs f for every tiny configuration.
func each(t *testing.T, f func(t *testing.T, cfg model.Config)) {
	configs := modeltest.Configs()
	for _, name := range slices.Sorted(maps.Keys(configs)) {
		t.Run(name, func(t *testing.T) { f(t, configs[name]) })
	}
}

func build(t testing.TB, cfg model.Config) model.Model {
	t.Helper()
	m, err := model.New(cfg, 7)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func newContext(t testing.TB, m model.Model, threads int, dtype tensor.DType) *nn.Context {
	pool := par.New(threads)
	t.Cleanup(pool.Close)
	if dtype == tensor.BF16 {
		for _, p := range m.Params() {
			p.SyncHalf()
		}
	}
	return nn.NewContext(pool, dtype, 1<<20, 1<<20)
}

// step computes the gradients of a batch in micro-batches of the given rows.
func step(c *nn.Context, m model.Model, b *nn.Batch, rows int) []float32 {
	losses := make([]float32, b.Slots())
	c.StepSlots, c.Train, c.Seed, c.Step = b.Slots(), true, 42, 3
	for r := 0; r < b.Rows; r += rows {
		part := part(b, r, min(rows, b.Rows-r))
		c.First = r == 0
		c.SetBatch(part)
		m.Loss(c, losses[r*b.SeqLen:][:part.Slots()], 0.125, true)
	}
	m.FinishGrads(c)
	return losses
}

func part(b *nn.Batch, row, rows int) *nn.Batch {
	lo, hi := row*b.SeqLen, (row+rows)*b.SeqLen
	p := &nn.Batch{Rows: rows, SeqLen: b.SeqLen, Tokens: b.Tokens[lo:hi], Targets: b.Targets[lo:hi], Samples: b.Samples[row : row+rows]}
	for _, s := range b.Segments {
		if int(s.Start) >= lo && int(s.Start) < hi {
			p.Segments = append(p.Segments, nn.Segment{Start: s.Start - int32(lo), Len: s.Len})
		}
	}
	return p
}

// digest is a hash of all gradients and losses.
func digest(m model.Model, losses []float32) string {
	h := sha256.New()
	for _, p := range m.Params() {
		binary.Write(h, binary.LittleEndian, p.Grad)
	}
	binary.Write(h, binary.LittleEndian, losses)
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

func TestGradientsAgreeWithFiniteDifferencesInFloat64(t *testing.T) {
	each(t, func(t *testing.T, cfg model.Config) {
		m := build(t, cfg)
		if cfg.ZeroInitOutput {
			t.Fatal("a zero output hides gradients")
		}
		c, b := newContext(t, m, 2, tensor.F32), modeltest.Batch(2, 10, cfg.VocabSize)
		losses := step(c, m, b, 2)
		ref, sum := modeltest.NewReference(m), 0.0
		for _, l := range losses {
			sum += float64(l)
		}
		if want := ref.Loss(b); math.Abs(sum-want) > 2e-6*want {
			t.Errorf("loss: got %v, want %v", sum, want)
		}
		for _, p := range m.Params() {
			w := ref.Weights[p.Name]
			largest := 0.0
			for _, g := range p.Grad {
				largest = max(largest, math.Abs(float64(g)))
			}
			for i := 0; i < len(w); i += 1 + len(w)/6 {
				const h = 1e-5
				x := w[i]
				w[i] = x + h
				up := ref.Loss(b)
				w[i] = x - h
				want := 0.125 * (up - ref.Loss(b)) / (2 * h)
				w[i] = x
				if got := float64(p.Grad[i]); math.Abs(got-want) > 2e-5*max(largest, 1e-3) {
					t.Errorf("%s[%d]: gradient %v, want %v (largest %v)", p.Name, i, got, want, largest)
				}
			}
		}
	})
}

func TestBitsDoNotDependOnSplitThreadsOrRecomputation(t *testing.T) {
	each(t, func(t *testing.T, cfg model.Config) {
		cfg.Dropout = 0.1
		for _, dtype := range []tensor.DType{tensor.F32, tensor.BF16} {
			m := build(t, cfg)
			b := modeltest.Batch(6, 14, cfg.VocabSize)
			var want string
			for _, v := range []struct {
				threads   int
				recompute model.Recompute
				rows      int
			}{
				{1, model.RecomputeNone, 6}, {2, model.RecomputeNone, 1}, {3, model.RecomputeNone, 4}, {1, model.RecomputeCheap, 2}, {3, model.RecomputeCheap, 6},
				{2, model.RecomputeBlock, 6}, {3, model.RecomputeBlock, 1},
			} {
				c := newContext(t, m, v.threads, dtype)
				m.SetRecompute(v.recompute)
				got := digest(m, step(c, m, b, v.rows))
				if want == "" {
					want = got
				}
				if got != want {
					t.Errorf("%v, %d threads, recompute %d, %d rows at a time: %s, want %s", dtype, v.threads, v.recompute, v.rows, got, want)
				}
			}
		}
	})
}

func TestDecodingEqualsTheWholePass(t *testing.T) {
	each(t, func(t *testing.T, cfg model.Config) {
		for _, dtype := range []tensor.DType{tensor.F32, tensor.BF16} {
			m := build(t, cfg)
			c := newContext(t, m, 2, dtype)
			n, v := 180, cfg.VocabSize
			tokens := modeltest.Batch(1, n, v).Tokens
			c.SetBatch(&nn.Batch{Rows: 1, SeqLen: n, Tokens: tokens, Targets: make([]int32, n), Segments: []nn.Segment{{Len: int32(n)}}, Samples: []int64{0}})
			want := tensor.FromF32(make([]float32, n*v), n, v)
			m.Logits(c, want)
			for _, chunk := range []int{1, 7, 128} {
				s, got := m.NewState(dtype, n), make([]float32, v)
				for at := 0; at < n; at += chunk {
					end := min(at+chunk, n)
					m.Decode(c, s, tokens[at:end], got)
					if !slices.Equal(got, want.F32[(end-1)*v:end*v]) {
						t.Fatalf("%v, chunks of %d: logits after token %d differ", dtype, chunk, end)
					}
				}
			}
		}
	})
}

func TestPackedDocumentsEqualThemselvesAlone(t *testing.T) {
	each(t, func(t *testing.T, cfg model.Config) {
		m := build(t, cfg)
		c, b, v := newContext(t, m, 2, tensor.F32), modeltest.Batch(2, 160, cfg.VocabSize), cfg.VocabSize
		c.SetBatch(b)
		packed := tensor.FromF32(make([]float32, b.Slots()*v), b.Slots(), v)
		m.Logits(c, packed)
		for _, s := range b.Segments {
			lo, hi := int(s.Start), int(s.Start+s.Len)
			c.SetBatch(&nn.Batch{Rows: 1, SeqLen: hi - lo, Tokens: b.Tokens[lo:hi], Targets: b.Targets[lo:hi], Segments: []nn.Segment{{Len: s.Len}}, Samples: []int64{0}})
			alone := tensor.FromF32(make([]float32, (hi-lo)*v), hi-lo, v)
			m.Logits(c, alone)
			if !slices.Equal(alone.F32, packed.F32[lo*v:hi*v]) {
				t.Fatalf("document at %d, %d tokens: logits differ", lo, s.Len)
			}
		}
	})
}

func TestAStepAllocatesNothing(t *testing.T) {
	each(t, func(t *testing.T, cfg model.Config) {
		cfg.Dropout = 0.1
		for _, dtype := range []tensor.DType{tensor.F32, tensor.BF16} {
			m := build(t, cfg)
			c, b := newContext(t, m, 2, dtype), modeltest.Batch(2, 32, cfg.VocabSize)
			losses := make([]float32, b.Slots())
			c.First = true
			run := func() {
				c.SetBatch(b)
				m.Loss(c, losses, 1, true)
				m.FinishGrads(c)
			}
			run()
			if n := testkit.SteadyAllocs(run); n != 0 {
				t.Errorf("%v: %v allocations per step, want 0", dtype, n)
			}
		}
	})
}

func TestPlanIsWhatAStepTakes(t *testing.T) {
	each(t, func(t *testing.T, cfg model.Config) {
		for _, dtype := range []tensor.DType{tensor.F32, tensor.BF16} {
			for _, recompute := range []model.Recompute{model.RecomputeNone, model.RecomputeCheap, model.RecomputeBlock} {
				m := build(t, cfg)
				m.SetRecompute(recompute)
				c, b := newContext(t, m, 1, dtype), modeltest.Batch(8, 64, cfg.VocabSize)
				step(c, m, b, 8)
				plan := m.Plan(8, 64, dtype)
				if got, want := c.Saved.Peak(), plan.Activations; math.Abs(float64(got-want)) > 0.02*float64(want) {
					t.Errorf("%v, recompute %d: activations take %d bytes, the plan says %d", dtype, recompute, got, want)
				}
				if got, want := c.Temp.Peak(), plan.Temporaries+plan.Head; math.Abs(float64(got-want)) > 0.02*float64(want) {
					t.Errorf("%v, recompute %d: temporaries take %d bytes, the plan says %d", dtype, recompute, got, want)
				}
			}
		}
	})
}
