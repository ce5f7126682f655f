package kernel

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/aries-serpent/codexml/internal/cpu"
	"github.com/aries-serpent/codexml/internal/par"
)

func BenchmarkGemmGeneric(b *testing.B) {
	defer Use(cpu.Generic)()
	pool := par.New(1)
	defer pool.Close()
	g := NewGemmer(pool)
	const n = 128
	x := MatF32{make([]float32, n*n), n}
	for i := range x.Data {
		x.Data[i] = float32(i%7) - 2.5
	}
	h := MatBF16{make([]uint16, n*n), n}
	for i := range h.Data {
		h.Data[i] = uint16(0x3f80 + i%7)
	}
	c := MatF32{make([]float32, n*n), n}
	b.Run("float32", func(b *testing.B) {
		for b.Loop() {
			g.Gemm(NN, n, n, n, x, x, c, false, nil)
		}
		b.ReportMetric(2e-9*n*n*n*float64(b.N)/b.Elapsed().Seconds(), "GFLOP/s")
	})
	b.Run("bfloat16", func(b *testing.B) {
		for b.Loop() {
			g.GemmBF16(NN, n, n, n, h, h, c, false, nil)
		}
		b.ReportMetric(2e-9*n*n*n*float64(b.N)/b.Elapsed().Seconds(), "GFLOP/s")
	})
	_, _ = fmt.Println, runtime.NumCPU
}
