package optim

import (
	"math"
	"testing"

	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/nn"
)

// TestGradNormFollowsTheLaw: blocks of 4,096 elements, anew in each parameter,
// summed in order.
func TestGradNormFollowsTheLaw(t *testing.T) {
	params := []*nn.Param{filled("a", nn.GroupMatrix, 100, 101), filled("b", nn.GroupVector, 3), filled("c", nn.GroupMatrix, 64, 64)}
	gradients(params, 3)
	sum := 0.0
	for _, p := range params {
		for lo := 0; lo < len(p.Grad); lo += 4096 {
			sum += kernel.SumSquares64(p.Grad[lo:min(lo+4096, len(p.Grad))])
		}
	}
	for threads := 1; threads <= 3; threads++ {
		norm, at := newOptimizer(t, DefaultConfig(), threads, params...).GradNorm()
		if norm != math.Sqrt(sum) || at != "" {
			t.Errorf("%d threads: %v %q, want %v", threads, norm, at, math.Sqrt(sum))
		}
	}
}

func TestGradNormNamesTheFirstOffender(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, bad := range []float32{inf, -inf, float32(math.NaN())} {
		params := model(false)
		gradients(params, 0)
		params[2].Grad[5000%len(params[2].Grad)] = bad
		params[6].Grad[0] = bad
		norm, at := newOptimizer(t, DefaultConfig(), 2, params...).GradNorm()
		if norm-norm == 0 || at != "qkv" {
			t.Errorf("%v: norm %v at %q, want qkv", bad, norm, at)
		}
	}
}

func TestGradNormOfHugeGradients(t *testing.T) {
	p := filled("w", nn.GroupVector, 9)
	for i := range p.Grad {
		p.Grad[i] = math.MaxFloat32
	}
	if norm, at := newOptimizer(t, DefaultConfig(), 1, p).GradNorm(); at != "" || math.Abs(norm/(3*math.MaxFloat32)-1) > 1e-15 {
		t.Errorf("norm %v at %q", norm, at)
	}
}

func TestClipScale(t *testing.T) {
	f := func(norm, limit float64, want float32) {
		t.Helper()
		if got := ClipScale(norm, limit); got != want {
			t.Errorf("ClipScale(%v, %v) = %v, want %v", norm, limit, got, want)
		}
	}
	f(5, 0, 1)
	f(0, 1, 1)
	f(0.5, 1, 1)
	f(4, 1, float32(1/(4+1e-6)))
	f(1, 1, float32(1/(1+1e-6)))
}
