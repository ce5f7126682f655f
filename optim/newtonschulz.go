package optim

import "github.com/aries-serpent/codexml/internal/kernel"

// Sizes: R x C the logical matrix, S the smaller of them.

// chunk is the number of iterations between two looks at x itself. The iteration
// on the small matrix amplifies the rounding of a singular value that is nearly 0
// by 3.44^2 each time, which is harmless for five: 1e-8 becomes 2e-3 where 1 counts.
const chunk = 5

// halves is the number of row blocks in which a symmetric product is computed:
// only their part up to the diagonal, so 5/8 of the work. More blocks save little
// more and make each product too thin for the kernels.
const halves = 4

// newtonSchulz is one worker's scratch memory.
type newtonSchulz struct {
	x, y       []float32 // R x C
	a, p, q, t []float32 // S x S
}

func newNewtonSchulz(elements, square int) newtonSchulz {
	room := func(n int) []float32 { return make([]float32, n) }
	return newtonSchulz{room(elements), room(elements), room(square), room(square), room(square), room(square)}
}

func (n *newtonSchulz) bytes() int { return 4 * (2*len(n.x) + 4*len(n.a)) }

// iterate applies the quintic a*s + b*s^3 + c*s^5 to the singular values s of x,
// times over, and returns where the result lies: x and y take turns. It works on
// the small symmetric matrix A = x*x^T (wide) or x^T*x (tall), which all the
// polynomials commute with, and comes back to the large one once per chunk:
//
//	P = c*A*A + b*A + a*I
//	Q = P*Q          Q = P the first time
//	A = (P*A)*P      what x*x^T would be after the iteration
//
//	x = Q*x (wide) or x*Q (tall)
//
// For a matrix of 4:1 that is half of the work of iterating on x, and the result
// is within 1e-3 of the exact polynomial's. The tall form has the bits of the wide
// one on the transposed matrix: factors commute and Q is symmetric bit by bit.
func (n *newtonSchulz) iterate(gemm *kernel.SeqGemm, R, C, times int) []float32 {
	x, y := n.x[:R*C], n.y[:R*C]
	for ; times > 0; times -= chunk {
		q := n.polynomial(gemm, x, R, C, min(times, chunk))
		X, Y := kernel.MatF32{Data: x, Stride: C}, kernel.MatF32{Data: y, Stride: C}
		if R <= C {
			gemm.Gemm(kernel.NN, R, C, R, q, X, Y, false, nil)
		} else {
			gemm.Gemm(kernel.NN, R, C, C, X, q, Y, false, nil)
		}
		x, y = y, x
	}
	return x
}

// polynomial is the Q of so many iterations.
func (n *newtonSchulz) polynomial(gemm *kernel.SeqGemm, x []float32, R, C, times int) kernel.MatF32 {
	S := min(R, C)
	square := func(data []float32) kernel.MatF32 { return kernel.MatF32{Data: data[:S*S], Stride: S} }
	X, A, P, Q, T := kernel.MatF32{Data: x, Stride: C}, square(n.a), square(n.p), square(n.q), square(n.t)
	if R <= C {
		symmetric(gemm, kernel.NT, S, C, X, X, A)
	} else {
		symmetric(gemm, kernel.TN, S, R, X, X, A)
	}
	for i := range times {
		symmetric(gemm, kernel.NN, S, S, A, A, P)
		kernel.Scale(P.Data, P.Data, quinticC)
		kernel.Axpy(P.Data, A.Data, quinticB)
		for d := 0; d < S*S; d += S + 1 {
			P.Data[d] += quinticA
		}
		if i < times-1 {
			symmetric(gemm, kernel.NN, S, S, P, A, T)
			symmetric(gemm, kernel.NN, S, S, T, P, A)
		}
		if i == 0 {
			P, Q = Q, P
			continue
		}
		symmetric(gemm, kernel.NN, S, S, P, Q, T)
		Q, T = T, Q
	}
	return Q
}

// symmetric computes a product of S x S elements, with chains of length K, that
// is symmetric in exact arithmetic: up to the diagonal, and mirrors that.
func symmetric(gemm *kernel.SeqGemm, form kernel.Form, S, K int, a, b, c kernel.MatF32) {
	rows := (S + halves - 1) / halves
	for i := 0; i < S; i += rows {
		end := min(i+rows, S)
		at := i * a.Stride
		if form == kernel.TN {
			at = i
		}
		left := kernel.MatF32{Data: a.Data[at:], Stride: a.Stride}
		gemm.Gemm(form, end-i, end, K, left, b, kernel.MatF32{Data: c.Data[i*c.Stride:], Stride: c.Stride}, false, nil)
		for r := i; r < end; r++ {
			for j := range r {
				c.Data[j*c.Stride+r] = c.Data[r*c.Stride+j]
			}
		}
	}
}
