package data

import (
	"slices"

	"github.com/aries-serpent/codexml/internal/par"
)

// MinHash (Broder 1997): under a random order of all shingles, two sets have the
// same smallest shingle with a probability that is their Jaccard similarity. A
// signature holds the smallest ones of 128 orders. Two documents are compared if one of
// 32 bands of 4 agrees: with a similarity of 0.8 all but 5 in 10^8 pairs are, with 0.7
// all but 2 in 10^4.
const (
	permutations = 128
	bandRows     = 4
	bands        = permutations / bandRows

	minSimilarity = 0.7
)

// signature holds the upper halves of the smallest hashes.
type signature [permutations]uint32

// orders are the factors and addends that permute hashes.
var orders = func() (o [permutations][2]uint64) {
	x := uint64(0)
	next := func() uint64 {
		x += prime1
		return mix(x)
	}
	for i := range o {
		o[i] = [2]uint64{next() | 1, next()}
	}
	return o
}()

// sign computes the signature of a set of shingles; repeats do not matter. Four
// orders at a time keep the multiplier busy.
func (s *signature) sign(shingles []uint64) {
	for i := 0; i < permutations; i += 4 {
		a0, b0 := orders[i][0], orders[i][1]
		a1, b1 := orders[i+1][0], orders[i+1][1]
		a2, b2 := orders[i+2][0], orders[i+2][1]
		a3, b3 := orders[i+3][0], orders[i+3][1]
		m0, m1, m2, m3 := ^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)
		for _, h := range shingles {
			m0 = min(m0, h*a0+b0)
			m1 = min(m1, h*a1+b1)
			m2 = min(m2, h*a2+b2)
			m3 = min(m3, h*a3+b3)
		}
		s[i], s[i+1], s[i+2], s[i+3] = uint32(m0>>32), uint32(m1>>32), uint32(m2>>32), uint32(m3>>32)
	}
}

// band is the key of a band: equal bands have equal keys.
func (s *signature) band(i int) uint64 {
	key := uint64(0)
	for _, v := range s[i*bandRows : (i+1)*bandRows] {
		key = mix(key ^ uint64(v))
	}
	return key
}

// estimate is the number of orders in which two sets agree.
func (s *signature) estimate(o *signature) int {
	n := 0
	for i := range s {
		if s[i] == o[i] {
			n++
		}
	}
	return n
}

// keyed is an item with the key of one of its bands.
type keyed struct {
	key  uint64
	item int32
}

// candidates returns, per band, the items sorted so that those with an equal band
// are neighbours, in the order of their numbers.
func candidates(signatures []signature, items []int32, pool *par.Pool) [bands][]keyed {
	var all [bands][]keyed
	pool.For(bands, 1, func(_, band, _ int) {
		list := make([]keyed, len(items))
		for i, item := range items {
			list[i] = keyed{signatures[item].band(band), item}
		}
		slices.SortFunc(list, func(a, b keyed) int {
			switch {
			case a.key < b.key || a.key == b.key && a.item < b.item:
				return -1
			case a == b:
				return 0
			}
			return 1
		})
		all[band] = list
	})
	return all
}
