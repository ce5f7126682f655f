//go:build !amd64 || purego

package kernel

import "github.com/aries-serpent/codexml/internal/cpu"

// tierTable is the table of the only tier there is.
func tierTable(cpu.Tier) table {
	var ops table
	gemmGeneric(&ops)
	rowsGeneric(&ops)
	return ops
}

// simdScratch is empty where there are no vector kernels.
type simdScratch struct{}
