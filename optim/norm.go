package optim

import (
	"math"

	"github.com/aries-serpent/codexml/internal/kernel"
)

// blockLen is the number of gradient elements whose squares make one float64
// sum. It is part of the numerics law.
const blockLen = 4096

// normer sums squares of gradients.
type normer struct {
	slots []slot
	block []piece // of at most blockLen elements, in tensor order
	sums  []float64
	work  func(worker, lo, hi int)
}

func (n *normer) init(slots []slot) {
	n.slots = slots
	for i, s := range slots {
		for lo := 0; lo < len(s.Grad); lo += blockLen {
			n.block = append(n.block, piece{i, lo, min(lo+blockLen, len(s.Grad))})
		}
	}
	n.sums = make([]float64, len(n.block))
	n.work = n.sum
}

func (n *normer) sum(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		b := n.block[i]
		n.sums[i] = kernel.SumSquares64(n.slots[b.slot].Grad[b.lo:b.hi])
	}
}

// GradNorm implements Optimizer.
func (o *optimizer) GradNorm() (norm float64, at string) {
	n := &o.norm
	o.pool.For(len(n.block), pieceLen/blockLen, n.work)
	total := 0.0
	for _, sum := range n.sums {
		total += sum
	}
	if math.IsInf(total, 0) || math.IsNaN(total) {
		at = n.offender()
	}
	return math.Sqrt(total), at
}

// offender names the parameter with the first gradient that is not finite.
func (n *normer) offender() string {
	for _, s := range n.slots {
		for _, g := range s.Grad {
			if g-g != 0 {
				return s.Name
			}
		}
	}
	panic("optim: GradNorm: finite gradients have a sum of squares that is not")
}

// ClipScale is the factor that brings gradients of the given norm down to limit:
// min(1, limit/(norm+1e-6)). A limit of 0 is none.
func ClipScale(norm, limit float64) float32 {
	if limit == 0 {
		return 1
	}
	return float32(min(1, limit/(norm+1e-6)))
}
