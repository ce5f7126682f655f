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
		kind, rows, ok := numBlockTypes, 0, false
		for of, n := range map[string]int{"Fill": 0, "Row": 1, "Two": 2, "Three": 3, "Four": 4} {
			if of, is := strings.CutPrefix(short, "panel"+of); is {
				rows = n
				kind, ok = ParseBlockType(of)
			}
		}
		if !ok {
			t.Fatalf("%s is of no type", name)
		}
		if err := emulatePanel(r, kernels[name], kind, width, rows); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(kernels) != 5*2*13 {
		t.Errorf("%d kernels were tested, want 130", len(kernels))
	}
}

// emulatePanel runs a kernel on two units and compares all of the memory.
func emulatePanel(r *rand.Rand, code []string, kind BlockType, width, m int) error {
	pool := par.New(1)
	defer pool.Close()
	layout := layoutOf(kind, blockTypes[kind].size)
	k := 2 * layout.steps * layout.blocks
	rows := randomRows(r, kind, panelRows, k)
	cols := panelColumns(width, m)
	p := PackPanels(pool, kind, panelRows, k, func(i int) []byte { return rows[i] })
	const atArgs, atX, atPanel, atOut, ldc = 0, 1 << 10, 32 << 10, 64 << 10, 4 * (panelRows + 3)
	e := &emulator{mem: make([]byte, 128<<10), args: atArgs, reg: map[string]uint64{}, mxcsr: 0x1f80}
	copy(e.mem[atPanel:], p.data)
	first, ldb := cols*r.IntN(panelRows/cols), 4*(width+3)
	if m > 0 {
		ldb = 4 * (k + 3)
	}
	for i, v := range []int{atOut, atX, atPanel, 2, ldb, first, ldc} {
		binary.NativeEndian.PutUint64(e.mem[8*i:], uint64(v))
	}
	x := make([]float32, max(m, 1)*(k+3))
	for i := range x {
		x[i] = float32(r.NormFloat64())
		binary.NativeEndian.PutUint32(e.mem[atX+4*i:], math.Float32bits(x[i]))
	}
	want := append([]byte(nil), e.mem...)
	weights := make([]float32, k)
	for i := range cols {
		p.chain(weights, first+i)
		for q, w := range weights {
			if m == 0 {
				binary.NativeEndian.PutUint32(want[atOut+q*ldb+4*i:], math.Float32bits(w))
			}
		}
		for row := range m {
			sum := float32(0)
			for q, w := range weights {
				sum = fmaGeneric(x[row*(k+3)+q], w, sum)
			}
			binary.NativeEndian.PutUint32(want[atOut+row*ldc+4*i:], math.Float32bits(sum))
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

// panelColumns is the number of a panel's rows that a kernel for m rows takes.
func panelColumns(width, m int) int {
	switch {
	case m == 0:
		return width
	case m == 1:
		return panelRows
	}
	return 2 * width
}
