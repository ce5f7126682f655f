package kernel

import (
	"fmt"
	"sync/atomic"

	"github.com/aries-serpent/codexml/internal/par"
)

// Sizes: M, N rows and columns of C, K the length of the chains.

// Form says how the operands of a product lie in memory, all of them row-major.
type Form uint8

const (
	NN Form = iota // C = A   * B    A is M x K, B is K x N
	NT             // C = A   * B^T  A is M x K, B is N x K
	TN             // C = A^T * B    A is K x M, B is K x N
)

func (f Form) String() string { return [...]string{"NN", "NT", "TN"}[f] }

// MatF32 is a row-major float32 matrix, Stride elements from row to row.
type MatF32 struct {
	Data   []float32
	Stride int
}

// MatBF16 is a row-major bfloat16 matrix, Stride elements from row to row.
type MatBF16 struct {
	Data   []uint16
	Stride int
}

// Epilogue finishes blocks of C while they are in the cache. Bias (N values, or
// nil) is added to each row of sums; then Apply (or nil) is called for each block,
// rows [i0, i1) and columns [j0, j1), by the worker that computed it. Blocks cover C once.
type Epilogue struct {
	Bias  []float32
	Apply func(worker, i0, i1, j0, j1 int)
}

// Gemmer computes matrix products on a pool. It owns the scratch memory of the
// workers, so it allocates nothing once warm. One product runs at a time: a
// Gemmer belongs to the goroutine that starts the pool's regions. Inside a
// region use Seq.
//
// Every element of C is one chain, the same on every tier and for any number of
// threads (docs/numerics.md):
//
//	sum := +0, or C[i,j] if accumulate
//	for k := range K {
//		sum = fma(A[i,k], B[k,j], sum)
//	}
//	C[i,j] = sum
type Gemmer struct {
	pool *par.Pool
	seqs []SeqGemm // one per worker

	p            product // the one that is running
	across, down int     // its items: columns by rows
	next         atomic.Int64
	claim        func(worker int)
}

// NewGemmer returns a Gemmer on pool.
func NewGemmer(pool *par.Pool) *Gemmer {
	g := &Gemmer{pool: pool, seqs: make([]SeqGemm, pool.Threads())}
	for i := range g.seqs {
		g.seqs[i].worker = i
	}
	g.claim = g.items
	return g
}

// Seq is the Gemmer of one worker, for use by that worker inside a parallel region.
func (g *Gemmer) Seq(worker int) *SeqGemm { return &g.seqs[worker] }

// Gemm computes C, M x N, from float32 operands.
func (g *Gemmer) Gemm(form Form, m, n, k int, a, b, c MatF32, accumulate bool, epi *Epilogue) {
	g.run("Gemm", product{form: form, m: m, n: n, k: k, a: ofF32(a), b: ofF32(b), c: c, accumulate: accumulate, epi: epi})
}

// GemmBF16 computes C from bfloat16 operands. Their chains take k in pairs (2i,
// 2i+1), the odd one first, and every step flushes denormals as VDPBF16PS does.
func (g *Gemmer) GemmBF16(form Form, m, n, k int, a, b MatBF16, c MatF32, accumulate bool, epi *Epilogue) {
	g.run("GemmBF16", product{form: form, m: m, n: n, k: k, a: ofBF16(a), b: ofBF16(b), pairs: true, c: c, accumulate: accumulate, epi: epi})
}

// GemmMixed computes C from a float32 A and a bfloat16 B, which is widened: the
// chains are those of Gemm.
func (g *Gemmer) GemmMixed(form Form, m, n, k int, a MatF32, b MatBF16, c MatF32, accumulate bool, epi *Epilogue) {
	g.run("GemmMixed", product{form: form, m: m, n: n, k: k, a: ofF32(a), b: ofBF16(b), c: c, accumulate: accumulate, epi: epi})
}

// run shares the items of p out to the workers.
func (g *Gemmer) run(name string, p product) {
	p.check(name)
	if p.m == 0 || p.n == 0 {
		return
	}
	g.p = p
	g.across, g.down = ops.split(&g.p, g.pool.Threads())
	if g.across*g.down == 1 {
		g.seqs[0].item(&g.p, 0, p.m, 0, p.n)
	} else {
		g.next.Store(0)
		g.pool.Run(g.claim)
	}
	g.p = product{} // keeps nobody's memory
}

func (g *Gemmer) items(worker int) {
	s := &g.seqs[worker]
	for {
		t := int(g.next.Add(1) - 1)
		if t >= g.across*g.down {
			return
		}
		i, j := t%g.down, t/g.down
		s.item(&g.p, cut(g.p.m, ops.rows, i, g.down), cut(g.p.m, ops.rows, i+1, g.down),
			ops.column(&g.p, j, g.across), ops.column(&g.p, j+1, g.across))
	}
}

// cut is where part i of n elements begins when parts are whole tiles of size.
func cut(n, size, i, parts int) int { return min(n, ceil(n, size)*i/parts*size) }

func ceil(a, b int) int { return (a + b - 1) / b }

// SeqGemm computes products on the calling goroutine with the scratch memory of
// one worker. It is not safe for concurrent use.
type SeqGemm struct {
	worker int
	p      product
	s      scratch
}

// Gemm is Gemmer.Gemm on one worker.
func (g *SeqGemm) Gemm(form Form, m, n, k int, a, b, c MatF32, accumulate bool, epi *Epilogue) {
	g.run("Gemm", product{form: form, m: m, n: n, k: k, a: ofF32(a), b: ofF32(b), c: c, accumulate: accumulate, epi: epi})
}

// GemmBF16 is Gemmer.GemmBF16 on one worker.
func (g *SeqGemm) GemmBF16(form Form, m, n, k int, a, b MatBF16, c MatF32, accumulate bool, epi *Epilogue) {
	g.run("GemmBF16", product{form: form, m: m, n: n, k: k, a: ofBF16(a), b: ofBF16(b), pairs: true, c: c, accumulate: accumulate, epi: epi})
}

// GemmMixed is Gemmer.GemmMixed on one worker.
func (g *SeqGemm) GemmMixed(form Form, m, n, k int, a MatF32, b MatBF16, c MatF32, accumulate bool, epi *Epilogue) {
	g.run("GemmMixed", product{form: form, m: m, n: n, k: k, a: ofF32(a), b: ofBF16(b), c: c, accumulate: accumulate, epi: epi})
}

func (g *SeqGemm) run(name string, p product) {
	p.check(name)
	if p.m == 0 || p.n == 0 {
		return
	}
	g.p = p
	g.item(&g.p, 0, p.m, 0, p.n)
	g.p = product{}
}

func (g *SeqGemm) item(p *product, i0, i1, j0, j1 int) {
	if i0 < i1 && j0 < j1 {
		ops.item(p, &g.s, g.worker, i0, i1, j0, j1)
	}
}

// minWork is the number of multiply-adds that are worth a parallel region, 3 to 10
// microseconds; tests change it.
var minWork = 1 << 18

// gemmOps is how a tier multiplies.
type gemmOps struct {
	rows int // of a tile: items are made of whole ones
	// column is where part i of parts begins when columns of p are shared out.
	column func(p *product, i, parts int) int
	// split says how many items p is cut into, across columns and down rows.
	split func(p *product, threads int) (across, down int)
	// item computes rows [i0, i1) and columns [j0, j1) of C and finishes them.
	item func(p *product, s *scratch, worker, i0, i1, j0, j1 int)
	// pack copies B, of form NN or NT, to what item takes as a packed b.
	pack func(pool *par.Pool, form Form, n, k int, b operand) operand
	// madds does n rounds of multiply-adds, as fast as the tier can, and says how many those were.
	madds func(n int, bf16 bool) int
}

// operand is a matrix of either type.
type operand struct {
	f32    []float32
	bf16   []uint16
	half   bool // it is bf16
	stride int
	panels []float32 // instead: packed for vector registers
	kept   *Panels   // instead: in panels of its own
}

func ofF32(m MatF32) operand   { return operand{f32: m.Data, stride: m.Stride} }
func ofBF16(m MatBF16) operand { return operand{bf16: m.Data, half: true, stride: m.Stride} }

func (o *operand) at(i int) float32 {
	if o.half {
		return widen(o.bf16[i])
	}
	return o.f32[i]
}

type product struct {
	form       Form
	m, n, k    int
	a, b       operand
	packed     bool // b is what ops.pack made
	pairs      bool // the pair rule
	c          MatF32
	accumulate bool
	epi        *Epilogue
}

func (p *product) check(name string) {
	if p.m < 0 || p.n < 0 || p.k < 0 {
		panic(fmt.Sprintf("kernel: %s: a product of %d x %d x %d", name, p.m, p.n, p.k))
	}
	if p.m == 0 || p.n == 0 {
		return
	}
	ar, ac, br, bc := p.m, p.k, p.k, p.n
	if p.form == TN {
		ar, ac = p.k, p.m
	}
	if p.form == NT {
		br, bc = p.n, p.k
	}
	checkMatrix(name, "A", len(p.a.f32)+len(p.a.bf16), p.a.stride, ar, ac)
	if !p.packed {
		checkMatrix(name, "B", len(p.b.f32)+len(p.b.bf16), p.b.stride, br, bc)
	}
	checkMatrix(name, "C", len(p.c.Data), p.c.Stride, p.m, p.n)
	if p.epi != nil && p.epi.Bias != nil && len(p.epi.Bias) < p.n {
		panic(fmt.Sprintf("kernel: %s: the bias has %d elements, C has %d columns", name, len(p.epi.Bias), p.n))
	}
}

func checkMatrix(name, matrix string, have, stride, rows, cols int) {
	if rows == 0 || cols == 0 {
		return
	}
	if stride < cols || have < (rows-1)*stride+cols {
		panic(fmt.Sprintf("kernel: %s: %s is %d x %d with stride %d, but has %d elements", name, matrix, rows, cols, stride, have))
	}
}

// finish applies the epilogue to a block of C.
func (p *product) finish(worker, i0, i1, j0, j1 int) {
	if p.epi == nil {
		return
	}
	if p.epi.Bias != nil {
		AddBias(p.c.Data[i0*p.c.Stride+j0:], p.epi.Bias[j0:j1], p.c.Stride, i1-i0)
	}
	if p.epi.Apply != nil {
		p.epi.Apply(worker, i0, i1, j0, j1)
	}
}

// scratch is the working memory of one worker.
type scratch struct {
	a, b, tile []float32
	simdScratch
}

// grow returns n elements of *s, which it replaces by a larger one if need be.
func grow(s *[]float32, n int) []float32 {
	if cap(*s) < n {
		*s = Floats(max(n, 1<<16))
	}
	return (*s)[:n]
}
