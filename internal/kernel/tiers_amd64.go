//go:build amd64 && !purego

package kernel

import "github.com/aries-serpent/codexml/internal/cpu"

// tierTable is the table of tier t: each tier keeps what the ones below it have
// and it does not do better.
func tierTable(t cpu.Tier) table {
	var ops table
	gemmGeneric(&ops)
	rowsGeneric(&ops)
	if t >= cpu.AVX2 {
		gemmAVX2(&ops)
		rowsAVX2(&ops)
	}
	if t >= cpu.AVX512 {
		gemmAVX512(&ops)
		rowsAVX512(&ops)
	}
	if t >= cpu.AVX512BF16 {
		gemmAVX512BF16(&ops)
	}
	return ops
}
