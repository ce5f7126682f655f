package kernel

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// emulator runs the text of a kernel on a machine of its own, so that a kernel can
// be tested where the processor lacks its instructions. It knows no more of them
// than the strip kernels use.
type emulator struct {
	mem   []byte // addresses are indices
	args  uint64 // address of the argument
	reg   map[string]uint64
	vec   [32][16]float32
	mxcsr uint32
	last  int64 // result that the jumps look at
}

// kernels splits a file of assembly into the lines of each function.
func kernelsIn(t *testing.T, path string) map[string][]string {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	name := ""
	for line := range strings.SplitSeq(string(text), "\n") {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "TEXT \u00b7"); ok {
			name, _, _ = strings.Cut(rest, "(")
			continue
		}
		if name != "" && line != "" && !strings.HasPrefix(line, "//") {
			all[name] = append(all[name], line)
		}
	}
	return all
}

func (e *emulator) run(code []string) error {
	labels := map[string]int{}
	for i, line := range code {
		if label, ok := strings.CutSuffix(line, ":"); ok {
			labels[label] = i
		}
	}
	for at, steps := 0, 0; ; at++ {
		if steps++; steps > 1e5 {
			return fmt.Errorf("does not end")
		}
		line := code[at]
		if line == "RET" {
			return nil
		}
		if strings.HasSuffix(line, ":") {
			continue
		}
		op, rest, _ := strings.Cut(line, " ")
		if op == "BYTE" {
			if err := e.bytes(line); err != nil {
				return err
			}
			continue
		}
		operands := strings.Split(rest, ", ")
		jump := map[string]bool{"JMP": true, "JEQ": e.last == 0, "JNE": e.last != 0, "JLT": e.last < 0, "JGE": e.last >= 0}
		if taken, ok := jump[op]; ok {
			if taken {
				at = labels[operands[0]]
			}
			continue
		}
		if err := e.step(op, operands); err != nil {
			return fmt.Errorf("%s: %v", line, err)
		}
	}
}

// step does one instruction; Go's order has the destination last.
func (e *emulator) step(op string, o []string) error {
	to := o[len(o)-1]
	switch op {
	case "PCALIGN", "PREFETCHT0", "PREFETCHT1", "VZEROUPPER":
	case "LDMXCSR":
		e.mxcsr = map[string]uint32{"mxcsr<>+0(SB)": 0x9fc0, "mxcsr<>+4(SB)": 0x1f80}[o[0]]
	case "MOVQ":
		e.set(to, e.word(o[0]))
	case "LEAQ":
		e.set(to, e.address(o[0]))
	case "ADDQ":
		e.set(to, e.word(to)+e.word(o[0]))
		e.last = int64(e.word(to))
	case "SUBQ":
		e.set(to, e.word(to)-e.word(o[0]))
		e.last = int64(e.word(to))
	case "DECQ":
		e.set(to, e.word(to)-1)
		e.last = int64(e.word(to))
	case "TESTQ":
		e.last = int64(e.word(o[0]) & e.word(to))
	case "VMOVUPS":
		if strings.Contains(to, "(") {
			for i, v := range e.vector(o[0])[:lanesOf(o[0])] {
				binary.NativeEndian.PutUint32(e.mem[int(e.address(to))+4*i:], math.Float32bits(v))
			}
			return nil
		}
		*e.target(to) = e.load(o[0], lanesOf(to))
	case "VBROADCASTSS":
		x := e.load(o[0], 1)[0]
		for i := range lanesOf(to) {
			e.target(to)[i] = x
		}
	case "VMOVDQU", "VMOVDQU32":
		*e.target(to) = e.load(o[0], lanesOf(to))
	case "VCVTPH2PS", "VPMOVZXWD", "VPMOVZXBD", "VPMOVSXBD", "VCVTDQ2PS", "VMULPS":
		e.convert(op, o)
	case "VFMADD213PS":
		x, y, z := e.load(o[0], lanesOf(to)), *e.target(o[1]), e.target(to)
		for i := range lanesOf(to) {
			z[i] = fmaGeneric(y[i], z[i], x[i])
		}
	case "VXORPS", "VPXOR", "VPXORD", "VANDPS", "VPAND", "VPANDD", "VPOR", "VPORD", "VPSLLD", "VPSRLD":
		x := e.load(o[0], lanesOf(to))
		y := *e.vector(o[1])
		for i := range lanesOf(to) {
			p, q := math.Float32bits(x[i]), math.Float32bits(y[i])
			switch op {
			case "VPSLLD":
				p = q << e.word(o[0])
			case "VPSRLD":
				p = q >> e.word(o[0])
			case "VANDPS", "VPAND", "VPANDD":
				p &= q
			case "VPOR", "VPORD":
				p |= q
			default:
				p ^= q
			}
			e.target(to)[i] = math.Float32frombits(p)
		}
	case "VFMADD231PS":
		fma := fmaGeneric
		if e.mxcsr == 0x9fc0 {
			fma = fmaFlush
		}
		x, y, sum := e.load(o[0], lanesOf(to)), e.vector(o[1]), e.target(to)
		for i := range lanesOf(to) {
			sum[i] = fma(x[i], y[i], sum[i])
		}
	default:
		return fmt.Errorf("an unknown instruction")
	}
	return nil
}

// convert does the instructions that make float32 of something else, and the product.
func (e *emulator) convert(op string, o []string) {
	to := o[len(o)-1]
	n, out := lanesOf(to), [16]float32{}
	switch op {
	case "VMULPS":
		x, y := e.load(o[0], n), *e.target(o[1])
		for i := range n {
			out[i] = x[i] * y[i]
		}
	case "VCVTDQ2PS":
		for i, x := range e.load(o[0], n) {
			out[i] = float32(int32(math.Float32bits(x)))
		}
	default:
		mem := e.mem[e.address(o[0]):]
		for i := range n {
			switch op {
			case "VCVTPH2PS":
				out[i] = halfAt(mem, i)
			case "VPMOVZXWD":
				out[i] = math.Float32frombits(uint32(binary.NativeEndian.Uint16(mem[2*i:])))
			case "VPMOVZXBD":
				out[i] = math.Float32frombits(uint32(mem[i]))
			case "VPMOVSXBD":
				out[i] = math.Float32frombits(uint32(int32(int8(mem[i]))))
			}
		}
	}
	*e.target(to) = out
}

// bytes decodes VDPBF16PS of registers (EVEX.512.F3.0F38.W0 52 /r).
func (e *emulator) bytes(line string) error {
	var b [6]int
	for i, field := range strings.Split(strings.Split(line, " //")[0], "; ") {
		v, err := strconv.ParseInt(strings.TrimPrefix(field, "BYTE $0x"), 16, 16)
		if err != nil {
			return err
		}
		b[i] = int(v)
	}
	if b[0] != 0x62 || b[1]&0xf != 2 || b[2]&0x87 != 6 || b[3]&^8 != 0x40 || b[4] != 0x52 || b[5]>>6 != 3 {
		return fmt.Errorf("%s is not VDPBF16PS", line)
	}
	bit := func(i, n int) int { return ^b[i] >> n & 1 }
	to := bit(1, 4)<<4 | bit(1, 7)<<3 | b[5]>>3&7
	x := bit(3, 3)<<4 | ^b[2]>>3&15
	y := bit(1, 6)<<4 | bit(1, 5)<<3 | b[5]&7
	for i := range e.vec[to] {
		p, q := math.Float32bits(e.vec[x][i]), math.Float32bits(e.vec[y][i])
		sum := fmaFlush(widen(uint16(p>>16)), widen(uint16(q>>16)), e.vec[to][i])
		e.vec[to][i] = fmaFlush(widen(uint16(p)), widen(uint16(q)), sum)
	}
	return nil
}

func lanesOf(register string) int {
	if register[0] == 'Z' {
		return 16
	}
	return 8
}

func (e *emulator) target(register string) *[16]float32 {
	n, err := strconv.Atoi(register[1:])
	if err != nil {
		panic("no vector register: " + register)
	}
	return &e.vec[n]
}

// vector is a register; an immediate or memory is none and gives nothing.
func (e *emulator) vector(operand string) *[16]float32 {
	if operand[0] == 'Y' || operand[0] == 'Z' {
		return e.target(operand)
	}
	v := e.load(operand, 16)
	return &v
}

// load reads n lanes of a register or of memory; an immediate gives nothing.
func (e *emulator) load(operand string, n int) (v [16]float32) {
	switch {
	case operand[0] == '$':
	case strings.HasPrefix(operand, "panel"): // a constant, named for its bits
		word, err := strconv.ParseUint(operand[5:13], 16, 32)
		if err != nil {
			panic(err)
		}
		for i := range v {
			v[i] = math.Float32frombits(uint32(word))
		}
	case operand == "odd<>(SB)":
		v[0] = math.Float32frombits(0xffff0000)
	case strings.Contains(operand, "("):
		at := e.address(operand)
		for i := range n {
			v[i] = math.Float32frombits(binary.NativeEndian.Uint32(e.mem[int(at)+4*i:]))
		}
	default:
		v = *e.target(operand)
	}
	return v
}

// address is that of an operand like 8(AX)(R9*2).
func (e *emulator) address(operand string) uint64 {
	parts := strings.Split(strings.ReplaceAll(operand, ")", ""), "(")
	offset, _ := strconv.ParseInt("0"+parts[0], 10, 64)
	at := uint64(offset) + e.reg[parts[1]]
	if len(parts) > 2 {
		index, scale, _ := strings.Cut(parts[2], "*")
		by, _ := strconv.Atoi(scale)
		at += e.reg[index] * uint64(by)
	}
	return at
}

func (e *emulator) word(operand string) uint64 {
	switch {
	case operand == "args+0(FP)":
		return e.args
	case operand[0] == '$':
		v, _ := strconv.ParseUint(operand[1:], 10, 64)
		return v
	case strings.Contains(operand, "("):
		return binary.NativeEndian.Uint64(e.mem[e.address(operand):])
	}
	return e.reg[operand]
}

func (e *emulator) set(operand string, v uint64) {
	if strings.Contains(operand, "(") {
		binary.NativeEndian.PutUint64(e.mem[e.address(operand):], v)
		return
	}
	e.reg[operand] = v
}

// Every strip kernel of every tier gives, on the emulator, what its plain loop
// gives, and writes nothing else.
func TestStripKernelsOnAnEmulator(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 20))
	count := 0
	for _, file := range []struct {
		path  string
		width int
	}{{"gemm_avx2_amd64.s", 8}, {"gemm_avx512_amd64.s", 16}} {
		kernels := kernelsIn(t, file.path)
		for _, name := range slices.Sorted(maps.Keys(kernels)) {
			code := kernels[name]
			if !strings.HasPrefix(name, "strip") {
				continue
			}
			for _, k := range []int{1, 2, 9} {
				if err := emulateStrip(r, name, code, file.width, k); err != nil {
					t.Errorf("%s, %d steps: %v", name, k, err)
				}
			}
			count++
		}
	}
	if count != 168 {
		t.Errorf("%d kernels were tested, want 168", count)
	}
}

// emulateStrip runs a kernel on two tiles and compares all of the memory.
func emulateStrip(r *rand.Rand, name string, code []string, width, k int) error {
	size := name[strings.IndexAny(name, "12345678"):]
	rows, vecs := int(size[0]-'0'), int(size[2]-'0')
	if strings.HasPrefix(name, "stripRowsBF16") || strings.HasPrefix(name, "stripColumnsBF16") {
		size = name[strings.Index(name, "BF16")+4:]
		rows, vecs = int(size[0]-'0'), int(size[2]-'0')
	}
	const atArgs, atC, atA, atB = 0, 1 << 10, 16 << 10, 32 << 10
	cols, half := vecs*width, strings.Contains(name, "Half")
	e := &emulator{mem: make([]byte, 48<<10), args: atArgs, reg: map[string]uint64{}, mxcsr: 0x1f80}
	flags := uint64(r.IntN(4))
	columns, dot := strings.Contains(name, "Columns"), strings.Contains(name, "BF16")
	ldc, lda, tile := 4*(cols+3), 4*(2*k+5), 4*(2*k+5)*rows
	if columns {
		lda, tile = 4*(rows+1), 4*(rows+1)*k
	}
	ldb := 4 * (cols + 1)
	for i, v := range []int{atC, ldc, atA, lda, tile, atB, ldb, k, 2, int(flags), 64, 1, 128, 1} {
		binary.NativeEndian.PutUint64(e.mem[8*i:], uint64(v))
	}
	for i := atC; i < len(e.mem); i += 4 {
		x := math.Float32bits(float32(r.NormFloat64() * math.Exp2(float64(-r.IntN(2)*r.IntN(130)))))
		binary.NativeEndian.PutUint32(e.mem[i:], x&^0x4000) // the low half is a bfloat16 under 2
	}
	want := append([]byte(nil), e.mem...)
	at := func(i int) float32 { return math.Float32frombits(binary.NativeEndian.Uint32(want[i:])) }
	pair := func(i int) (low, high float32) {
		return widen(binary.NativeEndian.Uint16(want[i:])), widen(binary.NativeEndian.Uint16(want[i+2:]))
	}
	fma := fmaGeneric
	if flags&2 != 0 || dot {
		fma = fmaFlush
	}
	for i := range 2 * rows {
		for j := range cols {
			c := atC + i*ldc + 4*j
			sum := at(c)
			if flags&1 == 0 {
				sum = 0
			}
			for q := range k {
				a, b := atA+i*lda+4*q, atB+q*ldb+4*j
				if columns {
					a = atA + i/rows*tile + i%rows*4 + q*lda
				}
				low, high := pair(b)
				switch {
				case dot:
					lowA, highA := pair(a)
					sum = fma(lowA, low, fma(highA, high, sum))
				case half && strings.Contains(name, "Pairs"):
					sum = fma(at(a+4*q), low, fma(at(a+4*q+4), high, sum))
				case half:
					sum = fma(at(a+4*q+4), high, fma(at(a+4*q), low, sum))
				default:
					sum = fma(at(a), at(b), sum)
				}
			}
			binary.NativeEndian.PutUint32(want[c:], math.Float32bits(sum))
		}
	}
	if err := e.run(code); err != nil {
		return err
	}
	if e.mxcsr != 0x1f80 {
		return fmt.Errorf("MXCSR is left as %04x", e.mxcsr)
	}
	for i := atC; i < len(want); i += 4 {
		if got := math.Float32frombits(binary.NativeEndian.Uint32(e.mem[i:])); math.Float32bits(got) != math.Float32bits(at(i)) {
			return fmt.Errorf("memory at %d is %v, want %v", i, got, at(i))
		}
	}
	return nil
}
