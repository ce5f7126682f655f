package kernel

import "github.com/aries-serpent/codexml/internal/cpu"

// Packed is a B operand in the order in which the kernels read it, for weights
// that are used many times unchanged. It is a copy, and it is of the tier in use
// when it was made. Products may share it.
type Packed struct {
	n, k int
	tier cpu.Tier
	b    operand
}

// N is the number of columns of the products.
func (p *Packed) N() int { return p.n }

// K is the length of the chains.
func (p *Packed) K() int { return p.k }

// PackB packs B for GemmPacked. The form is NN, where b is K x N, or NT, where it is N x K.
func (g *Gemmer) PackB(form Form, n, k int, b MatF32) *Packed {
	return g.pack("PackB", form, n, k, ofF32(b))
}

// PackBF16 packs a bfloat16 B, for GemmPacked and GemmPackedBF16.
func (g *Gemmer) PackBF16(form Form, n, k int, b MatBF16) *Packed {
	return g.pack("PackBF16", form, n, k, ofBF16(b))
}

func (g *Gemmer) pack(name string, form Form, n, k int, b operand) *Packed {
	if form == TN {
		panic("kernel: " + name + ": B is packed for NN or NT, got TN")
	}
	rows, cols := k, n
	if form == NT {
		rows, cols = n, k
	}
	checkMatrix(name, "B", len(b.f32)+len(b.bf16), b.stride, rows, cols)
	return &Packed{n: n, k: k, tier: active, b: ops.pack(g.pool, form, n, k, b)}
}

// GemmPacked is Gemm, or GemmMixed if B is bfloat16, with a packed B.
func (g *Gemmer) GemmPacked(m int, a MatF32, b *Packed, c MatF32, epi *Epilogue) {
	g.run("GemmPacked", b.product("GemmPacked", m, ofF32(a), false, c, epi))
}

// GemmPackedBF16 is GemmBF16 with a packed bfloat16 B.
func (g *Gemmer) GemmPackedBF16(m int, a MatBF16, b *Packed, c MatF32, epi *Epilogue) {
	if !b.b.half {
		panic("kernel: GemmPackedBF16: B was packed from float32, want bfloat16")
	}
	g.run("GemmPackedBF16", b.product("GemmPackedBF16", m, ofBF16(a), true, c, epi))
}

func (p *Packed) product(name string, m int, a operand, pairs bool, c MatF32, epi *Epilogue) product {
	if p.tier != active {
		panic("kernel: " + name + ": B was packed for tier " + p.tier.String() + ", but " + active.String() + " is in use")
	}
	return product{form: NT, m: m, n: p.n, k: p.k, a: a, b: p.b, packed: true, pairs: pairs, c: c, epi: epi}
}
