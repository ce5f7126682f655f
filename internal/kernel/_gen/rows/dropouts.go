package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// dropouts takes whole groups of 32 elements from a multiple of four on, whose
// blocks have one upper word of their counter. A 64-bit element of a vector is a
// block: its words are in the lower halves, and what is in the upper ones does not
// matter, as VPMULUDQ does not look there.
func dropouts(a *asm) {
	a.function("dropout", "func(dst, src []float32, s *rng.Sequence, block uint64, threshold uint32, scale float32)")
	dst, src, n := a.ptr("dst"), a.ptr("src"), a.length("dst")
	s, block := a.word("s"), a.word("block")
	index, end := a.GP64(), a.GP64()
	a.XORQ(index, index)
	scale := a.scalar("scale")
	threshold := a.scalar("threshold")
	done := a.label("done")
	a.MOVQ(n, end)
	a.ANDQ(operand.I8(-32), end)
	a.JZ(operand.LabelRef(done))
	loop := a.label("group")
	a.Label(loop)
	for k := range a.units() {
		words := a.philox(s, block, k)
		for i, w := range words {
			at := a.bytes() * (len(words)*k + i)
			x := a.mul(scale, operand.Mem{Base: src, Index: index, Scale: 4, Disp: at})
			a.VMOVUPS(a.keep(a.notBelow(w, threshold), x), operand.Mem{Base: dst, Index: index, Scale: 4, Disp: at})
		}
	}
	a.ADDQ(operand.Imm(8), block)
	a.ADDQ(operand.Imm(32), index)
	a.CMPQ(index, end)
	a.JLT(operand.LabelRef(loop))
	a.Label(done)
	a.end()
}

// bytes is the size of a vector.
func (a *asm) bytes() int {
	if a.wide {
		return 64
	}
	return 32
}

// notBelow is x >= y, unsigned.
func (a *asm) notBelow(x, y vec) mask {
	if a.wide {
		m := mask{k: a.K()}
		a.VPCMPUD(operand.Imm(5), y, x, m.k)
		return m
	}
	m := mask{v: a.vec()}
	a.VPMAXUD(x, y, m.v)
	a.VPCMPEQD(x, m.v, m.v)
	return m
}

// philox is the words of as many blocks as a vector has 64-bit elements, group
// number k from a block on, in the order of the values: two vectors.
func (a *asm) philox(s, block reg.Register, k int) [2]vec {
	blocks := a.bytes() / 8
	// Unpacking takes every other block: the vectors are blocks 0 2 1 3 or, wide,
	// 0 4 1 5 2 6 3 7.
	order := make([]uint32, 0, 16)
	for i := range 8 {
		at := uint32(i/2 + i%2*blocks/2)
		order = append(order, at%uint32(blocks), 0)
	}
	name := "blocksAVX2"
	if a.wide {
		name = "blocksAVX512"
	}
	c0 := a.vec()
	lower := a.XMM()
	a.VMOVQ(block, lower)
	a.VPBROADCASTQ(lower, c0)
	c1 := a.vec()
	a.VPSRLQ(operand.Imm(32), c0, c1)
	if k > 0 {
		a.VPADDQ(a.table("fourBlocks", 4, 0, 4, 0, 4, 0, 4, 0), c0, c0)
	}
	a.VPADDQ(a.table(name, order...), c0, c0)
	c2, c3 := a.broadcast(operand.Mem{Base: s, Disp: 8}), a.broadcast(operand.Mem{Base: s, Disp: 12})
	k0, k1 := a.broadcast(operand.Mem{Base: s}), a.broadcast(operand.Mem{Base: s, Disp: 4})
	const m0, m1, w0, w1 = 0xD2511F53, 0xCD9E8D57, 0x9E3779B9, 0xBB67AE85
	for round := range 10 {
		if round > 0 {
			a.VPADDD(a.u(w0), k0, k0)
			a.VPADDD(a.u(w1), k1, k1)
		}
		p, q := a.vec(), a.vec()
		a.VPMULUDQ(a.u(m0), c0, p)
		a.VPMULUDQ(a.u(m1), c2, q)
		c0, c2 = a.mix(q, c1, k0), a.mix(p, c3, k1)
		c1, c3 = q, p
	}
	first, second := a.pair(c0, c1), a.pair(c2, c3)
	lo, hi := a.vec(), a.vec()
	a.VPUNPCKLQDQ(second, first, lo)
	a.VPUNPCKHQDQ(second, first, hi)
	return [2]vec{lo, hi}
}

// mix is the upper words of p, exclusive or c and k.
func (a *asm) mix(p, c, k vec) vec {
	v := a.vec()
	a.VPSRLQ(operand.Imm(32), p, v)
	if a.wide {
		a.VPTERNLOGD(operand.U8(0x96), k, c, v)
		return v
	}
	return a.xor(a.xor(v, c), k)
}

// pair is 64-bit elements of x below and y above.
func (a *asm) pair(x, y vec) vec {
	upper, v := a.vec(), a.vec()
	a.VPSLLQ(operand.Imm(32), y, upper)
	if !a.wide {
		a.VPBLENDD(operand.Imm(0xaa), upper, x, v)
		return v
	}
	lower := a.vec()
	a.VPSLLQ(operand.Imm(32), x, lower)
	a.VPSRLQ(operand.Imm(32), lower, lower)
	a.VPORD(upper, lower, v)
	return v
}
