package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/aries-serpent/codexml/internal/cpu"
)

// packedGemm makes a Gemmer's packed products look like the others.
type packedGemm struct{ *Gemmer }

func (g packedGemm) Gemm(form Form, m, n, k int, a, b, c MatF32, _ bool, epi *Epilogue) {
	g.GemmPacked(m, a, g.PackB(form, n, k, b), c, epi)
}

func (g packedGemm) GemmBF16(form Form, m, n, k int, a, b MatBF16, c MatF32, _ bool, epi *Epilogue) {
	g.GemmPackedBF16(m, a, g.PackBF16(form, n, k, b), c, epi)
}

func (g packedGemm) GemmMixed(form Form, m, n, k int, a MatF32, b MatBF16, c MatF32, _ bool, epi *Epilogue) {
	g.GemmPacked(m, a, g.PackBF16(form, n, k, b), c, epi)
}

func TestGemmPackedIsAPlainLoop(t *testing.T) {
	all := gemmers(t)
	r := rand.New(rand.NewPCG(11, 12))
	check := func(m, n, k int) {
		for _, kd := range []kind{f32, bf16, mixed} {
			c := newGemmCase(r, kd, Form(r.IntN(2)), m, n, k, false) // NN or NT
			want := c.want(false)
			eachTier(func(cpu.Tier) {
				c.check(t, packedGemm{all[r.IntN(3)]}, nil, want)
			})
		}
	}
	lawSizes(r, check)
	for m := 1; m <= 9; m++ {
		check(m, 100+r.IntN(80), 1+r.IntN(900))
		check(m, 1+r.IntN(80), 1+r.IntN(1700))
	}
}

func TestGemmPackedRejectsWhatWasPackedOtherwise(t *testing.T) {
	g := gemmers(t)[0]
	x := MatF32{make([]float32, 4), 2}
	f := func(want string, call func()) {
		t.Helper()
		defer func() {
			if got := recover(); got != want {
				t.Errorf("got panic %v, want %s", got, want)
			}
		}()
		call()
	}
	f("kernel: PackB: B is packed for NN or NT, got TN", func() { g.PackB(TN, 2, 2, x) })
	f("kernel: PackB: B is 3 x 2 with stride 2, but has 4 elements", func() { g.PackB(NN, 2, 3, x) })
	f("kernel: GemmPackedBF16: B was packed from float32, want bfloat16", func() {
		g.GemmPackedBF16(1, MatBF16{make([]uint16, 2), 2}, g.PackB(NN, 2, 2, x), x, nil)
	})
	if cpu.Best() == cpu.Generic {
		return
	}
	restore := Use(cpu.Generic)
	p := g.PackB(NN, 2, 2, x)
	restore()
	f("kernel: GemmPacked: B was packed for tier generic, but "+Active().String()+" is in use", func() { g.GemmPacked(2, x, p, x, nil) })
}
