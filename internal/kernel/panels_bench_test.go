package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aries-serpent/codexml/internal/par"
)

// A token's share of SmolLM2-135M in one layer and in the head, and a prompt's.
func BenchmarkPanels(b *testing.B) {
	r := rand.New(rand.NewPCG(35, 36))
	for _, x := range []struct {
		kind    BlockType
		m, n, k int
	}{
		{BlockQ4_1, 1, 24576, 576}, {BlockQ4_0, 1, 24576, 576}, {BlockQ8_0, 1, 49152, 576}, {BlockQ4_K, 1, 9216, 1536}, {BlockQ6_K, 1, 9216, 1536}, {BlockQ5_1, 1, 24576, 576},
		{BlockF16, 1, 24576, 576}, {BlockBF16, 1, 24576, 576}, {BlockF32, 1, 24576, 576},
		{BlockQ4_1, 2, 24576, 576}, {BlockQ4_1, 3, 24576, 576}, {BlockQ4_1, 5, 24576, 576}, {BlockQ4_1, 8, 24576, 576}, {BlockQ4_K, 8, 9216, 1536}, {BlockQ6_K, 8, 9216, 1536}, {BlockQ8_0, 8, 24576, 576},
		{BlockF16, 8, 24576, 576}, {BlockF16, 2, 24576, 576}, {BlockBF16, 2, 24576, 576}, {BlockBF16, 8, 24576, 576}, {BlockF32, 8, 24576, 576},
		{BlockQ4_1, 512, 3072, 576}, {BlockQ4_1, 512, 576, 1536}, {BlockQ4_K, 512, 576, 1536},
	} {
		b.Run(fmt.Sprintf("%v/%dx%dx%d", x.kind, x.m, x.n, x.k), func(b *testing.B) {
			pool := par.New(1)
			defer pool.Close()
			rows := randomRows(r, x.kind, 64, x.k)
			p := PackPanels(pool, x.kind, x.n, x.k, func(i int) []byte { return rows[i%64] })
			g := NewGemmer(pool)
			a, c := make([]float32, x.m*x.k), make([]float32, x.m*x.n)
			seconds := math.Inf(1) // the best, as others use the machine too
			for b.Loop() {
				start := time.Now()
				g.GemmPanels(x.m, MatF32{a, x.k}, p, MatF32{c, x.n}, nil)
				seconds = min(seconds, time.Since(start).Seconds())
			}
			b.ReportMetric(float64(x.n*x.k)/seconds/1e9, "Gweights/s")
			b.ReportMetric(float64(p.Bytes())/seconds/1e9, "GB/s")
			b.ReportMetric(2*float64(x.m*x.n*x.k)/seconds/1e9, "GFLOP/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}
