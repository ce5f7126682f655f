package kernel

import (
	"encoding/binary"
)

// fileBlock is a block of a file taken apart: 32 codes, or 256 with scales of groups.
// d and m are float16.
type fileBlock struct {
	codes        [256]byte
	d, m         uint16
	scale, least [16]byte
}

// packRow spreads row i over its panel.
func (p *Panels) packRow(x *fileBlock, i int, raw []byte) {
	panel, r := p.data[i/panelRows*p.panel:][:p.panel], i%panelRows
	info := &blockTypes[p.kind]
	switch {
	case p.steps == 1 && info.bytes == 4:
		for k := range p.k {
			copy(panel[4*(k*panelRows+r):][:4], raw[4*k:])
		}
	case p.steps == 1:
		for k := range p.k {
			copy(panel[2*(k*panelRows+r):][:2], raw[2*k:])
		}
	case p.kind == BlockQ4_0:
		packRowQ4(panel, raw, r, 2, 2*panelRows)
	case p.kind == BlockQ4_1:
		packRowQ4(panel, raw, r, 4, 4*panelRows)
	case p.kind == BlockQ8_0:
		packRowQ8(panel, raw, r)
	default:
		for ; len(raw) > 0; raw = raw[info.bytes:] {
			info.unpack(x, raw[:info.bytes])
			p.packUnit(panel[:p.unit], x, r)
			panel = panel[p.unit:]
		}
	}
}

// packUnit puts a block of the file into a unit.
func (p *Panels) packUnit(unit []byte, x *fileBlock, r int) {
	info := &blockTypes[p.kind]
	switch scales := unit[p.header:]; info.scaling {
	case scalesMin:
		putHalf(unit, panelRows+r, x.m)
		fallthrough
	case signedScales:
		putHalf(unit, r, x.d)
	case scaleMin:
		putHalf(scales, panelRows+r, x.m)
		fallthrough
	default:
		putHalf(scales, r, x.d)
	}
	for b := range p.blocks {
		block := unit[p.header+b*p.block:][:p.block]
		for g := range 32 / info.group {
			from := b*(32/info.group) + g
			switch info.scaling {
			case scalesMin:
				block[2*g*panelRows+r], block[(2*g+1)*panelRows+r] = x.scale[from], x.least[from]
			case signedScales:
				block[g*panelRows+r] = x.scale[from]
			}
		}
		packCodes(block[p.scales:], x.codes[32*b:][:32], info.bits, r)
	}
}

func packCodes(dst, codes []byte, bits, r int) {
	var words [8]uint32
	for k, q := range codes {
		dword, shift, highDword, highShift := place(bits, k)
		if bits == 8 {
			words[dword] |= uint32(q) << shift
			continue
		}
		words[dword] |= uint32(q&15) << shift
		if bits > 4 {
			words[4+highDword] |= uint32(q>>4) << highShift
		}
	}
	for i := range bits {
		binary.LittleEndian.PutUint32(dst[4*(i*panelRows+r):], words[i])
	}
}

func putHalf(dst []byte, i int, h uint16) { binary.LittleEndian.PutUint16(dst[2*i:], h) }

// packRowQ4 is packUnit for nibbles that the file has in the same order but for
// the bytes of a dword, head bytes after the block's scales.
func packRowQ4(panel, raw []byte, r, head, scales int) {
	size := scales + 16*panelRows
	for len(raw) > 0 {
		block := raw[:head+16]
		for i := 0; i < head; i += 2 {
			copy(panel[i*panelRows+2*r:][:2], block[i:])
		}
		a, b := binary.LittleEndian.Uint32(block[head:]), binary.LittleEndian.Uint32(block[head+4:])
		c, d := binary.LittleEndian.Uint32(block[head+8:]), binary.LittleEndian.Uint32(block[head+12:])
		w := transpose4(a, b, c, d)
		codes := panel[scales+4*r:][:3*4*panelRows+4]
		for i := range 4 {
			binary.LittleEndian.PutUint32(codes[4*i*panelRows:], w[i])
		}
		raw, panel = raw[head+16:], panel[size:]
	}
}

// transpose4 makes dword i of the bytes i of four dwords.
func transpose4(a, b, c, d uint32) (w [4]uint32) {
	const even = 0x00ff00ff
	ab0, ab1 := a&even|b&even<<8, a>>8&even|b&^even // bytes 0 and 2, then 1 and 3, of a and b by turns
	cd0, cd1 := c&even|d&even<<8, c>>8&even|d&^even
	return [4]uint32{ab0&0xffff | cd0<<16, ab1&0xffff | cd1<<16, ab0>>16 | cd0&0xffff0000, ab1>>16 | cd1&0xffff0000}
}

// packRowQ8 is packUnit for Q8_0.
func packRowQ8(panel, raw []byte, r int) {
	const size, signs = 2*panelRows + 32*panelRows, 0x80808080
	for len(raw) > 0 {
		block := raw[:34]
		copy(panel[2*r:][:2], block)
		codes := panel[2*panelRows+4*r:][:7*4*panelRows+4]
		for half := range 2 {
			from := block[2+4*half:]
			w := transpose4(binary.LittleEndian.Uint32(from), binary.LittleEndian.Uint32(from[8:]),
				binary.LittleEndian.Uint32(from[16:]), binary.LittleEndian.Uint32(from[24:]))
			for i := range 4 {
				binary.LittleEndian.PutUint32(codes[4*(4*half+i)*panelRows:], w[i]^signs)
			}
		}
		raw, panel = raw[34:], panel[size:]
	}
}

// nibbles takes codes from bytes whose low halves come before the high ones.
func (x *fileBlock) nibbles(from []byte, to int) {
	for i, b := range from {
		x.codes[to+i], x.codes[to+len(from)+i] = b&15, b>>4
	}
}

func (x *fileBlock) halves(raw []byte) {
	x.d, x.m = binary.LittleEndian.Uint16(raw), binary.LittleEndian.Uint16(raw[2:])
}

func unpackQ4_0(x *fileBlock, raw []byte) {
	x.halves(raw)
	x.nibbles(raw[2:18], 0)
}

func unpackQ4_1(x *fileBlock, raw []byte) {
	x.halves(raw)
	x.nibbles(raw[4:20], 0)
}

func (x *fileBlock) fifthBits(high uint32) {
	for i := range 32 {
		x.codes[i] |= byte(high>>i&1) << 4
	}
}

func unpackQ5_0(x *fileBlock, raw []byte) {
	x.halves(raw)
	x.nibbles(raw[6:22], 0)
	x.fifthBits(binary.LittleEndian.Uint32(raw[2:]))
}

func unpackQ5_1(x *fileBlock, raw []byte) {
	x.halves(raw)
	x.nibbles(raw[8:24], 0)
	x.fifthBits(binary.LittleEndian.Uint32(raw[4:]))
}

func unpackQ8_0(x *fileBlock, raw []byte) {
	x.halves(raw)
	for i, b := range raw[2:34] {
		x.codes[i] = b ^ 128
	}
}

// codesIQ4 are the sixteen values that IQ4_NL chooses from, and 128.
var codesIQ4 = [16]byte{1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241}

func unpackIQ4_NL(x *fileBlock, raw []byte) {
	x.halves(raw)
	x.nibbles(raw[2:18], 0)
	for i, q := range x.codes[:32] {
		x.codes[i] = codesIQ4[q]
	}
}

// minus changes the sign of the minima's factor: the file subtracts them.
func (x *fileBlock) minus() { x.m ^= 0x8000 }

func unpackQ2_K(x *fileBlock, raw []byte) {
	x.halves(raw[80:])
	x.minus()
	for g, s := range raw[:16] {
		x.scale[g], x.least[g] = s&15, s>>4
		from, shift := raw[16+g/8*32+g%2*16:], g%8/2*2
		for i := range 16 {
			x.codes[16*g+i] = from[i] >> shift & 3
		}
	}
}

func unpackQ3_K(x *fileBlock, raw []byte) {
	x.d = binary.LittleEndian.Uint16(raw[108:])
	low, high := raw[96:104], raw[104:108]
	for g := range 16 {
		x.scale[g] = low[g%8]>>(g/8*4)&15 | high[g%4]>>(g/4*2)&3<<4 - 32
		mask, from := raw[g%2*16:], raw[32+g/8*32+g%2*16:]
		shift, bit := g%8/2*2, g/2
		for i := range 16 {
			x.codes[16*g+i] = from[i]>>shift&3 | mask[i]>>bit&1<<2
		}
	}
}

// sixBits unpacks the scales and minima of eight groups.
func (x *fileBlock) sixBits(packed []byte) {
	for g := range 4 {
		x.scale[g], x.least[g] = packed[g]&63, packed[g+4]&63
		x.scale[g+4] = packed[g+8]&15 | packed[g]>>6<<4
		x.least[g+4] = packed[g+8]>>4 | packed[g+4]>>6<<4
	}
}

func unpackQ4_K(x *fileBlock, raw []byte) {
	x.halves(raw)
	x.minus()
	x.sixBits(raw[4:16])
	for run := range 4 {
		x.nibbles(raw[16+32*run:][:32], 64*run)
	}
}

func unpackQ5_K(x *fileBlock, raw []byte) {
	x.halves(raw)
	x.minus()
	x.sixBits(raw[4:16])
	for run := range 4 {
		x.nibbles(raw[48+32*run:][:32], 64*run)
	}
	for k := range x.codes {
		x.codes[k] |= raw[16+k%32] >> (k / 32) & 1 << 4
	}
}

func unpackQ6_K(x *fileBlock, raw []byte) {
	x.d = binary.LittleEndian.Uint16(raw[208:])
	copy(x.scale[:], raw[192:208])
	for half := range 2 {
		x.nibbles(raw[64*half:][:64], 128*half)
		for k := range 128 {
			x.codes[128*half+k] |= raw[128+32*half+k%32] >> (k / 32 * 2) & 3 << 4
		}
	}
}
