//go:build amd64 && !purego

package kernel

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/internal/par"
)

// Every kernel of weights in panels gives, on the emulator, what the weights' plain
// loop gives, and writes nothing else.
func TestPanelKernelsOnAnEmulator(t *testing.T) {
	r := rand.New(rand.NewPCG(37, 38))
	kernels := kernelsIn(t, "panels_amd64.s")
	for _, name := range slices.Sorted(maps.Keys(kernels)) {
		short, wide := strings.CutSuffix(name, "AVX512")
		short, width := strings.TrimSuffix(short, "AVX2"), 8
		if wide {
			width = 16
		}
		of, row := strings.CutPrefix(short, "panelRow")
		kind, ok := ParseBlockType(strings.TrimPrefix(of, "panelFill"))
		if !ok {
			t.Fatalf("%s is of no type", name)
		}
		if err := emulatePanel(r, kernels[name], kind, width, row); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(kernels) != 2*2*13 {
		t.Errorf("%d kernels were tested, want 52", len(kernels))
	}
}

// emulatePanel runs a kernel on two units and compares all of the memory.
func emulatePanel(r *rand.Rand, code []string, kind BlockType, width int, row bool) error {
	pool := par.New(1)
	defer pool.Close()
	layout := layoutOf(kind, blockTypes[kind].size)
	k := 2 * layout.steps * layout.blocks
	rows := randomRows(r, kind, panelRows, k)
	p := PackPanels(pool, kind, panelRows, k, func(i int) []byte { return rows[i] })
	const atArgs, atX, atPanel, atOut = 0, 1 << 10, 4 << 10, 32 << 10
	e := &emulator{mem: make([]byte, 128<<10), args: atArgs, reg: map[string]uint64{}, mxcsr: 0x1f80}
	copy(e.mem[atPanel:], p.data)
	first, ldb := width*r.IntN(panelRows/width), 4*(width+3)
	for i, v := range []int{atOut, atX, atPanel, 2, ldb, first} {
		binary.NativeEndian.PutUint64(e.mem[8*i:], uint64(v))
	}
	x := make([]float32, k)
	for i := range x {
		x[i] = float32(r.NormFloat64())
		binary.NativeEndian.PutUint32(e.mem[atX+4*i:], math.Float32bits(x[i]))
	}
	want := append([]byte(nil), e.mem...)
	weights := make([]float32, k)
	for j := range panelRows {
		p.chain(weights, j)
		sum := float32(0)
		for q, w := range weights {
			sum = fmaGeneric(x[q], w, sum)
			if i := j - first; !row && i >= 0 && i < width {
				binary.NativeEndian.PutUint32(want[atOut+q*ldb+4*i:], math.Float32bits(w))
			}
		}
		if row {
			binary.NativeEndian.PutUint32(want[atOut+4*j:], math.Float32bits(sum))
		}
	}
	if err := e.run(code); err != nil {
		return err
	}
	for i := 0; i < len(want); i += 4 {
		got, want := binary.NativeEndian.Uint32(e.mem[i:]), binary.NativeEndian.Uint32(want[i:])
		if got != want {
			return fmt.Errorf("memory at %d is %v, want %v", i, math.Float32frombits(got), math.Float32frombits(want))
		}
	}
	return nil
}
