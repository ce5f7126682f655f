package optim

import (
	"fmt"
	"math"

	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/nn"
)

// Sizes: R and C are the rows and columns of a logical matrix, S the smaller one.

// The quintic a*x + b*x^3 + c*x^5 that an iteration applies to every singular
// value: Keller Jordan's constants, chosen for the steepest slope at 0 that
// still keeps [0, 1] inside [0, 1.2]. Five iterations bring values above about
// 0.003 into 0.68..1.2, which is orthogonal enough for training.
const (
	quinticA = 3.4445
	quinticB = -4.7750
	quinticC = 2.0315
)

const (
	// normEps keeps a gradient of zeros from dividing by 0, as torch does it.
	normEps = 1e-7
	// warmMomentum is where the momentum's warm-up starts.
	warmMomentum = 0.85
)

// muonRates are the numbers of one step.
type muonRates struct {
	lr                        float64
	momentum, keep, gradScale float32
	steps                     int
}

// rates works them out: float64, each rounded once.
func (c MuonConfig) rates(step int, factor float64, gradScale float32) muonRates {
	lr, momentum := c.LearningRate*factor, c.Momentum
	if step < c.MomentumWarmup && momentum > warmMomentum {
		share := float64(step) / float64(c.MomentumWarmup)
		momentum = warmMomentum + float64((momentum-warmMomentum)*share)
	}
	return muonRates{lr: lr, momentum: float32(momentum), keep: float32(1 - float64(lr*c.WeightDecay)), gradScale: gradScale, steps: c.Steps}
}

// logicalRows are the row counts of the matrices stacked in p.
func logicalRows(p *nn.Param) []int {
	if len(p.Shape) != 2 {
		panic(fmt.Sprintf("optim: New: muon trains matrices, %s has shape %v", p.Name, p.Shape))
	}
	if p.Parts == nil {
		return []int{p.Shape[0]}
	}
	sum := 0
	for _, rows := range p.Parts {
		if rows < 1 {
			panic(fmt.Sprintf("optim: New: %s has parts %v", p.Name, p.Parts))
		}
		sum += rows
	}
	if sum != p.Shape[0] {
		panic(fmt.Sprintf("optim: New: the parts %v of %s do not make up its %d rows", p.Parts, p.Name, p.Shape[0]))
	}
	return p.Parts
}

// cost is about the number of multiplications of a matrix.
func (o *optimizer) cost(p piece) int {
	cols := o.slots[p.slot].Shape[1]
	rows := (p.hi - p.lo) / cols
	return (p.hi - p.lo) * min(rows, cols)
}

// newScratch gives every worker room for the largest of the matrices.
func (o *optimizer) newScratch(matrices []piece) {
	if o.gemm == nil {
		panic("optim: New: muon needs a Gemmer")
	}
	elements, squares := 0, 0
	for _, p := range matrices {
		s := o.cost(p) / (p.hi - p.lo)
		elements, squares = max(elements, p.hi-p.lo), max(squares, s*s)
	}
	o.muons = make([]newtonSchulz, o.pool.Threads())
	for i := range o.muons {
		o.muons[i] = newNewtonSchulz(elements, squares)
	}
}

// step trains one logical matrix of C columns:
//
//	m = fma(g, gradScale, m*momentum)             // momentum
//	x = fma(g, gradScale, m*momentum)             // Nesterov's look ahead
//	x = x / max(norm(x), 1e-7)                    // Frobenius, float64 over kernel.SumSquares64's blocks, as one factor
//	x = iterate(x, r.steps)                       // all singular values towards 1
//	w = w * (1 - lr*weight_decay)                 // skipped if that factor is 1
//	w = fma(x, -lr*sqrt(max(1, R/C)), w)
//	half = bfloat16(w)
//
// The last factor (Jordan's) gives updates of tall and of wide matrices the same
// effect on the size of activations.
func (n *newtonSchulz) step(gemm *kernel.SeqGemm, r muonRates, w, g, m []float32, half []uint16, C int) {
	R := len(w) / C
	x := n.x[:len(w)]
	kernel.Scale(m, m, r.momentum)
	kernel.Axpy(m, g, r.gradScale)
	kernel.Scale(x, m, r.momentum)
	kernel.Axpy(x, g, r.gradScale)
	kernel.Scale(x, x, float32(1/max(math.Sqrt(kernel.SumSquares64(x)), normEps)))
	x = n.iterate(gemm, R, C, r.steps)
	if r.keep != 1 {
		kernel.Scale(w, w, r.keep)
	}
	kernel.Axpy(w, x, float32(-r.lr*math.Sqrt(max(1, float64(R)/float64(C)))))
	if half != nil {
		kernel.RoundBF16(half, w)
	}
}
