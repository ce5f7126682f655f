package kernel

import "fmt"

// RoPE turns the pairs (i, i + headDim/2) of every head, in place. Row r begins at
// x[r*stride], has heads of headDim elements and the angles whose cosines and sines
// are cos and sin [r*headDim/2 : (r+1)*headDim/2]:
//
//	r1 = fma(x1, cos, -(x2*sin))
//	r2 = fma(x2, cos, x1*sin)
//
// inverse turns back: sin changes its sign.
func RoPE(x, cos, sin []float32, heads, headDim, stride int, inverse bool) {
	half := headDim / 2
	if headDim <= 0 || headDim%2 != 0 || len(cos) != len(sin) || len(cos)%half != 0 {
		panic(fmt.Sprintf("kernel: RoPE: heads of %d elements with %d cosines and %d sines", headDim, len(cos), len(sin)))
	}
	rows := len(cos) / half
	checkRows("RoPE", "x", len(x), rows, heads*headDim, stride)
	for r := range rows {
		ops.rope(x[r*stride:][:heads*headDim], cos[r*half:][:half], sin[r*half:][:half], heads, inverse)
	}
}

func ropeGeneric(x, cos, sin []float32, heads int, inverse bool) {
	half := len(cos)
	for h := range heads {
		a, b := x[2*h*half:][:half], x[(2*h+1)*half:][:half]
		for i, c := range cos {
			s, x1, x2 := sin[i], a[i], b[i]
			if inverse {
				s = -s
			}
			a[i] = fmaGeneric(x1, c, -mul(x2, s))
			b[i] = fmaGeneric(x2, c, mul(x1, s))
		}
	}
}
