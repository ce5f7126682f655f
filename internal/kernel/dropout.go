package kernel

import (
	"fmt"

	"github.com/aries-serpent/codexml/internal/rng"
)

// Dropout computes dst[i] = src[i] / (1-p), or +0 with probability p: if
// rng.Uint32(key, index+i) is below p * 2^32. The division is a product with the
// rounded 1/(1-p). Applied to gradients it is its own backward. dst may be src. p
// must be in [0, 1).
func Dropout(dst, src []float32, p float32, key rng.Key, index uint64) {
	if len(dst) != len(src) {
		lengths("Dropout", len(dst), len(src))
	}
	if !(p >= 0 && p < 1) {
		panic(fmt.Sprintf("kernel: Dropout: a probability of %g, want one in [0, 1)", p))
	}
	ops.dropout(dst, src, key.Sequence(), index, uint32(float64(p)*0x1p32), 1/(1-p))
}

func dropoutGeneric(dst, src []float32, s rng.Sequence, index uint64, threshold uint32, scale float32) {
	var block [4]uint32
	for i, x := range src {
		at := index + uint64(i)
		if i == 0 || at%4 == 0 {
			block = s.Block(at / 4)
		}
		if block[at%4] < threshold {
			dst[i] = 0
		} else {
			dst[i] = mul(x, scale)
		}
	}
}
