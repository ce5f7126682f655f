package kernel

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/aries-serpent/codexml/internal/cpu"
	"github.com/aries-serpent/codexml/internal/par"
)

// shapes are those of GPT-2 124M at 1024 tokens, of the quickstart's 192-wide
// model, and one attention tile.
var shapes = [][3]int{
	{1024, 768, 768}, {1024, 3072, 768}, {1024, 768, 3072}, {2048, 2048, 2048}, {256, 768, 768}, {1024, 50304, 768},
	{1024, 192, 192}, {1024, 576, 192}, {1024, 768, 192}, {1024, 192, 768}, {512, 4096, 192},
	{512, 192, 4096}, {4096, 192, 512}, {192, 192, 1024}, {576, 192, 1024}, {768, 192, 1024}, {192, 768, 1024}, {64, 192, 192},
}

// rate reports the best of the loop's calls, and its share of the machine's peak.
func rate(b *testing.B, pool *par.Pool, half bool, flops float64, f func()) {
	f()
	best := time.Hour
	peak := PeakGFLOPS(pool, half)
	for b.Loop() {
		start := time.Now()
		f()
		best = min(best, time.Since(start))
	}
	peak = max(peak, PeakGFLOPS(pool, half))
	b.ReportMetric(flops/best.Seconds()/1e9, "GFLOP/s")
	b.ReportMetric(100*flops/best.Seconds()/1e9/peak, "%peak")
	b.ReportMetric(0, "ns/op")
}

func smallNumbers(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = r.Float32() - 0.5
	}
	return x
}

func BenchmarkGemm(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, threads := range []int{1, runtime.NumCPU()} {
		pool := par.New(threads)
		defer pool.Close()
		g := NewGemmer(pool)
		for _, s := range shapes {
			m, n, k := s[0], s[1], s[2]
			x, y, c := smallNumbers(r, m*k), smallNumbers(r, n*k), make([]float32, m*n)
			x16, _ := toBF16(x)
			y16, _ := toBF16(y)
			for _, kd := range []string{"f32", "bf16"} {
				for _, form := range []Form{NN, NT, TN} {
					lda, ldb := k, n
					if form == TN {
						lda = m
					}
					if form == NT {
						ldb = k
					}
					b.Run(fmt.Sprintf("threads=%d/%s/%v/%dx%dx%d", threads, kd, form, m, n, k), func(b *testing.B) {
						rate(b, pool, kd == "bf16", 2*float64(m)*float64(n)*float64(k), func() {
							if kd == "bf16" {
								g.GemmBF16(form, m, n, k, MatBF16{x16, lda}, MatBF16{y16, ldb}, MatF32{c, n}, false, nil)
							} else {
								g.Gemm(form, m, n, k, MatF32{x, lda}, MatF32{y, ldb}, MatF32{c, n}, false, nil)
							}
						})
					})
				}
			}
		}
	}
}

// BenchmarkGenerate is a product of a packed weight with few rows: the share of
// its time that reading the weight once takes is what counts.
func BenchmarkGenerate(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 8))
	pool := par.New(runtime.NumCPU())
	defer pool.Close()
	g := NewGemmer(pool)
	const n, k = 16384, 2048 // far more than the caches hold
	y := smallNumbers(r, n*k)
	y16, _ := toBF16(y)
	f32, bf16 := g.PackB(NT, n, k, MatF32{y, k}), g.PackBF16(NT, n, k, MatBF16{y16, k})
	x := smallNumbers(r, 8*k)
	x16, _ := toBF16(x)
	c := MatF32{make([]float32, 8*n), n}
	for m := 1; m <= 8; m++ {
		run := func(name string, bytes int64, f func()) {
			b.Run(fmt.Sprintf("%s/m=%d", name, m), func(b *testing.B) {
				b.SetBytes(bytes)
				for b.Loop() {
					f()
				}
			})
		}
		run("f32", 4*n*k, func() { g.GemmPacked(m, MatF32{x, k}, f32, c, nil) })
		run("bf16", 2*n*k, func() { g.GemmPackedBF16(m, MatBF16{x16, k}, bf16, c, nil) })
		run("mixed", 2*n*k, func() { g.GemmPacked(m, MatF32{x, k}, bf16, c, nil) })
	}
	b.Run("read", func(b *testing.B) { // reading alone, on the same threads
		b.SetBytes(4 * n * k)
		for b.Loop() {
			pool.For(n, 64, func(_, lo, hi int) {
				c.Data[lo] = Dot(y[lo*k:hi*k], y[lo*k:hi*k])
			})
		}
	})
}

func BenchmarkGemmGeneric(b *testing.B) {
	defer Use(cpu.Generic)()
	pool := par.New(1)
	defer pool.Close()
	g := NewGemmer(pool)
	const n = 128
	r := rand.New(rand.NewPCG(9, 10))
	x := smallNumbers(r, n*n)
	h, _ := toBF16(x)
	c := MatF32{make([]float32, n*n), n}
	b.Run("f32", func(b *testing.B) {
		rate(b, pool, false, 2*n*n*n, func() { g.Gemm(NN, n, n, n, MatF32{x, n}, MatF32{x, n}, c, false, nil) })
	})
	b.Run("bf16", func(b *testing.B) {
		rate(b, pool, true, 2*n*n*n, func() { g.GemmBF16(NN, n, n, n, MatBF16{h, n}, MatBF16{h, n}, c, false, nil) })
	})
}
