package kernel

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/aries-serpent/codexml/format/gguf"
	"github.com/aries-serpent/codexml/internal/cpu"
	"github.com/aries-serpent/codexml/internal/par"
)

// halvesAt are the places of float16 numbers in a block of a file.
var halvesAt = [numBlockTypes][]int{
	BlockQ4_0: {0}, BlockQ4_1: {0, 2}, BlockQ5_0: {0}, BlockQ5_1: {0, 2}, BlockQ8_0: {0}, BlockIQ4_NL: {0},
	BlockQ2_K: {80, 82}, BlockQ3_K: {108}, BlockQ4_K: {0, 2}, BlockQ5_K: {0, 2}, BlockQ6_K: {208},
}

// randomRows makes rows of any bits whose float16 numbers are finite and not large.
func randomRows(r *rand.Rand, t BlockType, n, k int) [][]byte {
	size, _ := t.RowBytes(k)
	rows := make([][]byte, n)
	for i := range rows {
		rows[i] = make([]byte, size)
		for j := range rows[i] {
			rows[i][j] = byte(r.Uint32())
		}
		switch t {
		case BlockF32:
			for j := 0; j < size; j += 4 {
				binary.LittleEndian.PutUint32(rows[i][j:], math.Float32bits(float32(r.NormFloat64())))
			}
		case BlockF16, BlockBF16:
			for j := 1; j < size; j += 2 {
				rows[i][j] &= 0xbf // under 2
			}
		}
		for b := 0; b < size; b += blockTypes[t].bytes {
			for _, at := range halvesAt[t] {
				rows[i][b+at+1] &= 0xbf
			}
		}
	}
	return rows
}

// Row gives what the file's format says, bit for bit.
func TestPanelsRowIsTheFormatsDefinition(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	r := rand.New(rand.NewPCG(31, 32))
	for kind := range numBlockTypes {
		n, k := 45, 512
		rows := randomRows(r, kind, n, k)
		p := PackPanels(pool, kind, n, k, func(i int) []byte { return rows[i] })
		other, ok := gguf.ParseType(kind.String())
		if !ok {
			t.Fatalf("gguf has no %v", kind)
		}
		got, want := make([]float32, k), make([]float32, k)
		for i := range n {
			p.Row(got, i)
			if err := gguf.Dequantize(want, other, rows[i]); err != nil {
				t.Fatal(err)
			}
			for j := range want {
				if math.Float32bits(got[j]) != math.Float32bits(want[j]) {
					t.Fatalf("%v: row %d element %d: got %v, want %v", kind, i, j, got[j], want[j])
				}
			}
		}
	}
}

// A product with panels is the float32 product with their weights, on every tier,
// for any number of rows and threads, and writes nothing else.
func TestGemmPanelsIsAFloat32Product(t *testing.T) {
	all := gemmers(t)
	r := rand.New(rand.NewPCG(33, 34))
	pool := par.New(2)
	defer pool.Close()
	for kind := range numBlockTypes {
		for _, m := range []int{1, 1, 2, 3, 4, 5, 7, 8, 9, 40} {
			n, k := 1+r.IntN(150), (1+r.IntN(7))*blockTypes[kind].size
			if blockTypes[kind].size < 256 && r.IntN(3) == 0 {
				k = (30 + r.IntN(20)) * 32
			}
			checkPanels(t, r, pool, all, kind, m, n, k)
		}
	}
}

func checkPanels(t *testing.T, r *rand.Rand, pool *par.Pool, all []*Gemmer, kind BlockType, m, n, k int) {
	t.Helper()
	rows := randomRows(r, kind, n, k)
	p := PackPanels(pool, kind, n, k, func(i int) []byte { return rows[i] })
	weights := make([]float32, n*k)
	for i := range n {
		p.Row(weights[i*k:(i+1)*k], i)
	}
	lda, ldc := k+r.IntN(3), n+r.IntN(3)
	a := make([]float32, m*lda)
	for i := range a {
		a[i] = float32(r.NormFloat64())
	}
	bias := make([]float32, n)
	for i := range bias {
		bias[i] = float32(r.NormFloat64())
	}
	want := make([]float32, m*ldc)
	all[0].Gemm(NT, m, n, k, MatF32{a, lda}, MatF32{weights, k}, MatF32{want, ldc}, false, &Epilogue{Bias: bias})
	eachTier(func(tier cpu.Tier) {
		const guard = 64
		c := make([]float32, guard+m*ldc+guard)
		for i := range c {
			c[i] = 77
		}
		all[r.IntN(len(all))].GemmPanels(m, MatF32{a, lda}, p, MatF32{c[guard : guard+m*ldc], ldc}, &Epilogue{Bias: bias})
		for i, got := range c {
			row, col := (i-guard)/ldc, (i-guard)%ldc
			if i < guard || i >= guard+m*ldc || col >= n {
				if got != 77 {
					t.Fatalf("%v %v %dx%dx%d: element %d outside of C was written", tier, kind, m, n, k, i-guard)
				}
			} else if math.Float32bits(got) != math.Float32bits(want[row*ldc+col]) {
				t.Fatalf("%v %v %dx%dx%d: element %d, %d: got %v, want %v", tier, kind, m, n, k, row, col, got, want[row*ldc+col])
			}
		}
	})
}
