// Package par runs parallel regions on a fixed pool of goroutines. How work is
// split depends on the work alone, never on the number of workers, so results
// cannot depend on it either. A Pool runs one region at a time and regions do
// not nest; it allocates nothing per region.
package par

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// spins of about a microsecond each before a helper parks or the caller yields:
// long enough to bridge the serial code between two regions of a training step.
const spins = 100

// Pool runs regions on the caller and threads-1 persistent helpers.
type Pool struct {
	threads int

	run  sync.Mutex // one region at a time
	work func(worker int)
	busy atomic.Int32 // helpers still at work
	fail atomic.Pointer[any]

	park sync.Mutex
	wake sync.Cond
	gen  atomic.Uint32 // number of the region; changes under park
	stop bool

	// The range of For, claimed in pieces of grain.
	next     atomic.Int64
	n, grain int
	body     func(worker, lo, hi int)
	claim    func(worker int)
}

// New returns a pool of the given number of workers, at least one. Close it when
// it is no longer needed.
func New(threads int) *Pool {
	p := &Pool{threads: max(threads, 1)}
	p.wake.L = &p.park
	p.claim = p.pieces
	for i := 1; i < p.threads; i++ {
		go p.help(i)
	}
	return p
}

// Threads is the number of workers.
func (p *Pool) Threads() int { return p.threads }

// Close ends the helpers. The pool must not be used afterwards.
func (p *Pool) Close() {
	p.park.Lock()
	p.stop = true
	p.gen.Add(1)
	p.park.Unlock()
	p.wake.Broadcast()
}

func (p *Pool) help(worker int) {
	for seen := uint32(0); ; seen++ {
		for n := 0; n < spins && p.gen.Load() == seen; n++ {
			pause()
		}
		if p.gen.Load() == seen {
			p.park.Lock()
			for p.gen.Load() == seen {
				p.wake.Wait()
			}
			p.park.Unlock()
		}
		if p.stop {
			return
		}
		p.do(worker)
		p.busy.Add(-1)
	}
}

func (p *Pool) do(worker int) {
	defer func() {
		if r := recover(); r != nil {
			raised := r // on the heap only when there was a panic
			p.fail.CompareAndSwap(nil, &raised)
		}
	}()
	p.work(worker)
}

// Run calls work once on every worker, with numbers from 0, and returns when all
// have returned. A panic in work is raised again in the caller. To allocate
// nothing, make the func once and keep it.
func (p *Pool) Run(work func(worker int)) {
	p.run.Lock()
	defer p.run.Unlock()
	if p.threads == 1 {
		work(0)
		return
	}
	p.work = work
	p.busy.Store(int32(p.threads - 1))
	p.park.Lock()
	p.gen.Add(1)
	p.park.Unlock()
	p.wake.Broadcast()
	p.do(0)
	for n := 0; p.busy.Load() != 0; n++ {
		if pause(); n > spins {
			runtime.Gosched()
		}
	}
	p.work = nil
	if r := p.fail.Swap(nil); r != nil {
		panic(*r)
	}
}

// For calls body on pieces [lo, hi) of [0, n), each of grain elements but the
// last, in any order and on any worker. To allocate nothing, make the func once
// and keep it.
func (p *Pool) For(n, grain int, body func(worker, lo, hi int)) {
	if n <= 0 {
		return
	}
	grain = max(grain, 1)
	if n <= grain || p.threads == 1 {
		for lo := 0; lo < n; lo += grain {
			body(0, lo, min(lo+grain, n))
		}
		return
	}
	p.n, p.grain, p.body = n, grain, body
	p.next.Store(0)
	p.Run(p.claim)
	p.body = nil
}

func (p *Pool) pieces(worker int) {
	for {
		lo := int(p.next.Add(int64(p.grain))) - p.grain
		if lo >= p.n {
			return
		}
		p.body(worker, lo, min(lo+p.grain, p.n))
	}
}
