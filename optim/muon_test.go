package optim

import (
	"fmt"
	"math"
	"testing"

	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/internal/testkit"
	"github.com/aries-serpent/codexml/nn"
)

// orthogonal is the update that one step of Muon with rate 1 makes of a gradient.
func orthogonal(t *testing.T, grad []float32, rows, cols int, change func(c *MuonConfig)) []float32 {
	t.Helper()
	p := nn.NewParam("w", nn.GroupMatrix, rows, cols)
	copy(p.Grad, grad)
	newOptimizer(t, flat(func(c *Config) {
		c.Name, c.Muon.LearningRate, c.Muon.Momentum = "muon", 1, 0
		if change != nil {
			change(&c.Muon)
		}
	}), 1, p).Step(0, 1, 0, 1)
	scale := float32(math.Sqrt(max(1, float64(rows)/float64(cols))))
	for i := range p.Data {
		p.Data[i] /= -scale
	}
	return p.Data
}

// TestUpdateIsNearlyOrthogonal: the singular values of the update are 0.68..1.2,
// in the mean and the largest.
func TestUpdateIsNearlyOrthogonal(t *testing.T) {
	for _, size := range [][2]int{{12, 12}, {7, 40}, {40, 7}, {1, 9}, {9, 1}, {65, 64}} {
		rows, cols := size[0], size[1]
		grad := make([]float32, rows*cols)
		testkit.Hash(grad, 5, 1e-3)
		x := orthogonal(t, grad, rows, cols, nil)
		// trace(x^T x) is the sum of squared singular values.
		trace := 0.0
		for _, v := range x {
			trace += float64(v) * float64(v)
		}
		if mean := math.Sqrt(trace / float64(min(rows, cols))); mean < 0.68 || mean > 1.2 {
			t.Errorf("%d x %d: the singular values' quadratic mean is %v, want 0.68..1.2", rows, cols, mean)
		}
		if largest := spectralNorm(x, rows, cols); largest > 1.2 {
			t.Errorf("%d x %d: the largest singular value is %v, want at most 1.2", rows, cols, largest)
		}
	}
}

func spectralNorm(x []float32, rows, cols int) float64 {
	v, u, norm := make([]float64, cols), make([]float64, rows), 0.0
	for i := range v {
		v[i] = 1 + float64(i%3)
	}
	for range 200 {
		clear(u)
		for i := range u {
			for j := range v {
				u[i] += float64(x[i*cols+j]) * v[j]
			}
		}
		clear(v)
		norm = 0
		for j := range v {
			for i := range u {
				v[j] += float64(x[i*cols+j]) * u[i]
			}
			norm += v[j] * v[j]
		}
		norm = math.Sqrt(norm)
		for j := range v {
			v[j] /= norm
		}
	}
	return math.Sqrt(norm)
}

// TestTallIsTheTransposedWide: the same bits, as the definition says.
func TestTallIsTheTransposedWide(t *testing.T) {
	const rows, cols = 33, 21
	tall, wide := make([]float32, rows*cols), make([]float32, rows*cols)
	testkit.Hash(tall, 5, 1)
	transpose(wide, tall, rows, cols)
	pool := par.New(1)
	defer pool.Close()
	seq := kernel.NewGemmer(pool).Seq(0)
	run := func(x []float32, rows, cols int) []float32 {
		n := newNewtonSchulz(len(x), 21*21)
		copy(n.x, x)
		return n.iterate(seq, rows, cols, 7)
	}
	got := make([]float32, rows*cols)
	transpose(got, run(wide, cols, rows), cols, rows)
	testkit.SameBits(t, "update", got, run(tall, rows, cols))
}

func transpose(dst, src []float32, rows, cols int) {
	for i := range rows {
		for j := range cols {
			dst[j*rows+i] = src[i*cols+j]
		}
	}
}

// TestSymmetricIsTheWholeProduct: for a matrix with itself, multiplying up to the
// diagonal and mirroring gives the bits of the product, at sizes around the number
// of blocks.
func TestSymmetricIsTheWholeProduct(t *testing.T) {
	pool := par.New(1)
	defer pool.Close()
	seq := kernel.NewGemmer(pool).Seq(0)
	for s := 1; s <= 19; s++ {
		for _, k := range []int{1, 7, 30} {
			for _, form := range []kernel.Form{kernel.NT, kernel.TN} {
				m := kernel.MatF32{Data: make([]float32, s*k), Stride: k}
				if form == kernel.TN {
					m.Stride = s
				}
				testkit.Hash(m.Data, uint32(s*k), 1)
				got, want := kernel.MatF32{Data: make([]float32, s*s), Stride: s}, kernel.MatF32{Data: make([]float32, s*s), Stride: s}
				symmetric(seq, form, s, k, m, m, got)
				seq.Gemm(form, s, s, k, m, m, want, false, nil)
				testkit.SameBits(t, fmt.Sprintf("%v %d x %d", form, s, k), got.Data, want.Data)
				square := kernel.MatF32{Data: make([]float32, s*s), Stride: s}
				symmetric(seq, kernel.NN, s, s, got, got, square)
				seq.Gemm(kernel.NN, s, s, s, got, got, want, false, nil)
				testkit.SameBits(t, fmt.Sprintf("square of %d", s), square.Data, want.Data)
			}
		}
	}
}

// TestPartsAreTrainedAlone: a stack of matrices steps as its matrices would.
func TestPartsAreTrainedAlone(t *testing.T) {
	cfg := flat(func(c *Config) { c.Name = "muon" })
	stack := nn.NewParam("stack", nn.GroupMatrix, 9, 5)
	stack.Parts = []int{4, 2, 3}
	testkit.Hash(stack.Data, 1, 1)
	testkit.Hash(stack.Grad, 2, 1)
	var parts []*nn.Param
	row := 0
	for i, rows := range stack.Parts {
		p := nn.NewParam(fmt.Sprint("part", i), nn.GroupMatrix, rows, 5)
		copy(p.Data, stack.Data[row*5:])
		copy(p.Grad, stack.Grad[row*5:])
		parts = append(parts, p)
		row += rows
	}
	newOptimizer(t, cfg, 2, stack).Step(0, 1, 0, 1)
	newOptimizer(t, cfg, 1, parts...).Step(0, 1, 0, 1)
	var want []float32
	for _, p := range parts {
		want = append(want, p.Data...)
	}
	testkit.SameBits(t, "stack", stack.Data, want)
}

func TestMuonOfAZeroGradient(t *testing.T) {
	for _, v := range orthogonal(t, make([]float32, 12), 3, 4, nil) {
		if v != 0 {
			t.Fatalf("the update has %v, want 0", v)
		}
	}
}

func TestMuonRates(t *testing.T) {
	c := MuonConfig{LearningRate: 0.02, Momentum: 0.95, MomentumWarmup: 10, Steps: 5, WeightDecay: 0.1}
	for step, want := range map[int]float32{0: 0.85, 5: 0.9, 10: 0.95, 1000: 0.95} {
		r := c.rates(step, 0.5, 1)
		testkit.Close(t, fmt.Sprint("momentum and decay at ", step), []float32{r.momentum, r.keep}, []float32{want, 0.999}, 0, 1e-7)
		if r.lr != 0.01 {
			t.Errorf("learning rate %v, want 0.01", r.lr)
		}
	}
	c.Momentum = 0.5 // below the warm-up's start: there is nothing to warm up
	if r := c.rates(0, 1, 1); r.momentum != 0.5 {
		t.Errorf("momentum %v, want 0.5", r.momentum)
	}
}

// TestIterationAgainstFloat64: the polynomial applied to the matrix itself, in
// float64, also where most singular values are nearly 0.
func TestIterationAgainstFloat64(t *testing.T) {
	pool := par.New(1)
	defer pool.Close()
	seq := kernel.NewGemmer(pool).Seq(0)
	for _, size := range [][2]int{{40, 40}, {24, 96}, {96, 24}} {
		for _, decay := range []float32{1, 0.9, 0.6, 0.1} {
			R, C := size[0], size[1]
			n := newNewtonSchulz(R*C, min(R, C)*min(R, C))
			testkit.Hash(n.x, 3, 1)
			for i := range R { // rows that shrink, so that singular values do
				kernel.Scale(n.x[i*C:(i+1)*C], n.x[i*C:(i+1)*C], float32(math.Pow(float64(decay), float64(i))))
			}
			kernel.Scale(n.x, n.x, float32(1/math.Sqrt(kernel.SumSquares64(n.x))))
			want := make([]float64, R*C)
			for i, v := range n.x {
				want[i] = float64(v)
			}
			for range 5 {
				want = quintic64(want, R, C)
			}
			off, size := 0.0, 0.0
			for i, got := range n.iterate(seq, R, C, 5) {
				off += (float64(got) - want[i]) * (float64(got) - want[i])
				size += want[i] * want[i]
			}
			if rel := math.Sqrt(off / size); !(rel < 1e-3) {
				t.Errorf("%d x %d, decay %v: off by %v of the update, want 1e-3 at most", R, C, decay, rel)
			}
		}
	}
}

// quintic64 is a*x + (b*x*x^T + c*x*x^T*x*x^T)*x.
func quintic64(x []float64, R, C int) []float64 {
	xt := make([]float64, R*C)
	for i := range R {
		for j := range C {
			xt[j*R+i] = x[i*C+j]
		}
	}
	a := product64(x, xt, R, R, C)
	b := product64(a, a, R, R, R)
	for i := range b {
		b[i] = quinticC*b[i] + quinticB*a[i]
	}
	y := product64(b, x, R, C, R)
	for i := range y {
		y[i] += quinticA * x[i]
	}
	return y
}

func product64(a, b []float64, m, n, k int) []float64 {
	c := make([]float64, m*n)
	for i := range m {
		for l := range k {
			for j := range n {
				c[i*n+j] += a[i*k+l] * b[l*n+j]
			}
		}
	}
	return c
}
