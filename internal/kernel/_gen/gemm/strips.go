package main

import (
	"fmt"
	"strings"
)

// stripKind is how a strip kernel reads its operands.
type stripKind string

const (
	stripRows    stripKind = "Rows"    // A[i, k] at i*lda + 4*k: rows along k
	stripColumns stripKind = "Columns" // A[i, k] at k*lda + 4*i: rows across
	stripHalf    stripKind = "Half"    // as Rows, and B is pairs of bfloat16
)

// fields are the words of the struct that a kernel takes.
var fields = [...]struct{ name, kind, doc string }{
	{"c", "*float32", "first tile of C"},
	{"ldc", "int", "bytes between rows of C"},
	{"a", "unsafe.Pointer", "first tile of A"},
	{"lda", "int", "bytes between rows of A, or between steps (Columns)"},
	{"tile", "int", "bytes between tiles of A"},
	{"b", "unsafe.Pointer", "panel of B"},
	{"ldb", "int", "bytes between steps of the panel"},
	{"k", "int", "steps, more than none"},
	{"tiles", "int", "more than none"},
	{"flags", "int", "of loadC, flush"},
	{"ahead", "int", "Rows: bytes from a tile of A to one to fetch into the second-level cache"},
	{"aheadLines", "int", "64-byte lines to fetch of each of its rows"},
	{"next", "unsafe.Pointer", "memory to fetch into the second-level cache; the kernel moves it on"},
	{"nextLines", "int", "pairs of lines to fetch of it with every tile"},
}

// word is the operand for a field of the struct.
func word(name string) string {
	for i, field := range fields {
		if field.name == name {
			return fmt.Sprintf("%d(R14)", 8*i)
		}
	}
	panic("no field " + name)
}

// declareArgs writes the struct, its flags and its users' types.
func (f *file) declareArgs() {
	fmt.Fprintf(&f.decl, "// Flags of the strip kernels.\nconst (\nloadC = %d // start from C, else from +0\nflush = %d // denormals, in and out\n)\n\n", loadC, flush)
	f.decl.WriteString("// stripArgs is the work of a strip kernel.\ntype stripArgs struct {\n")
	for _, field := range fields {
		fmt.Fprintf(&f.decl, "%s %s // %s\n", field.name, field.kind, field.doc)
	}
	f.decl.WriteString("}\n\n")
}

// strips writes the kernels of one kind for every width and number of rows, and
// returns the table of them. How is the rule: "" for float32 steps, "BF16" for
// VDPBF16PS on pairs; for Half, "Pairs" or "Mixed".
func strips(f *file, v isa, kind stripKind, how string) string {
	var table strings.Builder
	name := fmt.Sprintf("strip%s%s", kind, how)
	fmt.Fprintf(&table, "var %s%s = stripTable{", name, v.name)
	maxRows := v.rows
	if kind == stripHalf {
		maxRows = 4 // for more rows a panel is unpacked first
	}
	for vecs := 1; vecs <= v.vecs; vecs++ {
		fmt.Fprintf(&table, "\n%d: {", vecs)
		for rows := 1; rows <= maxRows; rows++ {
			s := strip{file: f, isa: v, kind: kind, how: how, rows: rows, vecs: vecs}
			s.name = fmt.Sprintf("%s%dx%d%s", name, rows, vecs, v.name)
			if rows < v.rows || vecs < v.vecs {
				s.unroll = 16 / v.width
			}
			if kind == stripHalf {
				s.unroll = 1
			}
			s.write()
			fmt.Fprintf(&table, "%d: %s, ", rows, s.name)
		}
		table.WriteString("},")
	}
	return table.String() + "\n}\n\n"
}

// strip is a kernel that advances the chains of `tiles` tiles of C, one under the
// other, by k steps against one panel of B.
//
//	R14 arguments  DI tile of C    R8 ldc   SI running row of C
//	R12 tile of A  AX running A    R9 lda   R13, DX, R15 are 3, 5, 7 times lda
//	BX running B   R10 ldb         CX steps left   R11 tiles left
type strip struct {
	*file
	isa
	kind       stripKind
	name, how  string
	rows, vecs int
}

func (s *strip) acc(i, v int) string { return fmt.Sprintf("%s%d", s.reg, i*s.vecs+v) }
func (s *strip) b(v int) string      { return fmt.Sprintf("%s%d", s.reg, s.rows*s.vecs+v) }
func (s *strip) broadcast() string   { return s.b(s.vecs) }

// a is where row i of A lies, a number of bytes further on.
func (s *strip) a(i, bytes int) string {
	if s.kind == stripColumns {
		return fmt.Sprintf("%d(AX)", 4*i)
	}
	index := [...]string{"", "(R9*1)", "(R9*2)", "(R13*1)", "(R9*4)", "(DX*1)", "(R13*2)", "(R15*1)"}
	return fmt.Sprintf("%d(AX)%s", bytes, index[i])
}

func (s *strip) write() {
	s.fn(s.name, "args *stripArgs", 1, "")
	s.p("MOVQ args+0(FP), R14")
	for _, load := range [][2]string{{"c", "DI"}, {"ldc", "R8"}, {"a", "R12"}, {"lda", "R9"}, {"ldb", "R10"}, {"tiles", "R11"}} {
		s.p("MOVQ %s, %s", word(load[0]), load[1])
	}
	if s.kind != stripColumns {
		for i, set := range []string{3: "LEAQ (R9)(R9*2), R13", 5: "LEAQ (R9)(R9*4), DX", 7: "LEAQ (R13)(R9*4), R15"} {
			if set != "" && (i < s.rows || i == 3 && s.rows > 6) {
				s.p("%s", set)
			}
		}
	}
	if s.how != "BF16" {
		s.p("TESTQ $%d, %s\nJEQ tile\nLDMXCSR mxcsr<>+0(SB)", flush, word("flags"))
	}
	s.p("tile:")
	s.begin()
	if s.rows == s.isa.rows && s.kind != stripHalf {
		s.fetch()
	}
	s.chains()
	s.end()
	if s.how != "BF16" {
		s.p("TESTQ $%d, %s\nJEQ done\nLDMXCSR mxcsr<>+4(SB)\ndone:", flush, word("flags"))
	}
	s.ret()
}

// begin fills the accumulators and fetches the tile after this one.
func (s *strip) begin() {
	s.p("MOVQ DI, SI\nTESTQ $%d, %s\nJEQ zero", loadC, word("flags"))
	for i := range s.rows {
		for v := range s.vecs {
			s.p("VMOVUPS %d(SI), %s", 4*s.width*v, s.acc(i, v))
		}
		s.p("ADDQ R8, SI")
	}
	s.p("JMP start\nzero:")
	for i := range s.rows {
		for v := range s.vecs {
			if zero := s.acc(i, v); s.reg == "Z" {
				s.p("VPXORD %s, %s, %s", zero, zero, zero)
			} else {
				s.p("VXORPS %s, %s, %s", zero, zero, zero)
			}
		}
		s.p("ADDQ R8, SI")
	}
	s.p("start:")
	for range s.rows {
		for at := 0; at < 4*s.width*s.vecs; at += 64 {
			s.p("PREFETCHT0 %d(SI)", at)
		}
		s.p("PREFETCHT0 %d(SI)\nADDQ R8, SI", 4*s.width*s.vecs-4)
	}
}

// fetch asks for memory that is used later, evenly over the tiles.
func (s *strip) fetch() {
	if s.kind == stripRows {
		s.p("MOVQ %s, CX\nTESTQ CX, CX\nJEQ fetchedA\nMOVQ R12, AX\nADDQ %s, AX\nfetchA:", word("aheadLines"), word("ahead"))
		for i := range s.rows {
			s.p("PREFETCHT1 %s", s.a(i, 0))
		}
		s.p("ADDQ $64, AX\nDECQ CX\nJNE fetchA\nfetchedA:")
	}
	s.p("MOVQ %s, CX\nTESTQ CX, CX\nJEQ fetchedB\nMOVQ %s, AX\nfetchB:", word("nextLines"), word("next"))
	s.p("PREFETCHT1 (AX)\nPREFETCHT1 64(AX)\nADDQ $128, AX\nDECQ CX\nJNE fetchB\nMOVQ AX, %s\nfetchedB:", word("next"))
}

// chains is the loop over k, unrolled, and the rest of it.
func (s *strip) chains() {
	s.p("MOVQ %s, BX\nMOVQ R12, AX\nMOVQ %s, CX", word("b"), word("k"))
	if s.unroll > 1 {
		s.p("SUBQ $%d, CX\nJLT rest\nPCALIGN $32\nloop:", s.unroll)
		for u := range s.unroll {
			s.step(u)
		}
		s.advance(s.unroll)
		s.p("SUBQ $%d, CX\nJGE loop\nrest:\nADDQ $%d, CX\nJEQ store", s.unroll, s.unroll)
	}
	s.p("one:")
	s.step(0)
	s.advance(1)
	s.p("DECQ CX\nJNE one")
	if s.unroll > 1 {
		s.p("store:")
	}
}

// advance moves A on by n steps where a step does not do it.
func (s *strip) advance(n int) {
	switch s.kind {
	case stripRows:
		s.p("ADDQ $%d, AX", 4*n)
	case stripHalf:
		s.p("ADDQ $%d, AX", 8*n)
	}
}

// step u is one step of every chain, or of Half two.
func (s *strip) step(u int) {
	switch {
	case s.kind != stripHalf:
		for v := range s.vecs {
			s.p("VMOVUPS %d(BX), %s", 4*s.width*v, s.b(v))
		}
		s.p("ADDQ R10, BX")
		s.multiply(4 * u)
		if s.kind == stripColumns {
			s.p("ADDQ R9, AX")
		}
		return
	case s.how == "Pairs":
		s.secondOfPair(u)
		s.firstOfPair(u)
	default:
		s.firstOfPair(u)
		s.secondOfPair(u)
	}
	s.p("ADDQ R10, BX")
}

func (s *strip) firstOfPair(u int) {
	for v := range s.vecs {
		if at := 4 * s.width * v; s.reg == "Z" {
			s.p("VPSLLD $16, %d(BX), %s", at, s.b(v))
		} else {
			s.p("VMOVUPS %d(BX), %s\nVPSLLD $16, %s, %s", at, s.b(v), s.b(v), s.b(v))
		}
	}
	s.multiply(8 * u)
}

func (s *strip) secondOfPair(u int) {
	s.p("VBROADCASTSS odd<>(SB), %s", s.broadcast())
	for v := range s.vecs {
		and := "VANDPS"
		if s.reg == "Z" {
			and = "VPANDD"
		}
		s.p("%s %d(BX), %s, %s", and, 4*s.width*v, s.broadcast(), s.b(v))
	}
	s.multiply(8*u + 4)
}

// multiply is one multiply-add of every accumulator, with A from bytes on.
func (s *strip) multiply(bytes int) {
	for i := range s.rows {
		s.p("VBROADCASTSS %s, %s", s.a(i, bytes), s.broadcast())
		for v := range s.vecs {
			if s.how == "BF16" {
				s.p("%s", vdpbf16ps(i*s.vecs+v, s.rows*s.vecs+v, s.rows*s.vecs+s.vecs))
			} else {
				s.p("VFMADD231PS %s, %s, %s", s.b(v), s.broadcast(), s.acc(i, v))
			}
		}
	}
}

// end stores the tile and goes on to the next one.
func (s *strip) end() {
	for i := range s.rows {
		for v := range s.vecs {
			s.p("VMOVUPS %s, %d(DI)", s.acc(i, v), 4*s.width*v)
		}
		s.p("ADDQ R8, DI")
	}
	s.p("ADDQ %s, R12\nDECQ R11\nJNE tile", word("tile"))
}

// burst writes a loop of multiply-adds on registers alone, one for each register
// of a tile: the most that a core can do.
func burst(f *file, v isa, how string) {
	f.fn("burst"+how+v.name, "n int", 1, "")
	f.p("MOVQ n+0(FP), CX\nloop:")
	for i := range v.rows * v.vecs {
		if how == "BF16" {
			f.p("%s", vdpbf16ps(i, 30, 31))
		} else {
			f.p("VFMADD231PS %s%d, %s%d, %s%d", v.reg, v.rows*v.vecs, v.reg, v.rows*v.vecs+1, v.reg, i)
		}
	}
	f.p("DECQ CX\nJNE loop")
	f.ret()
}

// vdpbf16ps encodes VDPBF16PS zmm dst, zmm x, zmm y, which Go's assembler lacks:
// EVEX.512.F3.0F38.W0 52 /r.
func vdpbf16ps(dst, x, y int) string {
	inverted := func(reg, bit int) int { return 1 - reg>>bit&1 }
	bytes := [...]int{
		0x62,
		inverted(dst, 3)<<7 | inverted(y, 4)<<6 | inverted(y, 3)<<5 | inverted(dst, 4)<<4 | 2, // R X B R' 0F38
		(^x&15)<<3 | 4 | 2,       // W vvvv 1 F3
		2<<5 | inverted(x, 4)<<3, // 512 bits, V'
		0x52,                     // opcode
		0xc0 | dst&7<<3 | y&7,    // registers
	}
	var out []string
	for _, b := range bytes {
		out = append(out, fmt.Sprintf("BYTE $0x%02x", b))
	}
	return strings.Join(out, "; ") + fmt.Sprintf(" // VDPBF16PS Z%d, Z%d, Z%d", y, x, dst)
}
