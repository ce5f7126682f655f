package par

import (
	"fmt"
	"sync/atomic"
	"testing"
)

func TestForCoversTheRangeOnce(t *testing.T) {
	for threads := 1; threads <= 4; threads++ {
		p := New(threads)
		for n := range 70 {
			for grain := 1; grain < 9; grain += 3 {
				hits := make([]atomic.Int32, n)
				p.For(n, grain, func(worker, lo, hi int) {
					if worker < 0 || worker >= threads || lo%grain != 0 || hi-lo > grain {
						panic(fmt.Sprint("piece ", worker, lo, hi))
					}
					for i := lo; i < hi; i++ {
						hits[i].Add(1)
					}
				})
				for i := range hits {
					if got := hits[i].Load(); got != 1 {
						t.Fatalf("threads %d n %d grain %d: element %d was visited %d times", threads, n, grain, i, got)
					}
				}
			}
		}
		p.Close()
	}
}

func TestRunRaisesAPanicOfAHelper(t *testing.T) {
	p := New(3)
	defer p.Close()
	defer func() {
		if r := recover(); r != "worker 2" {
			t.Errorf("recovered %v, want worker 2", r)
		}
		p.Run(func(int) {}) // the pool still works
	}()
	p.Run(func(worker int) {
		if worker == 2 {
			panic("worker 2")
		}
	})
}

func TestForAllocatesNothing(t *testing.T) {
	p := New(2)
	defer p.Close()
	body := func(worker, lo, hi int) {}
	if n := testing.AllocsPerRun(100, func() { p.For(100, 7, body) }); n != 0 {
		t.Errorf("allocations per region: %v, want 0", n)
	}
}

func BenchmarkRegion(b *testing.B) {
	p := New(2)
	defer p.Close()
	work := func(int) {}
	for b.Loop() {
		p.Run(work)
	}
}
