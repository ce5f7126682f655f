package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/internal/cpu"
	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/internal/testkit"
)

const edgesHead = `# Edge cases of VDPBF16PS, one step of a chain a line: c a0 a1 b0 b1 want.
# c and want are float32, a0 a1 b0 b1 bfloat16, all as hexadecimal bits. The step is
#   want = step(a0, b0, step(a1, b1, c))
# with step = a*b + c rounded once to 24 bits with any exponent, denormal operands
# taken as zeros, and results below 2^-126 made signed zeros.
#
# These values were computed from that rule in exact arithmetic (math/big) and are
# still to be recorded: on a processor that has VDPBF16PS, -update writes what the
# processor gives (go test ./internal/kernel -run EdgeVectors -update). Then say here
# which processor it was.
`

// edgeCases are written down where they mean something, and drawn near the edges.
func edgeCases() (all []edgeVector) {
	bf := func(x float64) uint16 { return uint16(math.Float32bits(float32(x)) >> 16) }
	minus := math.Copysign(0, -1)
	add := func(comment string, c, a0, b0, a1, b1 float64) {
		all = append(all, edgeVector{c: float32(c), a: [2]uint16{bf(a0), bf(a1)}, b: [2]uint16{bf(b0), bf(b1)}, comment: comment})
	}
	tiny := 0x1p-126
	for _, s := range []float64{1, -1} {
		add("nothing", 0, 0, s, 0, s)
		add("a zero keeps its sign only beside its like", s*minus, minus, s, s*minus, 1)
		add("the identity: -0 times +0", s*minus, minus, 0, minus, 0)
		add("the smallest normal product", 0, s*0x1p-63, 0x1p-63, 0, 0)
		add("just below it: flushed", 0, s*0x1p-64, 0x1p-63, 0, 0)
		add("two halves of the smallest: each flushed", 0, s*0x1p-64, 0x1p-63, s*0x1p-64, 0x1p-63)
		add("a product below the smallest, not flushed alone", s*tiny, s*0x1p-70, 0x1p-63, 0, 0)
		add("rounds up to the smallest at 24 bits: kept", s*tiny, -s*0x1p-76, 0x1p-75, 0, 0)
		add("one bit below the smallest at 24 bits, though fmaf gives the smallest: flushed", s*tiny, -s*0x1p-75, 0x1p-75, 0, 0)
		add("denormal c is zero", s*0x1p-127, 1, 0, 1, 0)
		add("denormal c under a product", s*0x1p-130, 0x1p-60, 0x1p-60, 0, 0)
		add("denormal a is zero", 0, s*0x1p-127, 0x1p100, 0, 0)
		add("denormal b is zero", 0, 0x1p100, s*0x1p-130, 0, 0)
		add("cancellation to below the smallest", s*tiny*1.25, -s*tiny, 1, 0, 0)
		add("cancellation to zero", s, -s, 1, 0, 0)
		add("the odd element first: overflow, then back", s*0x1.fp127, -s*0x1p127, 1, s*0x1p127, 1)
		add("the odd element first: no overflow", s*0x1.fp127, s*0x1p127, 1, -s*0x1p127, 1)
		add("overflow at the last bit", s*math.MaxFloat32, s*0x1p103, 1, 0, 0)
		add("half of the last bit under the largest", s*math.MaxFloat32, s*0x1p102, 1, 0, 0)
		add("order of rounding: one, then two halves of its last bit", s, s*0x1p-24, 1, s*0x1p-24, 1)
		add("a tie goes to even", s*(1+0x1p-23), s*0x1p-24, 1, 0, 0)
	}
	r := rand.New(rand.NewPCG(13, 14))
	number := func(low, high int) float64 {
		return math.Ldexp(1+float64(r.IntN(128))/128, low+r.IntN(high-low+1)) * float64(1-2*r.IntN(2))
	}
	for range 200 {
		add("near the smallest", number(-126, -124), number(-64, -62), number(-64, -62), number(-64, -62), number(-64, -62))
		add("tiny beside the smallest", number(-127, -125), number(-80, -60), number(-70, -50), number(-126, -120), number(-4, 2))
		add("near the last bit", number(-1, 1), number(-13, -11), number(-13, -11), number(-13, -11), number(-13, -11))
	}
	for range 50 {
		add("near the largest", number(126, 127), number(62, 63), number(62, 64), number(62, 63), number(62, 63))
	}
	for i := range all {
		v := &all[i]
		if testkit.Updating() && cpu.Best() >= cpu.AVX512BF16 {
			v.want = v.compute(NewGemmer(par.New(1)).Seq(0))
			continue
		}
		v.want = fmaFlushBigInf(widen(v.a[0]), widen(v.b[0]), fmaFlushBigInf(widen(v.a[1]), widen(v.b[1]), v.c))
	}
	return all
}

// fmaFlushBigInf is fmaFlushBig for an infinite c too.
func fmaFlushBigInf(a, b, c float32) float32 {
	if math.IsInf(float64(c), 0) {
		return c
	}
	return fmaFlushBig(a, b, c)
}

func TestEdgeVectors(t *testing.T) {
	const path = "testdata/vdpbf16ps.txt"
	all := edgeCases()
	var text strings.Builder
	text.WriteString(edgesHead)
	for _, v := range all {
		fmt.Fprintf(&text, "%08x %04x %04x %04x %04x %08x # %s\n", math.Float32bits(v.c), v.a[0], v.a[1], v.b[0], v.b[1], math.Float32bits(v.want), v.comment)
	}
	testkit.Golden(t, path, text.String())
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	read, err := readEdgeVectors(string(data))
	if err != nil || len(read) != len(all) {
		t.Fatalf("read %d vectors, error %v, want %d", len(read), err, len(all))
	}
}

func TestCheckBF16(t *testing.T) {
	eachTier(func(tier cpu.Tier) {
		if err := CheckBF16(); err != nil {
			t.Errorf("%v: %v", tier, err)
		}
	})
}

func TestReadEdgeVectorsRejectsALineThatIsNone(t *testing.T) {
	if _, err := readEdgeVectors("# head\n3f800000 1 2 3 4\n"); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("got %v, want an error for line 2", err)
	}
}
