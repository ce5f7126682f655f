package optim

import (
	"fmt"
	"testing"

	"github.com/aries-serpent/codexml/internal/testkit"
	"github.com/aries-serpent/codexml/nn"
)

// blocks are the matrices of a decoder's blocks, queries, keys and values fused.
func blocks(layers, width int) []*nn.Param {
	var all []*nn.Param
	for i := range layers {
		qkv := nn.NewParam(fmt.Sprint(i, "qkv"), nn.GroupMatrix, 3*width, width)
		qkv.Parts = []int{width, width, width}
		all = append(all, qkv, nn.NewParam(fmt.Sprint(i, "out"), nn.GroupMatrix, width, width),
			nn.NewParam(fmt.Sprint(i, "up"), nn.GroupMatrix, 4*width, width), nn.NewParam(fmt.Sprint(i, "down"), nn.GroupMatrix, width, 4*width))
	}
	for _, p := range all {
		testkit.Hash(p.Data, 1, 1)
		testkit.Hash(p.Grad, 2, 1)
	}
	return all
}

func BenchmarkStep(b *testing.B) {
	for _, size := range []struct{ layers, width int }{{3, 192}, {1, 768}} {
		for _, name := range Names {
			b.Run(fmt.Sprintf("%s/%dx%d", name, size.layers, size.width), func(b *testing.B) {
				cfg := DefaultConfig()
				cfg.Name = name
				params := blocks(size.layers, size.width)
				o := newOptimizer(b, cfg, 2, params...)
				elements := 0
				for _, p := range params {
					elements += p.Len()
				}
				b.ReportAllocs()
				for b.Loop() {
					o.Step(0, 1, 1e-6, 1)
				}
				b.ReportMetric(float64(elements*b.N)/b.Elapsed().Seconds()/1e6, "Mparams/s")
			})
		}
	}
}

func BenchmarkGradNorm(b *testing.B) {
	params := blocks(1, 768)
	o := newOptimizer(b, DefaultConfig(), 2, params...)
	b.ReportAllocs()
	for b.Loop() {
		o.GradNorm()
	}
}
