package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/aries-serpent/codexml/internal/cpu"
	"github.com/aries-serpent/codexml/internal/par"
)

// eachTier runs test once with every tier that the machine has.
func eachTier(t *testing.T, test func(t *testing.T)) {
	for _, tier := range cpu.Tiers() {
		t.Run(tier.String(), func(t *testing.T) {
			defer Use(tier)()
			test(t)
		})
	}
}

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
}

// guard is what a kernel must neither need nor touch, before and behind a matrix.
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

// run computes the case with guards around every matrix and returns C, or what is wrong.
func (c *gemmCase) run(g gemms, epi *Epilogue) (got []float32, err error) {
	wholeA, a := guarded(c.a, poison)
	wholeB, b := guarded(c.b, poison)
	wholeC, out := guarded(c.c, poison)
	_, a16 := guarded(c.a16, 0x7f80)
	_, b16 := guarded(c.b16, 0x7f80)
	C := MatF32{out, c.ldc}
	switch c.kind {
	case f32:
		g.Gemm(c.form, c.m, c.n, c.k, MatF32{a, c.lda}, MatF32{b, c.ldb}, C, c.accumulate, epi)
	case bf16:
		g.GemmBF16(c.form, c.m, c.n, c.k, MatBF16{a16, c.lda}, MatBF16{b16, c.ldb}, C, c.accumulate, epi)
	case mixed:
		g.GemmMixed(c.form, c.m, c.n, c.k, MatF32{a, c.lda}, MatBF16{b16, c.ldb}, C, c.accumulate, epi)
	}
	for _, whole := range [][]float32{wholeA, wholeB, wholeC} {
		for i := range guard {
			if whole[i] != poison || whole[len(whole)-1-i] != poison {
				return nil, fmt.Errorf("a guard %d elements away was overwritten", i)
			}
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

// gemmers are Gemmers of 1, 2 and 3 threads.
func gemmers(t *testing.T) (all []*Gemmer) {
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
		do(s, 1+r.IntN(67), 1+r.IntN(67))
		do(1+r.IntN(67), s, 1+r.IntN(67))
		do(1+r.IntN(67), 1+r.IntN(67), s)
	}
}

func TestGemmIsAPlainLoop(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, uint64(Active())))
		all := gemmers(t)
		for _, kd := range []kind{f32, bf16, mixed} {
			for _, form := range []Form{NN, NT, TN} {
				for _, accumulate := range []bool{false, true} {
					lawSizes(r, func(m, n, k int) {
						c := newGemmCase(r, kd, form, m, n, k, accumulate)
						want := c.want(false)
						for _, g := range all {
							c.check(t, g, nil, want)
						}
						c.check(t, all[2].Seq(2), nil, want)
					})
				}
			}
		}
	})
}
