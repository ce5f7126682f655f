package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// dropouts takes whole groups of 32 elements from a multiple of four on, whose
// blocks have one upper word of their counter. A 64-bit element of a vector is a
// block: its words are in the lower halves, and what is in the upper ones does not
// matter, as VPMULUDQ does not look there.
func dropouts(a *asm) {
	a.function("dropout", "func(dst, src []float32, s rng.Sequence, block uint64, threshold uint32, scale float32)", func() {
		dst, src, n := a.ptr("dst"), a.ptr("src"), a.length("dst")
		block := a.word("block")
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
		for i, w := range a.philox(block) {
			x := a.mul(scale, operand.Mem{Base: src, Index: index, Scale: 4, Disp: a.bytes() * i})
			a.VMOVUPS(a.keep(a.notBelow(w, threshold), x), operand.Mem{Base: dst, Index: index, Scale: 4, Disp: a.bytes() * i})
		}
		a.ADDQ(operand.Imm(8), block)
		a.ADDQ(operand.Imm(32), index)
		a.CMPQ(index, end)
		a.JLT(operand.LabelRef(loop))
		a.Label(done)
	})
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

// philox is values 4*block to 4*block+31, in order.
func (a *asm) philox(block reg.Register) []vec {
	sequence := func(field string, i int) vec { return a.component(a.Param("s").Field(field).Index(i)) }
	lower, k0, k1 := a.XMM(), sequence("Key", 0), sequence("Key", 1)
	a.VMOVQ(block, lower)
	c := make([][4]vec, a.units())
	for k := range c {
		c[k] = [4]vec{a.vec(), a.vec(), sequence("Counter", 0), sequence("Counter", 1)}
		a.VPBROADCASTQ(lower, c[k][0])
		a.VPSRLQ(operand.Imm(32), c[k][0], c[k][1])
		a.VPADDQ(a.blocks(k), c[k][0], c[k][0])
	}
	const m0, m1, w0, w1 = 0xD2511F53, 0xCD9E8D57, 0x9E3779B9, 0xBB67AE85
	for round := range 10 {
		if round > 0 {
			a.VPADDD(a.u(w0), k0, k0)
			a.VPADDD(a.u(w1), k1, k1)
		}
		for k := range c {
			p, q := a.vec(), a.vec()
			a.VPMULUDQ(a.u(m0), c[k][0], p)
			a.VPMULUDQ(a.u(m1), c[k][2], q)
			c[k] = [4]vec{a.mix(q, c[k][1], k0), q, a.mix(p, c[k][3], k1), p}
		}
	}
	var words []vec
	for k := range c {
		first, second := a.pair(c[k][0], c[k][1]), a.pair(c[k][2], c[k][3])
		lo, hi := a.vec(), a.vec()
		a.VPUNPCKLQDQ(second, first, lo)
		a.VPUNPCKHQDQ(second, first, hi)
		words = append(words, lo, hi)
	}
	return words
}

// blocks are the numbers of the blocks in vector k of 64-bit elements: in the order
// that unpacking every other element undoes.
func (a *asm) blocks(k int) operand.Op {
	n := a.bytes() / 8
	var words []uint32
	for i := range n {
		words = append(words, uint32(n*k+i/2+i%2*n/2), 0)
	}
	return a.table(fmt.Sprintf("blocks%dof%d", k, n), words...)
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
