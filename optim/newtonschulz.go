package optim

import "github.com/aries-serpent/codexml/internal/kernel"

// quintic applies the polynomial to the singular values of x and returns where
// the result lies, the other of the two buffers:
//
//	wide (R <= C):  A = X*X^T,  B = c*A*A + b*A,  Y = a*X + B*X
//	tall (R > C):   A = X^T*X,  B = c*A*A + b*A,  Y = a*X + X*B
//
// The tall form has the bits of the wide one on the transposed matrix, because
// factors commute and B is symmetric bit by bit. a*X is where Y's chains start.
func (n *newtonSchulz) quintic(gemm *kernel.SeqGemm, x []float32, R, C int) []float32 {
	y := n.y[:len(x)]
	if &x[0] == &y[0] {
		y = n.x[:len(x)]
	}
	S := min(R, C)
	a, b := n.a[:S*S], n.b[:S*S]
	X, Y, A, B := kernel.MatF32{Data: x, Stride: C}, kernel.MatF32{Data: y, Stride: C}, kernel.MatF32{Data: a, Stride: S}, kernel.MatF32{Data: b, Stride: S}
	if R <= C {
		gram(gemm, kernel.NT, S, C, X, A)
	} else {
		gram(gemm, kernel.TN, S, R, X, A)
	}
	gram(gemm, kernel.NN, S, S, A, B)
	kernel.Scale(b, b, quinticC)
	kernel.Axpy(b, a, quinticB)
	kernel.Scale(y, x, quinticA)
	if R <= C {
		gemm.Gemm(kernel.NN, R, C, R, B, X, Y, true, nil)
	} else {
		gemm.Gemm(kernel.NN, R, C, C, X, B, Y, true, nil)
	}
	return y
}

// gram computes the symmetric product of S x S elements with chains of length K
// that form gives with the same matrix on both sides: m*m^T (NT), m^T*m (TN), or
// m*m of a symmetric m (NN). It multiplies up to the diagonal and mirrors: the
// chain of element (i, j) is that of (j, i), factors exchanged.
func gram(gemm *kernel.SeqGemm, form kernel.Form, S, K int, m, c kernel.MatF32) {
	rows := (S + halves - 1) / halves
	for i := 0; i < S; i += rows {
		end := min(i+rows, S)
		left := m
		if form == kernel.TN {
			left.Data = m.Data[i:]
		} else {
			left.Data = m.Data[i*m.Stride:]
		}
		gemm.Gemm(form, end-i, end, K, left, m, kernel.MatF32{Data: c.Data[i*c.Stride:], Stride: c.Stride}, false, nil)
		for r := i; r < end; r++ {
			for j := range r {
				c.Data[j*c.Stride+r] = c.Data[r*c.Stride+j]
			}
		}
	}
}
