//go:build !purego

package kernel

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/aries-serpent/codexml/internal/cpu"
)

// stripKind is what a strip kernel does, for the one below.
type stripKind struct {
	columns, half bool // how A lies; B is a panel of pairs
	dot, oddFirst bool // VDPBF16PS; the order of a half panel's pairs
	width         int
	rows, vecs    int
}

// strip is the definition of the strip kernels, in Go.
func (s stripKind) strip(args *stripArgs) {
	f := func(p unsafe.Pointer, at int) *float32 { return (*float32)(unsafe.Add(p, at)) }
	h := func(p unsafe.Pointer, at int) float32 { return widen(*(*uint16)(unsafe.Add(p, at))) }
	fma := fmaGeneric
	if s.dot || args.flags&flush != 0 {
		fma = fmaFlush
	}
	for t := range args.tiles {
		for i := range s.rows {
			c := unsafe.Pointer(f(unsafe.Pointer(args.c), (t*s.rows+i)*args.ldc))
			for j := range s.vecs * s.width {
				sum := f(c, 4*j)
				if args.flags&loadC == 0 {
					*sum = 0
				}
				for k := range args.k {
					a, b := t*args.tile+i*args.lda+4*k, k*args.ldb+4*j
					if s.columns {
						a = t*args.tile + 4*i + k*args.lda
					}
					switch {
					case s.dot:
						*sum = fma(h(args.a, a+2), h(args.b, b+2), *sum)
						*sum = fma(h(args.a, a), h(args.b, b), *sum)
					case s.half && s.oddFirst:
						*sum = fma(*f(args.a, a+4*k+4), h(args.b, b+2), *sum)
						*sum = fma(*f(args.a, a+4*k), h(args.b, b), *sum)
					case s.half:
						*sum = fma(*f(args.a, a+4*k), h(args.b, b), *sum)
						*sum = fma(*f(args.a, a+4*k+4), h(args.b, b+2), *sum)
					default:
						*sum = fma(*f(args.a, a), *f(args.b, b), *sum)
					}
				}
			}
		}
	}
}

// table has the kernels of one kind for every width and number of rows.
func (s stripKind) table() *stripTable {
	var t stripTable
	for vecs := 1; vecs <= maxVecs; vecs++ {
		for rows := 1; rows <= 8; rows++ {
			k := s
			k.rows, k.vecs = rows, vecs
			t[vecs][rows] = k.strip
		}
	}
	return &t
}

// withStrips is t with kernels in Go: its blocks, its packing and its edges can
// be tested on a machine that lacks its registers.
func (t simd) withStrips() *simd {
	w := t.width
	t.alongRows, t.alongColumns = stripKind{width: w}.table(), stripKind{width: w, columns: true}.table()
	t.halfPairs, t.halfMixed = stripKind{width: w, half: true, oddFirst: true}.table(), stripKind{width: w, half: true}.table()
	if t.dotRows != nil {
		t.dotRows, t.dotColumns = stripKind{width: w, dot: true}.table(), stripKind{width: w, dot: true, columns: true}.table()
	}
	return &t
}

func TestGeometryOfEveryTier(t *testing.T) {
	if cpu.Best() < cpu.AVX2 {
		t.Skip("needs AVX2 for the packing loops")
	}
	all := gemmers(t)
	for _, tier := range []*simd{&simdAVX2, &simdAVX512, &simdAVX512BF16} {
		restore := Use(cpu.AVX2)
		ops.gemmOps = tier.withStrips().ops()
		r := rand.New(rand.NewPCG(17, 18))
		check := func(c *gemmCase) {
			want := c.want(false)
			g := all[r.IntN(3)]
			c.check(t, g, nil, want)
			if c.form != TN && !c.accumulate {
				c.check(t, packedGemm{g}, nil, want)
			}
		}
		for range 150 {
			check(newGemmCase(r, kind(r.IntN(3)), Form(r.IntN(3)), 1+r.IntN(40), 1+r.IntN(120), 1+r.IntN(60), r.IntN(2) == 0))
		}
		for kd := range mixed + 1 { // blocks of k, of rows and of columns
			for form := range TN + 1 {
				check(newGemmCase(r, kd, form, 9, 50, 1601+1600*r.IntN(2), false))
				check(newGemmCase(r, kd, form, 201, 33, 19, true))
				check(newGemmCase(r, kd, form, 3, 1100, 17, true))
			}
		}
		restore()
	}
}
