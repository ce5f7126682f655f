package main

import (
	"fmt"
	"math"
)

// isa is a vector width; a panel has vecs registers of rows.
type isa struct {
	name, reg       string
	width, vecs     int
	and, or, xor    string
	loadInts        string
	unsigned, signs string // widening of bytes
}

var (
	avx2   = isa{"AVX2", "Y", 8, 4, "VPAND", "VPOR", "VPXOR", "VMOVDQU", "VPMOVZXBD", "VPMOVSXBD"}
	avx512 = isa{"AVX512", "Z", 16, 2, "VPANDD", "VPORD", "VPXORD", "VMOVDQU32", "VPMOVZXBD", "VPMOVSXBD"}
)

// scaling is how a code becomes a weight, as internal/kernel/panels.go has it.
type scaling int

const (
	unscaled scaling = iota
	oneScale
	scaleMin
	scalesMin
	signedScales
)

// layout is a format of panels; types are those of files that are kept in it.
type layout struct {
	name    string
	types   []string
	bits    int
	scaling scaling
	group   int
	bias    float32
}

var formats = []layout{
	{"F32", []string{"F32"}, 32, unscaled, 0, 0},
	{"F16", []string{"F16"}, 16, unscaled, 0, 0},
	{"BF16", []string{"BF16"}, 16, unscaled, 0, 0},
	{"Q4_0", []string{"Q4_0"}, 4, oneScale, 32, 8},
	{"Q4_1", []string{"Q4_1"}, 4, scaleMin, 32, 0},
	{"Q5_0", []string{"Q5_0"}, 5, oneScale, 32, 16},
	{"Q5_1", []string{"Q5_1"}, 5, scaleMin, 32, 0},
	{"Q8_0", []string{"Q8_0", "IQ4_NL"}, 8, oneScale, 32, 128},
	{"Q2_K", []string{"Q2_K"}, 4, scalesMin, 16, 0},
	{"Q3_K", []string{"Q3_K"}, 4, signedScales, 16, 4},
	{"Q4_K", []string{"Q4_K"}, 4, scalesMin, 32, 0},
	{"Q5_K", []string{"Q5_K"}, 5, scalesMin, 32, 0},
	{"Q6_K", []string{"Q6_K"}, 6, signedScales, 16, 32},
}

// header is the bytes in front of a unit, blocks its blocks, scales the bytes of a
// block before its codes.
func (x layout) header() int {
	return map[scaling]int{scalesMin: 4 * panelRows, signedScales: 2 * panelRows}[x.scaling]
}

func (x layout) blocks() int {
	if x.header() > 0 {
		return 8
	}
	return 1
}

func (x layout) scales() int {
	switch x.scaling {
	case oneScale:
		return 2 * panelRows
	case scaleMin:
		return 4 * panelRows
	case scalesMin:
		return 2 * panelRows * 32 / x.group
	case signedScales:
		return panelRows * 32 / x.group
	}
	return 0
}

func (x layout) block() int {
	if x.scaling == unscaled {
		return panelRows * x.bits / 8
	}
	return x.scales() + panelRows*4*x.bits
}

// kernel is one function. A row kernel advances the 32 chains of a panel; one of
// several rows of activations those of two registers of the panel's rows, so
// that a weight is made once for them all; a fill kernel (of no rows) writes the weights
// of one register of rows, step after step.
//
//	BX block    R8 unit    CX units left    R9 blocks left
//	SI activations or DI output    R10 first row
//	R11 bytes between steps of the output, or rows of activations    R12 three times that
//
// Registers 0-3 are the sums of a row, 4-7 scales, 8-11 minima. Sums of several rows
// are 0-7 under AVX2, with scales in 8-9 and minima in 10-11, else 16-23.
type kernel struct {
	*file
	isa
	layout
	rows int
}

const (
	maskReg  = 12
	inputReg = 13
	codeReg  = 14
	highReg  = 15
)

func (k *kernel) r(n int) string { return fmt.Sprintf("%s%d", k.reg, n) }

// lanes is the number of registers of a panel's rows that the kernel works on.
func (k *kernel) lanes() int {
	switch {
	case k.rows == 0:
		return 1
	case k.rows == 1:
		return k.vecs
	}
	return 2
}

// sum, scale and least are the registers of the sums of a row of activations, and of
// scales and minima, for register v of the panel's rows.
func (k *kernel) sum(row, v int) string {
	if k.rows > 1 && k.vecs == 2 {
		return k.r(16 + 2*row + v)
	}
	return k.r(row*k.lanes() + v)
}

func (k *kernel) scale(v int) string {
	if k.rows > 1 && k.vecs == 4 {
		return k.r(8 + v)
	}
	return k.r(4 + v)
}

func (k *kernel) least(v int) string {
	if k.rows > 1 && k.vecs == 4 {
		return k.r(10 + v)
	}
	return k.r(8 + v)
}

// weight is the register of the codes and weights of register v's rows, spare one that
// is free while they are made: several rows need the weights of two at a time.
func (k *kernel) weight(v int) string {
	if k.rows > 1 {
		return k.r(codeReg + v)
	}
	return k.r(codeReg)
}

func (k *kernel) spare(v int) string {
	if k.rows > 1 && v == 1 {
		return k.r(inputReg)
	}
	return k.r(highReg)
}

// at is the place of register v's rows among 32 of some bytes each, from base on.
func (k *kernel) at(base string, offset, size, v int) string {
	if k.rows == 1 {
		return fmt.Sprintf("%d(%s)", offset+v*k.width*size, base)
	}
	return fmt.Sprintf("%d(%s)(R10*%d)", offset+v*k.width*size, base, size)
}

func (k *kernel) write(name string) {
	fmt.Fprintf(&k.asm, "\n// func %s(args *panelArgs)\n", name)
	fmt.Fprintf(&k.decl, "//go:noescape\nfunc %s(args *panelArgs)\n\n", name)
	k.p("TEXT \u00b7%s(SB), NOSPLIT, $0-8\nMOVQ args+0(FP), R14\nMOVQ 0(R14), DI\nMOVQ 16(R14), BX\nMOVQ 24(R14), CX", name)
	if k.rows != 1 {
		k.p("MOVQ 32(R14), R11\nMOVQ 40(R14), R10")
	}
	if k.rows > 0 {
		k.p("MOVQ 8(R14), SI")
	}
	if k.rows == 4 {
		k.p("LEAQ (R11)(R11*2), R12")
	}
	for row := range k.rows {
		for v := range k.lanes() {
			k.p("%s %s, %s, %s", k.xor, k.sum(row, v), k.sum(row, v), k.sum(row, v))
		}
	}
	k.p("unit:")
	if k.header() > 0 {
		k.p("MOVQ BX, R8\nADDQ $%d, BX\nMOVQ $%d, R9\nblock:", k.header(), k.layout.blocks())
	}
	if k.scaling == unscaled {
		k.plain()
	} else {
		k.codes()
	}
	k.p("ADDQ $%d, BX", k.block())
	if k.header() > 0 {
		k.p("DECQ R9\nJNE block")
	}
	k.p("DECQ CX\nJNE unit")
	for row := range k.rows {
		if row > 0 {
			k.p("ADDQ 48(R14), DI")
		}
		for v := range k.lanes() {
			k.p("VMOVUPS %s, %d(DI)", k.sum(row, v), 4*k.width*v)
		}
	}
	k.p("VZEROUPPER\nRET")
}

// plain is one step of plain numbers.
func (k *kernel) plain() {
	k.input(0)
	for v := range k.lanes() {
		from, code := k.at("BX", 0, k.bits/8, v), k.weight(v)
		switch {
		case k.name() == "F32" && k.rows == 1:
			k.p("VFMADD231PS %s, %s, %s", from, k.r(inputReg), k.sum(0, v))
			continue
		case k.name() == "F32":
			k.p("VMOVUPS %s, %s", from, code)
		case k.name() == "F16":
			k.p("VCVTPH2PS %s, %s", from, code)
		default:
			k.p("VPMOVZXWD %s, %s\nVPSLLD $16, %s, %s", from, code, code, code)
		}
		k.use(v)
	}
	k.useAll(0)
	if k.rows > 0 {
		k.p("ADDQ $4, SI")
	}
}

func (k *kernel) name() string { return k.layout.name }

// input loads the activation of a step, if there is one row of them.
func (k *kernel) input(step int) {
	if k.rows == 1 {
		k.p("VBROADCASTSS %d(SI), %s", 4*step, k.r(inputReg))
	}
}

// use takes the weights of register v's rows, if there is one row of activations or none.
func (k *kernel) use(v int) {
	switch k.rows {
	case 0:
		k.p("VMOVUPS %s, (DI)\nADDQ R11, DI", k.weight(v))
	case 1:
		k.p("VFMADD231PS %s, %s, %s", k.weight(v), k.r(inputReg), k.sum(0, v))
	}
}

// useAll takes the weights of a step if there are several rows of activations.
func (k *kernel) useAll(step int) {
	if k.rows < 2 {
		return
	}
	places := []string{"", "(R11*1)", "(R11*2)", "(R12*1)"}
	for row, place := range places[:k.rows] {
		k.p("VBROADCASTSS %d(SI)%s, %s", 4*step, place, k.r(inputReg))
		for v := range k.lanes() {
			k.p("VFMADD231PS %s, %s, %s", k.weight(v), k.r(inputReg), k.sum(row, v))
		}
	}
}

// codes is a block of 32 steps. The places of a code in its dword follow one another so
// that k ascends; the scales follow them.
func (k *kernel) codes() {
	if k.rows == 1 {
		for at := 0; at < k.block(); at += 64 {
			k.p("PREFETCHT0 %d(BX)", ahead+at)
		}
	}
	places, steps := 8, 4
	if k.bits == 8 {
		places, steps = 4, 8
	}
	before := 0 // the scales stand at 2^-before
	for n := range places {
		place := n
		if k.bits < 8 {
			place = 2*(n%4) + n/4
		}
		if n == 0 || k.group == 16 && n == places/2 {
			k.loadScales(n * steps / k.group)
			before = 0
		}
		shift := place * 32 / places
		exponent := shift
		if place == places-1 {
			exponent = 0
		} else {
			k.p("VMOVUPS %s, %s", k.constant(uint32(1<<(32/places)-1)<<shift), k.r(maskReg))
		}
		k.scaleBy(before - exponent)
		before = exponent
		for i := range steps {
			k.input(n*steps + i)
			for v := range k.lanes() {
				k.code(i, shift, place == places-1, v)
				k.p("VCVTDQ2PS %s, %s\nVFMADD213PS %s, %s, %s", k.weight(v), k.weight(v), k.least(v), k.scale(v), k.weight(v))
				k.use(v)
			}
			k.useAll(n*steps + i)
		}
	}
	if k.rows > 0 {
		k.p("ADDQ $128, SI")
	}
}

// scaleBy multiplies the scales by a power of two.
func (k *kernel) scaleBy(exponent int) {
	if exponent == 0 {
		return
	}
	factor := k.constant(math.Float32bits(float32(math.Ldexp(1, exponent))))
	for v := range k.lanes() {
		k.p("VMULPS %s, %s, %s", factor, k.scale(v), k.scale(v))
	}
}

// code leaves the codes of dword i of register v's rows where they stand in it, or in
// the lowest bits if they are the last of the dword: no sign gets in the way there.
func (k *kernel) code(i, shift int, last bool, v int) {
	from, code, high := k.at("BX", k.scales()+4*panelRows*i, 4, v), k.weight(v), k.spare(v)
	if last {
		k.p("%s %s, %s\nVPSRLD $%d, %s, %s", k.loadInts, from, code, shift, code, code)
	} else {
		k.p("%s %s, %s, %s", k.and, from, k.r(maskReg), code)
	}
	more := k.bits - 4
	if k.bits == 8 || more == 0 {
		return
	}
	over := i * more
	k.p("%s %s, %s", k.loadInts, k.at("BX", k.scales()+4*panelRows*(4+over/4), 4, v), high)
	if over%4 > 0 {
		k.p("VPSRLD $%d, %s, %s", over%4, high, high)
	}
	if last {
		k.p("%s %s, %s, %s\nVPSLLD $4, %s, %s", k.and, k.constant(1<<more-1), high, high, high, high)
	} else {
		k.p("%s %s, %s, %s", k.and, k.constant(uint32(1<<more-1)<<(shift+4)), high, high)
	}
	k.p("%s %s, %s, %s", k.or, high, code, code)
}

// loadScales loads the scales and minima of a group of the block.
func (k *kernel) loadScales(group int) {
	for v := range k.lanes() {
		d, m, t := k.scale(v), k.least(v), k.r(codeReg)
		switch k.scaling {
		case oneScale:
			k.p("VCVTPH2PS %s, %s", k.at("BX", 0, 2, v), d)
		case scaleMin:
			k.p("VCVTPH2PS %s, %s\nVCVTPH2PS %s, %s", k.at("BX", 0, 2, v), d, k.at("BX", 2*panelRows, 2, v), m)
		case scalesMin:
			for i, x := range []string{d, m} {
				k.p("VCVTPH2PS %s, %s\n%s %s, %s", k.at("R8", 2*panelRows*i, 2, v), x, k.unsigned, k.at("BX", (2*group+i)*panelRows, 1, v), t)
				k.p("VCVTDQ2PS %s, %s\nVMULPS %s, %s, %s", t, t, t, x, x)
			}
		case signedScales:
			k.p("VCVTPH2PS %s, %s\n%s %s, %s", k.at("R8", 0, 2, v), d, k.signs, k.at("BX", group*panelRows, 1, v), t)
			k.p("VCVTDQ2PS %s, %s\nVMULPS %s, %s, %s", t, t, t, d, d)
		}
		if k.bias > 0 {
			k.p("VMULPS %s, %s, %s", k.constant(math.Float32bits(-k.bias)), d, m)
		}
	}
}
