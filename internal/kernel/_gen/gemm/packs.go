package main

import "fmt"

// source is the type that a packing loop reads and what it makes of it.
type source struct {
	name string
	size int // bytes of an element
	swap bool
	doc  string
}

var (
	fromF32   = source{"F32", 4, false, "float32"}
	fromBF16  = source{"BF16", 2, false, "bfloat16, widened,"}
	fromPairs = source{"Pairs", 2, false, "bfloat16, rows 2i and 2i+1 made one row of pairs,"}
	fromSwap  = source{"Swap", 2, true, "bfloat16, widened, the two of each pair along k exchanged,"}
)

// load8 loads 8 elements as float32.
func (f *file) load8(s source, from, reg string) {
	if s.size == 4 {
		f.p("VMOVUPS %s, Y%s", from, reg)
		return
	}
	f.p("VPMOVZXWD %s, Y%s\nVPSLLD $16, Y%s, Y%s", from, reg, reg, reg)
}

// packs writes the packing loops. They use YMM registers on every tier: packing
// is bound by memory. Steps and strides are in bytes.
func packs(f *file) {
	for _, s := range []source{fromF32, fromBF16} {
		for vecs := 1; vecs <= 6; vecs++ {
			packRows(f, s, vecs)
		}
	}
	for _, s := range []source{fromF32, fromBF16, fromSwap} {
		packTransposed(f, s)
	}
	for _, rows := range []int{4, 8} {
		for _, s := range []source{fromF32, fromBF16, fromSwap} {
			packColumns(f, s, rows)
		}
	}
	packColumns(f, fromPairs, 8)
	packPairs(f)
	for _, s := range []source{fromBF16, fromSwap} {
		widenRows(f, s)
		unpackPairs(f, s)
	}
}

// registers loads pointer and counter arguments in order.
func (f *file) arguments(names ...string) {
	for i, pair := range names {
		var name, reg string
		fmt.Sscanf(pair, "%s %s", &name, &reg)
		f.p("MOVQ %s+%d(FP), %s", name, 8*i, reg)
	}
}

func packRows(f *file, s source, vecs int) {
	f.fn(fmt.Sprintf("packRows%sx%d", s.name, 8*vecs), "dst *float32, dstStep, panelStep int, src unsafe.Pointer, srcStep, rows, panels int", 7,
		fmt.Sprintf("// packRows%sx%d copies rows of %d*panels %s to panels.\n//\n", s.name, 8*vecs, 8*vecs, s.doc))
	f.arguments("dst DI", "dstStep R8", "panelStep R10", "src SI", "srcStep R9", "rows CX", "panels R11")
	f.p("row:\nMOVQ DI, AX\nMOVQ SI, BX\nMOVQ R11, DX\npanel:")
	for v := range vecs {
		f.load8(s, fmt.Sprintf("%d(BX)", 8*s.size*v), fmt.Sprint(v))
	}
	for v := range vecs {
		f.p("VMOVUPS Y%d, %d(AX)", v, 32*v)
	}
	f.p("ADDQ $%d, BX\nADDQ R10, AX\nDECQ DX\nJNE panel\nADDQ R9, SI\nADDQ R8, DI\nDECQ CX\nJNE row", 8*s.size*vecs)
	f.ret()
}

// packTransposed reads 8 rows of B^T, 8 k at a time.
func packTransposed(f *file, s source) {
	f.fn("packTransposed"+s.name, "dst *float32, dstStep int, src unsafe.Pointer, srcStep, blocks int", 5,
		fmt.Sprintf("// packTransposed%s turns 8 rows of 8*blocks %s into 8 columns of a panel.\n//\n", s.name, s.doc))
	f.arguments("dst DI", "dstStep R8", "src SI", "srcStep R9", "blocks CX")
	f.p("LEAQ (R9)(R9*2), R10\nLEAQ (SI)(R9*4), BX\nLEAQ (R8)(R8*2), R11\nblock:\nLEAQ (DI)(R8*4), DX")
	rows := []string{"(SI)", "(SI)(R9*1)", "(SI)(R9*2)", "(SI)(R10*1)", "(BX)", "(BX)(R9*1)", "(BX)(R9*2)", "(BX)(R10*1)"}
	columns := []string{"(DI)", "(DI)(R8*1)", "(DI)(R8*2)", "(DI)(R11*1)", "(DX)", "(DX)(R8*1)", "(DX)(R8*2)", "(DX)(R11*1)"}
	if s.size == 4 {
		for h := range 2 { // k 0-3, then 4-7
			for i := range 4 {
				f.p("VMOVUPS %d%s, X%d\nVINSERTF128 $1, %d%s, Y%d, Y%d", 16*h, rows[i], i, 16*h, rows[i+4], i, i)
			}
			f.transpose4(4)
			for i := range 4 {
				f.p("VMOVUPS Y%d, %s", i, columns[4*h+i])
			}
		}
	} else {
		for i := range 8 { // rows i and i+4 in the halves of Yi, 8 k as bfloat16
			if i < 4 {
				f.p("VMOVDQU %s, X%d", rows[i], i)
			} else {
				f.p("VINSERTI128 $1, %s, Y%d, Y%d", rows[i], i-4, i-4)
			}
		}
		f.p("VPXOR Y15, Y15, Y15")
		for i := range 4 { // a zero below each is its widening
			f.p("VPUNPCKHWD Y%d, Y15, Y%d\nVPUNPCKLWD Y%d, Y15, Y%d", i, i+8, i, i)
		}
		f.transpose4(4)
		store := func(h int) {
			for i := range 4 {
				to := 4*h + i
				if s.swap {
					to ^= 1
				}
				f.p("VMOVUPS Y%d, %s", i, columns[to])
			}
		}
		store(0)
		for i := range 4 {
			f.p("VMOVAPS Y%d, Y%d", i+8, i)
		}
		f.transpose4(4)
		store(1)
	}
	f.p("ADDQ $%d, SI\nADDQ $%d, BX\nLEAQ (DI)(R8*8), DI\nDECQ CX\nJNE block", 8*s.size, 8*s.size)
	f.ret()
}

// transpose4 transposes the 4x4 halves of Y0-Y3, through t and the three after it.
func (f *file) transpose4(t int) {
	f.p("VUNPCKLPS Y1, Y0, Y%d\nVUNPCKHPS Y1, Y0, Y%d\nVUNPCKLPS Y3, Y2, Y%d\nVUNPCKHPS Y3, Y2, Y%d", t, t+1, t+2, t+3)
	f.p("VUNPCKLPD Y%d, Y%d, Y0\nVUNPCKHPD Y%d, Y%d, Y1\nVUNPCKLPD Y%d, Y%d, Y2\nVUNPCKHPD Y%d, Y%d, Y3", t+2, t, t+2, t, t+3, t+1, t+3, t+1)
}

// packColumns interleaves tiles of A^T's rows.
func packColumns(f *file, s source, rows int) {
	f.fn(fmt.Sprintf("packColumns%sx%d", s.name, rows), "dst *float32, tileStep int, src unsafe.Pointer, srcStep, quads, tiles int", 6,
		fmt.Sprintf("// packColumns%sx%d copies 4*quads rows of %d*tiles %s to tiles of k x %d.\n//\n", s.name, rows, rows, s.doc, rows))
	f.arguments("dst DI", "tileStep R8", "src SI", "srcStep R9", "quads CX", "tiles R11")
	f.p(`
		LEAQ (R9)(R9*2), R10
		LEAQ (R9)(R9*8), R12 // to fetch the rows 8..11 further on
		SUBQ R9, R12
		LEAQ (R12)(R9*1), R13
		LEAQ (R12)(R9*2), R15
		quad:
		MOVQ DI, AX
		MOVQ SI, BX
		MOVQ R11, DX
		tile:
		PREFETCHT0 (BX)(R12*1)
		PREFETCHT0 (BX)(R13*1)
		PREFETCHT0 (BX)(R15*1)`)
	steps := 4
	if s == fromPairs {
		steps = 2
	}
	from := []string{"(BX)", "(BX)(R9*1)", "(BX)(R9*2)", "(BX)(R10*1)"}
	for k := range 4 {
		to := k
		if s.swap {
			to ^= 1
		}
		switch {
		case s == fromPairs:
			f.p("VPMOVZXWD %s, Y%d", from[k], k)
			if k%2 == 1 {
				f.p("VPSLLD $16, Y%d, Y%d\nVPOR Y%d, Y%d, Y%d\nVMOVUPS Y%d, %d(AX)", k, k, k, k-1, k, k, 16*(k-1))
			}
		case rows == 8:
			f.load8(s, from[k], fmt.Sprint(k))
			f.p("VMOVUPS Y%d, %d(AX)", k, 32*to)
		case s.size == 4:
			f.p("VMOVUPS %s, X%d\nVMOVUPS X%d, %d(AX)", from[k], k, k, 16*to)
		default:
			f.p("VPMOVZXWD %s, X%d\nVPSLLD $16, X%d, X%d\nVMOVUPS X%d, %d(AX)", from[k], k, k, k, k, 16*to)
		}
	}
	f.p(`
		ADDQ $%d, BX
		ADDQ R8, AX
		DECQ DX
		JNE tile
		LEAQ (SI)(R9*4), SI
		ADDQ $%d, DI
		DECQ CX
		JNE quad`, s.size*rows, 4*rows*steps)
	f.ret()
}

// packPairs makes one row of pairs of two rows of bfloat16.
func packPairs(f *file) {
	f.fn("packPairs", "dst *float32, dstStep, panelStep int, src unsafe.Pointer, srcStep, pairs, panels, vecs int", 8,
		"// packPairs makes of rows 2i and 2i+1 of 8*vecs*panels bfloat16 a row of pairs in panels.\n//\n")
	f.arguments("dst DI", "dstStep R8", "panelStep R10", "src SI", "srcStep R9", "pairs CX", "panels R11", "vecs R12")
	f.p(`
		row:
		MOVQ DI, AX
		MOVQ SI, BX
		MOVQ R11, DX
		panel:
		MOVQ AX, R13
		MOVQ R12, R15
		vec:
		VPMOVZXWD (BX), Y0
		VPMOVZXWD (BX)(R9*1), Y1
		VPSLLD $16, Y1, Y1
		VPOR Y1, Y0, Y0
		VMOVDQU Y0, (R13)
		ADDQ $16, BX
		ADDQ $32, R13
		DECQ R15
		JNE vec
		ADDQ R10, AX
		DECQ DX
		JNE panel
		LEAQ (SI)(R9*2), SI
		ADDQ R8, DI
		DECQ CX
		JNE row`)
	f.ret()
}

// widenRows widens whole rows; swapped, the halves of the pairs change places.
func widenRows(f *file, s source) {
	f.fn("widenRows"+s.name, "dst *float32, dstStep int, src unsafe.Pointer, srcStep, rows, vecs int", 6,
		fmt.Sprintf("// widenRows%s copies rows of 8*vecs %s to rows of float32.\n//\n", s.name, s.doc))
	f.arguments("dst DI", "dstStep R8", "src SI", "srcStep R9", "rows CX", "vecs R11")
	f.p("row:\nMOVQ DI, AX\nMOVQ SI, BX\nMOVQ R11, DX\nvec:")
	f.load8(s, "(BX)", "0")
	if s.swap {
		f.p("VPERMILPS $0xB1, Y0, Y0")
	}
	f.p(`
		VMOVUPS Y0, (AX)
		ADDQ $16, BX
		ADDQ $32, AX
		DECQ DX
		JNE vec
		ADDQ R9, SI
		ADDQ R8, DI
		DECQ CX
		JNE row`)
	f.ret()
}

// unpackPairs turns a panel of pairs into one of float32, two rows of each.
func unpackPairs(f *file, s source) {
	f.fn("unpackPairs"+s.name, "dst *float32, src unsafe.Pointer, pairs, vecs int", 4,
		fmt.Sprintf("// unpackPairs%s turns rows of 8*vecs pairs of %s into two rows of float32.\n//\n", s.name, s.doc))
	f.arguments("dst DI", "src SI", "pairs CX", "vecs R11")
	first, second := "(DI)", "(DI)(R8*1)"
	if s.swap {
		first, second = second, first
	}
	f.p(`
		VBROADCASTSS odd<>(SB), Y15
		MOVQ R11, R8
		SHLQ $5, R8
		row:
		MOVQ R11, DX
		vec:
		VMOVUPS (SI), Y0
		VPSLLD $16, Y0, Y1
		VANDPS Y15, Y0, Y2
		VMOVUPS Y1, %s
		VMOVUPS Y2, %s
		ADDQ $32, SI
		ADDQ $32, DI
		DECQ DX
		JNE vec
		ADDQ R8, DI
		DECQ CX
		JNE row`, first, second)
	f.ret()
}
