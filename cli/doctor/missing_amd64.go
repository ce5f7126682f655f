//go:build amd64 && !purego

package doctor

import (
	"strings"

	x "golang.org/x/sys/cpu"

	"github.com/aries-serpent/codexml/internal/cpu"
)

// missing says which instruction sets keep tier t off.
func missing(t cpu.Tier) string {
	var lacks []string
	for _, set := range []struct {
		name string
		from cpu.Tier
		has  bool
	}{
		{"AVX2", cpu.AVX2, x.X86.HasAVX2},
		{"FMA3", cpu.AVX2, x.X86.HasFMA},
		{"AVX512F", cpu.AVX512, x.X86.HasAVX512F},
		{"AVX512BW", cpu.AVX512, x.X86.HasAVX512BW},
		{"AVX512DQ", cpu.AVX512, x.X86.HasAVX512DQ},
		{"AVX512VL", cpu.AVX512, x.X86.HasAVX512VL},
		{"AVX512_BF16", cpu.AVX512BF16, x.X86.HasAVX512BF16},
	} {
		if set.from <= t && !set.has {
			lacks = append(lacks, set.name)
		}
	}
	return "the processor or the system lacks " + strings.Join(lacks, ", ")
}
