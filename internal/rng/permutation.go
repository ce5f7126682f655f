package rng

import (
	"fmt"
	"math/bits"
)

// feistelRounds is twice what Luby and Rackoff (1988) ask of a random round function.
const feistelRounds = 8

// Permutation is a permutation of [0, n) that is never stored: a Feistel network
// on the smallest even number of bits, 8 at least, that hold n, with Philox as its
// round function, applied again while the result is not below n (cycle walking,
// Black and Rogaway 2002).
type Permutation struct {
	n    uint64
	half uint // bits of a half
	s    Sequence
}

// NewPermutation returns the permutation of n elements that a seed has in an epoch.
func NewPermutation(n int, seed, epoch uint64) Permutation {
	if n < 0 {
		panic(fmt.Sprintf("rng: NewPermutation: %d elements", n))
	}
	half := uint(4) // a network on fewer bits favours some orders
	if n > 1 {
		half = max(half, (uint(bits.Len64(uint64(n-1)))+1)/2)
	}
	return Permutation{n: uint64(n), half: half, s: Key{Seed: seed, Stream: StreamData, Step: epoch}.Sequence()}
}

// Len is the number of elements.
func (p *Permutation) Len() int { return int(p.n) }

// At is where the permutation sends i: the i-th element of the shuffled order.
func (p *Permutation) At(i int) int {
	if uint64(i) >= p.n {
		panic(fmt.Sprintf("rng: Permutation.At: element %d of %d", i, p.n))
	}
	x := p.network(uint64(i))
	for x >= p.n { // ends: the network is a permutation and i is below n
		x = p.network(x)
	}
	return int(x)
}

func (p *Permutation) network(x uint64) uint64 {
	mask := uint64(1)<<p.half - 1
	left, right := x>>p.half, x&mask
	for round := range uint32(feistelRounds) {
		f := Philox([4]uint32{uint32(right), round, p.s.Counter[0], p.s.Counter[1]}, p.s.Key)
		left, right = right, (left^uint64(f[0]))&mask
	}
	return left<<p.half | right
}
