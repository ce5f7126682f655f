package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/aries-serpent/codexml/internal/cpu"
	"github.com/aries-serpent/codexml/internal/par"
)

// kind is a pair of operand types.
type kind int

const (
	f32 kind = iota
	bf16
	mixed
)

// product of the tests: operands as float32 and, where they are that, as bfloat16.
type gemmCase struct {
	kind          kind
	form          Form
	m, n, k       int
	lda, ldb, ldc int
	accumulate    bool
	a, b, c       []float32
	a16, b16      []uint16
	bias          []float32
	out           []float32 // C of the product that is running
}

// guard is what a kernel must not write, before and behind a matrix.
const guard = 64

var poison = float32(math.Inf(1))

// guarded copies x between guards that spoil what is computed with them.
func guarded[T any](x []T, with T) (whole, inner []T) {
	whole = make([]T, len(x)+2*guard)
	for i := range whole {
		whole[i] = with
	}
	copy(whole[guard:], x)
	return whole, whole[guard : guard+len(x) : guard+len(x)]
}

// randomF32 has numbers of many sizes; some make sums near the smallest normal one.
func randomF32(r *rand.Rand, n, spread int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64() * math.Exp2(float64(r.IntN(13)-6)))
		switch r.IntN(16) {
		case 0, 1:
			x[i] *= float32(math.Exp2(float64(-r.IntN(spread))))
		case 2:
			x[i] = float32(math.Copysign(0, float64(x[i])))
		}
	}
	return x
}

// toBF16 cuts x off and returns it in both types.
func toBF16(x []float32) (half []uint16, back []float32) {
	half, back = make([]uint16, len(x)), make([]float32, len(x))
	for i, v := range x {
		half[i] = uint16(math.Float32bits(v) >> 16)
		back[i] = widen(half[i])
	}
	return half, back
}

// newGemmCase fills a case with numbers. Padding between rows holds infinities.
func newGemmCase(r *rand.Rand, kd kind, form Form, m, n, k int, accumulate bool) *gemmCase {
	c := &gemmCase{kind: kd, form: form, m: m, n: n, k: k, accumulate: accumulate}
	ar, ac, br, bc := m, k, k, n
	if form == TN {
		ar, ac = k, m
	}
	if form == NT {
		br, bc = n, k
	}
	c.lda, c.ldb, c.ldc = ac+r.IntN(3), bc+r.IntN(3), n+r.IntN(3)
	spread := 1 + r.IntN(2)*139
	fill := func(rows, cols, stride int) []float32 {
		x := randomF32(r, (rows-1)*stride+cols, spread)
		for i := range x {
			if i%stride >= cols {
				x[i] = poison
			}
		}
		return x
	}
	c.a, c.b, c.c = fill(ar, ac, c.lda), fill(br, bc, c.ldb), fill(m, n, c.ldc)
	if kd == bf16 {
		c.a16, c.a = toBF16(c.a)
	}
	if kd != f32 {
		c.b16, c.b = toBF16(c.b)
	}
	c.bias = randomF32(r, n, 1)
	return c
}

// want is C by the law's plain loop.
func (c *gemmCase) want(bias bool) []float32 {
	fma := fmaGeneric
	if c.kind == bf16 {
		fma = fmaFlush
	}
	want := append([]float32(nil), c.c...)
	for i := range c.m {
		for j := range c.n {
			var sum float32
			if c.accumulate {
				sum = want[i*c.ldc+j]
			}
			for q := range c.k {
				if c.kind == bf16 && q^1 < c.k {
					q ^= 1 // the odd element of a pair first
				}
				x, y := i*c.lda+q, q*c.ldb+j
				if c.form == TN {
					x = q*c.lda + i
				}
				if c.form == NT {
					y = j*c.ldb + q
				}
				sum = fma(c.a[x], c.b[y], sum)
			}
			if bias {
				sum += c.bias[j]
			}
			want[i*c.ldc+j] = sum
		}
	}
	return want
}

// gemms is what Gemmer and SeqGemm have in common.
type gemms interface {
	Gemm(form Form, m, n, k int, a, b, c MatF32, accumulate bool, epi *Epilogue)
	GemmBF16(form Form, m, n, k int, a, b MatBF16, c MatF32, accumulate bool, epi *Epilogue)
	GemmMixed(form Form, m, n, k int, a MatF32, b MatBF16, c MatF32, accumulate bool, epi *Epilogue)
}

// run computes the case with operands that end where memory ends and C between
// guards. It returns C, or what is wrong.
func (c *gemmCase) run(g gemms, epi *Epilogue) (got []float32, err error) {
	whole, out := guarded(c.c, poison)
	a, b := fenced(0, c.a), fenced(1, c.b)
	a16, b16 := fenced(0, c.a16), fenced(1, c.b16)
	C := MatF32{out, c.ldc}
	c.out = out
	switch c.kind {
	case f32:
		g.Gemm(c.form, c.m, c.n, c.k, MatF32{a, c.lda}, MatF32{b, c.ldb}, C, c.accumulate, epi)
	case bf16:
		g.GemmBF16(c.form, c.m, c.n, c.k, MatBF16{a16, c.lda}, MatBF16{b16, c.ldb}, C, c.accumulate, epi)
	case mixed:
		g.GemmMixed(c.form, c.m, c.n, c.k, MatF32{a, c.lda}, MatBF16{b16, c.ldb}, C, c.accumulate, epi)
	}
	for i := range guard {
		if whole[i] != poison || whole[len(whole)-1-i] != poison {
			return nil, fmt.Errorf("C was overwritten %d elements from its edge", guard-i)
		}
	}
	return out, nil
}

func (c *gemmCase) String() string {
	return fmt.Sprintf("kind %d, %v, %dx%dx%d, strides %d %d %d, accumulate %v", c.kind, c.form, c.m, c.n, c.k, c.lda, c.ldb, c.ldc, c.accumulate)
}

// compare returns the first element with other bits. Elements of the padding count too.
func compare(got, want []float32) error {
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			return fmt.Errorf("element %d is %v (%08x), want %v (%08x)", i, got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
		}
	}
	return nil
}

func (c *gemmCase) check(t *testing.T, g gemms, epi *Epilogue, want []float32) {
	t.Helper()
	got, err := c.run(g, epi)
	if err == nil {
		err = compare(got, want)
	}
	if err != nil {
		t.Fatalf("%v: %v", c, err)
	}
}

// gemmers are Gemmers of 1, 2 and 3 threads, which share out the smallest products.
func gemmers(t *testing.T) (all []*Gemmer) {
	before := minWork
	minWork = 0
	t.Cleanup(func() { minWork = before })
	for threads := 1; threads <= 3; threads++ {
		pool := par.New(threads)
		t.Cleanup(pool.Close)
		all = append(all, NewGemmer(pool))
	}
	return all
}

// lawSizes calls do with every size from 1 to 67 in each place.
func lawSizes(r *rand.Rand, do func(m, n, k int)) {
	for s := 1; s <= 67; s++ {
		do(s, 1+r.IntN(40), 1+r.IntN(40))
		do(1+r.IntN(40), s, 1+r.IntN(40))
		do(1+r.IntN(40), 1+r.IntN(40), s)
	}
}

// eachProduct calls do with cases of every type, form and size, and what they give.
func eachProduct(r *rand.Rand, do func(c *gemmCase, want []float32)) {
	for _, kd := range []kind{f32, bf16, mixed} {
		for _, form := range []Form{NN, NT, TN} {
			for _, accumulate := range []bool{false, true} {
				lawSizes(r, func(m, n, k int) {
					c := newGemmCase(r, kd, form, m, n, k, accumulate)
					do(c, c.want(false))
				})
			}
		}
	}
}

// eachTier calls test with each tier of the machine in use.
func eachTier(test func(tier cpu.Tier)) {
	for _, tier := range cpu.Tiers() {
		restore := Use(tier)
		test(tier)
		restore()
	}
}

func TestGemmIsAPlainLoop(t *testing.T) {
	all := gemmers(t)
	r := rand.New(rand.NewPCG(1, 2))
	eachProduct(r, func(c *gemmCase, want []float32) {
		eachTier(func(cpu.Tier) {
			c.check(t, all[0].Seq(0), nil, want)
			c.check(t, all[1+r.IntN(2)], nil, want)
		})
	})
}

// Larger products have several blocks of k, of rows and items of columns. The
// pure-Go tier, which the test above holds to the law, says what is right.
func TestGemmInBlocks(t *testing.T) {
	all := gemmers(t)
	r := rand.New(rand.NewPCG(3, 4))
	for _, s := range [][3]int{{59, 37, 1801}, {211, 59, 131}, {9, 2115, 61}, {5, 50, 3078}, {7, 80, 901}, {6, 128, 770}} {
		for _, kd := range []kind{f32, bf16, mixed} {
			for _, form := range []Form{NN, NT, TN} {
				c := newGemmCase(r, kd, form, s[0], s[1], s[2], r.IntN(2) == 0)
				restore := Use(cpu.Generic)
				want, err := c.run(all[1], nil)
				restore()
				if err != nil {
					t.Fatalf("%v: %v", c, err)
				}
				eachTier(func(cpu.Tier) {
					for _, g := range all {
						c.check(t, g, nil, want)
					}
				})
			}
		}
	}
}

// C keeps what it has, or becomes +0, where chains have no steps.
func TestGemmWithoutSteps(t *testing.T) {
	eachTier(func(tier cpu.Tier) {
		for _, g := range gemmers(t) {
			for _, accumulate := range []bool{false, true} {
				minus := float32(math.Copysign(0, -1))
				c := []float32{minus, 1e-40, 3, 4, 5}
				g.Gemm(NN, 2, 2, 0, MatF32{nil, 0}, MatF32{nil, 2}, MatF32{c, 3}, accumulate, &Epilogue{Bias: []float32{minus, 1}})
				want := []float32{0, 1, 3, 0, 1}
				if accumulate {
					want = []float32{minus, 1, 3, 4, 6}
				}
				if err := compare(c, want); err != nil {
					t.Errorf("%v, accumulate %v: %v", tier, accumulate, err)
				}
				g.Gemm(NN, 0, 5, 7, MatF32{}, MatF32{}, MatF32{}, accumulate, nil)
			}
		}
	})
}

// Every element is finished once, after its last step, by a worker of the pool.
func TestEpilogueFinishesEveryElementOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	all := gemmers(t)
	for range 60 {
		kd := kind(r.IntN(3))
		c := newGemmCase(r, kd, Form(r.IntN(3)), 1+r.IntN(230), 1+r.IntN(150), 1+r.IntN(40), r.IntN(2) == 0)
		want := c.want(true)
		for i := range c.m {
			for j := range c.n {
				want[i*c.ldc+j] *= 2
			}
		}
		eachTier(func(cpu.Tier) {
			for threads, g := range all {
				out := make([]float32, len(c.c))
				epi := &Epilogue{Bias: c.bias, Apply: func(worker, i0, i1, j0, j1 int) {
					if worker < 0 || worker > threads {
						t.Errorf("worker %d of %d", worker, threads+1)
					}
					for i := i0; i < i1; i++ {
						for j := j0; j < j1; j++ {
							out[i*c.ldc+j] = 2 * c.out[i*c.ldc+j]
						}
					}
				}}
				for i := range out {
					out[i] = c.c[i]
				}
				if _, err := c.run(g, epi); err != nil {
					t.Fatalf("%v: %v", c, err)
				}
				if err := compare(out, want); err != nil {
					t.Fatalf("%v, %d threads: %v", c, threads+1, err)
				}
			}
		})
	}
}

func TestGemmRejectsMatricesThatAreTooShort(t *testing.T) {
	g := gemmers(t)[0]
	x := func(n, stride int) MatF32 { return MatF32{make([]float32, n), stride} }
	h := MatBF16{make([]uint16, 11), 4}
	f := func(want string, call func()) {
		t.Helper()
		defer func() {
			if got := recover(); got != want {
				t.Errorf("got panic %v, want %s", got, want)
			}
		}()
		call()
	}
	c := x(9, 3)
	f("kernel: Gemm: A is 3 x 4 with stride 4, but has 11 elements", func() { g.Gemm(NN, 3, 3, 4, x(11, 4), x(12, 3), c, false, nil) })
	f("kernel: Gemm: B is 4 x 3 with stride 2, but has 12 elements", func() { g.Gemm(NN, 3, 3, 4, x(12, 4), x(12, 2), c, false, nil) })
	f("kernel: Gemm: B is 3 x 4 with stride 5, but has 13 elements", func() { g.Gemm(NT, 3, 3, 4, x(12, 4), x(13, 5), c, false, nil) })
	f("kernel: Gemm: C is 3 x 3 with stride 3, but has 8 elements", func() { g.Gemm(TN, 3, 3, 4, x(12, 3), x(12, 3), x(8, 3), false, nil) })
	f("kernel: GemmBF16: B is 3 x 4 with stride 4, but has 11 elements", func() { g.GemmBF16(NT, 1, 3, 4, h, h, c, false, nil) })
	f("kernel: Gemm: the bias has 2 elements, C has 3 columns", func() {
		g.Gemm(NN, 3, 3, 4, x(12, 4), x(12, 3), c, false, &Epilogue{Bias: make([]float32, 2)})
	})
	f("kernel: Gemm: a product of -1 x 3 x 4", func() { g.Seq(0).Gemm(NN, -1, 3, 4, x(12, 4), x(12, 3), c, false, nil) })
	for _, v := range c.Data {
		if v != 0 {
			t.Fatal("C was written to before the panic")
		}
	}
}

func TestGemmAllocatesNothingOnceWarm(t *testing.T) {
	const m, n, k = 70, 50, 60
	eachTier(func(tier cpu.Tier) {
		g := gemmers(t)[1]
		x, h := MatF32{make([]float32, 70*70), 70}, MatBF16{make([]uint16, 70*70), 70}
		c := MatF32{make([]float32, m*n), n}
		epi := &Epilogue{Bias: make([]float32, n), Apply: func(worker, i0, i1, j0, j1 int) {}}
		p := g.PackBF16(NN, n, k, h)
		step := func() {
			for _, form := range []Form{NN, NT, TN} {
				g.Gemm(form, m, n, k, x, x, c, true, epi)
				g.GemmBF16(form, m, n, k, h, h, c, false, epi)
				g.GemmMixed(form, m, n, k, x, h, c, false, nil)
				g.Seq(1).Gemm(form, m, n, k, x, x, c, false, epi)
			}
			for m := range 8 {
				g.GemmPackedBF16(m, h, p, c, epi)
			}
		}
		step()
		if got := testing.AllocsPerRun(5, step); got != 0 {
			t.Errorf("%v: %v allocations per call, want 0", tier, got)
		}
	})
}
