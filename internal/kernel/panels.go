package kernel

//go:generate go run -C _gen ./quant

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"github.com/aries-serpent/codexml/internal/par"
)

// BlockType is how a file writes the elements of a matrix's rows: plain numbers, or
// blocks of a few bits for each element with shared scales. The names are those of
// GGUF.
type BlockType uint8

// The types that weights may stay in.
const (
	BlockF32 BlockType = iota
	BlockF16
	BlockBF16
	BlockQ4_0
	BlockQ4_1
	BlockQ5_0
	BlockQ5_1
	BlockQ8_0
	BlockQ2_K
	BlockQ3_K
	BlockQ4_K
	BlockQ5_K
	BlockQ6_K
	BlockIQ4_NL
	numBlockTypes
)

// scaling is how an element's code q becomes a weight. Every product here is exact in
// float32, so a weight is rounded once at most.
type scaling uint8

const (
	unscaled     scaling = iota
	oneScale             // d*(q-bias), a float16 d for each block
	scaleMin             // d*q + m, float16 d and m for each block
	scalesMin            // (d*s)*q + (m*t), float16 d and m for 256 elements, unsigned bytes s and t for each group
	signedScales         // (d*s)*(q-bias), a float16 d for 256 elements, a signed byte s for each group
)

// blockInfo is a type in the file and in panels.
type blockInfo struct {
	name        string
	size, bytes int // elements and bytes of a block in the file
	bits        int // of a code in a panel
	scaling     scaling
	group       int // elements that share a scale
	bias        int
	unpack      func(x *fileBlock, raw []byte)
}

var blockTypes = [numBlockTypes]blockInfo{
	BlockF32:    {"F32", 1, 4, 32, unscaled, 0, 0, nil},
	BlockF16:    {"F16", 1, 2, 16, unscaled, 0, 0, nil},
	BlockBF16:   {"BF16", 1, 2, 16, unscaled, 0, 0, nil},
	BlockQ4_0:   {"Q4_0", 32, 18, 4, oneScale, 32, 8, unpackQ4_0},
	BlockQ4_1:   {"Q4_1", 32, 20, 4, scaleMin, 32, 0, unpackQ4_1},
	BlockQ5_0:   {"Q5_0", 32, 22, 5, oneScale, 32, 16, unpackQ5_0},
	BlockQ5_1:   {"Q5_1", 32, 24, 5, scaleMin, 32, 0, unpackQ5_1},
	BlockQ8_0:   {"Q8_0", 32, 34, 8, oneScale, 32, 128, unpackQ8_0},
	BlockQ2_K:   {"Q2_K", 256, 84, 4, scalesMin, 16, 0, unpackQ2_K},
	BlockQ3_K:   {"Q3_K", 256, 110, 4, signedScales, 16, 4, unpackQ3_K},
	BlockQ4_K:   {"Q4_K", 256, 144, 4, scalesMin, 32, 0, unpackQ4_K},
	BlockQ5_K:   {"Q5_K", 256, 176, 5, scalesMin, 32, 0, unpackQ5_K},
	BlockQ6_K:   {"Q6_K", 256, 210, 6, signedScales, 16, 32, unpackQ6_K},
	BlockIQ4_NL: {"IQ4_NL", 32, 18, 8, oneScale, 32, 128, unpackIQ4_NL},
}

func (t BlockType) String() string { return blockTypes[t].name }

// ParseBlockType finds a type by its name in GGUF.
func ParseBlockType(name string) (BlockType, bool) {
	for t, info := range blockTypes {
		if info.name == name {
			return BlockType(t), true
		}
	}
	return 0, false
}

// RowBytes is the size of a row of n elements in the file; false if they are no whole
// number of blocks.
func (t BlockType) RowBytes(n int) (int, bool) {
	info := &blockTypes[t]
	return n / info.size * info.bytes, n >= 0 && n%info.size == 0
}

// panelRows is the number of rows of a weight in a panel: 32 neighbouring outputs.
const panelRows = 32

// Panels is a weight of N x K as the B operand of products, N outputs by chains of K,
// that keeps the codes of its file: what is quantised stays so. 32 rows are
// interleaved, so that a vector register holds the same k of neighbouring outputs.
// A panel has blocks of 32 steps of k (or one step of plain numbers):
//
//	scales and minima of the rows
//	the codes' low four bits (or all eight): dwords, row after row
//	the codes' high bits: dwords, row after row
//
// Element k = 16h + 4t + i of a row is nibble 2t + h of its dword i; of eight bits,
// element k = 8p + i is byte p of dword i. So kernels mask a code where it stands and
// let the scale make up for its place. The high bits of nibble p stand above bit 4p + 4
// (modulo 32), moved up by i times their number (modulo 4). Types with scales for 256
// elements have those float16 in front of each 8 blocks.
//
// Panels do not change and any number of products may share them.
type Panels struct {
	n, k int
	kind BlockType
	data []byte
	blockLayout
}

// blockLayout is the sizes of a panel's parts in bytes.
type blockLayout struct {
	steps  int // of k in a block
	blocks int // in a unit
	header int // of a unit
	scales int // of a block
	block  int // scales and codes
	unit   int
	panel  int
}

func layoutOf(t BlockType, k int) blockLayout {
	info := &blockTypes[t]
	l := blockLayout{steps: 32, blocks: 1}
	switch info.scaling {
	case unscaled:
		l.steps = 1
	case oneScale:
		l.scales = 2 * panelRows
	case scaleMin:
		l.scales = 4 * panelRows
	case scalesMin:
		l.blocks, l.header, l.scales = 8, 4*panelRows, 2*panelRows*32/info.group
	case signedScales:
		l.blocks, l.header, l.scales = 8, 2*panelRows, panelRows*32/info.group
	}
	l.block = l.scales + l.steps*info.bits*panelRows/8
	l.unit = l.header + l.blocks*l.block
	l.panel = ceil(k, l.steps*l.blocks) * l.unit
	return l
}

// N is the number of outputs.
func (p *Panels) N() int { return p.n }

// K is the length of the chains.
func (p *Panels) K() int { return p.k }

// Bytes is the memory that the panels take.
func (p *Panels) Bytes() int { return len(p.data) }

// PackPanels makes panels of n rows of k elements of type t; row returns the bytes of
// a row, and is called by several goroutines. It panics if k is no whole number of
// blocks: see RowBytes.
func PackPanels(pool *par.Pool, t BlockType, n, k int, row func(i int) []byte) *Panels {
	size, ok := t.RowBytes(k)
	if !ok || n < 0 {
		panic(fmt.Sprintf("kernel: PackPanels: %d x %d elements of %v, whose blocks have %d", n, k, t, blockTypes[t].size))
	}
	p := &Panels{n: n, k: k, kind: t, blockLayout: layoutOf(t, k)}
	count := ceil(n, panelRows)
	if floats := Floats(count * p.panel / 4); len(floats) > 0 {
		p.data = unsafe.Slice((*byte)(unsafe.Pointer(&floats[0])), 4*len(floats))
	}
	pool.For(count, max(1, (1<<17)/max(p.panel, 1)), func(_, lo, hi int) {
		var x fileBlock
		for i := lo * panelRows; i < min(hi*panelRows, n); i++ {
			raw := row(i)
			if len(raw) != size {
				panic(fmt.Sprintf("kernel: PackPanels: row %d has %d bytes, %d elements of %v take %d", i, len(raw), k, t, size))
			}
			p.packRow(&x, i, raw)
		}
	})
	return p
}

// Row writes the K weights of output i, bit for bit as the format's definition has them.
func (p *Panels) Row(dst []float32, i int) {
	if i < 0 || i >= p.n || len(dst) != p.k {
		panic(fmt.Sprintf("kernel: Panels.Row: row %d into %d elements, of %d x %d", i, len(dst), p.n, p.k))
	}
	panel, r := p.data[i/panelRows*p.panel:][:p.panel], i%panelRows
	if p.steps == 1 {
		p.plainRow(dst, panel, r)
		return
	}
	for b := range len(dst) / 32 {
		p.blockRow(dst[32*b:][:32], panel[b/p.blocks*p.unit:][:p.unit], b%p.blocks, r)
	}
}

func (p *Panels) plainRow(dst []float32, panel []byte, r int) {
	for k := range dst {
		switch at := k*panelRows + r; p.kind {
		case BlockF32:
			dst[k] = math.Float32frombits(binary.LittleEndian.Uint32(panel[4*at:]))
		case BlockF16:
			dst[k] = halfAt(panel, at)
		default:
			dst[k] = widen(binary.LittleEndian.Uint16(panel[2*at:]))
		}
	}
}

// blockRow writes 32 weights: row r of block b of a unit.
func (p *Panels) blockRow(dst []float32, unit []byte, b, r int) {
	info := &blockTypes[p.kind]
	block := unit[p.header+b*p.block:][:p.block]
	for k := range 32 {
		d, m := p.scaleOf(unit, block, k/info.group, r)
		q := float32(p.code(block[p.scales:], k, r) - info.bias)
		if w := float32(d * q); info.scaling == scaleMin || info.scaling == scalesMin {
			dst[k] = w + m
		} else {
			dst[k] = w
		}
	}
}

// scaleOf is the scale and the minimum of row r in a group.
func (p *Panels) scaleOf(unit, block []byte, group, r int) (d, m float32) {
	switch blockTypes[p.kind].scaling {
	case oneScale:
		return halfAt(block, r), 0
	case scaleMin:
		return halfAt(block, r), halfAt(block, panelRows+r)
	case scalesMin:
		s, t := block[2*group*panelRows+r], block[(2*group+1)*panelRows+r]
		return halfAt(unit, r) * float32(s), halfAt(unit, panelRows+r) * float32(t)
	}
	return halfAt(unit, r) * float32(int8(block[group*panelRows+r])), 0
}

// place is where the code of element k is: its dword, its lowest bit, and its high bits'.
func place(bits, k int) (dword, shift, highDword, highShift int) {
	if bits == 8 {
		return k % 8, k / 8 * 8, 0, 0
	}
	h, t, i := k/16, k/4%4, k%4
	shift = 4 * (2*t + h)
	over := i * (bits - 4)
	return i, shift, over / 4, (shift + 4 + over%4) % 32
}

func (p *Panels) code(codes []byte, k, r int) int {
	bits := blockTypes[p.kind].bits
	dword, shift, highDword, highShift := place(bits, k)
	word := binary.LittleEndian.Uint32(codes[4*(dword*panelRows+r):])
	if bits == 8 {
		return int(word >> shift & 255)
	}
	q := int(word >> shift & 15)
	if bits > 4 {
		high := binary.LittleEndian.Uint32(codes[4*((4+highDword)*panelRows+r):])
		q |= int(high>>highShift) & (1<<(bits-4) - 1) << 4
	}
	return q
}

// chain writes the weights of output j as the kernels compute them, fma(d, q, -bias*d):
// a weight of zero is +0, whatever the sign of d.
func (p *Panels) chain(dst []float32, j int) {
	p.Row(dst, j)
	if blockTypes[p.kind].bias == 0 {
		return
	}
	for k, w := range dst {
		if w == 0 {
			dst[k] = 0
		}
	}
}

// halfAt is float16 number i of data, widened.
func halfAt(data []byte, i int) float32 { return widenHalf(binary.LittleEndian.Uint16(data[2*i:])) }

// widenHalf is a float16 as float32.
func widenHalf(h uint16) float32 {
	sign, exponent, fraction := uint32(h&0x8000)<<16, uint32(h>>10&31), uint32(h&0x3ff)
	switch exponent {
	case 0:
		return math.Float32frombits(math.Float32bits(float32(fraction)*0x1p-24) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

// GemmPanels computes C, M x N, from a float32 A and weights in panels, by the float32
// rule: the bits are those of Gemm with the weights that Row gives.
func (g *Gemmer) GemmPanels(m int, a MatF32, b *Panels, c MatF32, epi *Epilogue) {
	g.run("GemmPanels", product{form: NT, m: m, n: b.n, k: b.k, a: ofF32(a), b: operand{kept: b}, packed: true, c: c, epi: epi})
}
