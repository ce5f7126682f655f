// Package cpu says which instruction sets this machine offers and which of the
// engine's kernel tiers is to be used. It is deterministic, safe for concurrent
// use, and obeys one switch, CODEXML_CPU, through a lookup handed to Select.
package cpu

import (
	"fmt"
	"strings"
)

// Tier names a set of kernels. Tiers are ordered: each contains the ones before.
type Tier int

const (
	Generic    Tier = iota // pure Go, the reference
	AVX2                   // AVX2 and FMA3
	AVX512                 // AVX-512 F, BW, DQ, VL
	AVX512BF16             // AVX512 and VDPBF16PS
	NumTiers   = int(AVX512BF16) + 1
)

// Env is the variable that forces a tier.
const Env = "CODEXML_CPU"

var names = [NumTiers]string{"generic", "avx2", "avx512", "avx512bf16"}

func (t Tier) String() string { return names[t] }

// Best is the highest tier that this machine and this build have.
func Best() Tier { return best() }

// Tiers lists the tiers that this machine and this build have, lowest first.
func Tiers() []Tier {
	var all []Tier
	for t := Generic; t <= best(); t++ {
		all = append(all, t)
	}
	return all
}

// Select returns the tier that lookup's CODEXML_CPU forces, else the best one.
// A tier that the machine lacks, or no tier at all, is an error.
func Select(lookup func(string) (string, bool)) (Tier, error) {
	value, ok := lookup(Env)
	if !ok || value == "" {
		return best(), nil
	}
	for i, name := range names {
		if !strings.EqualFold(value, name) {
			continue
		}
		if Tier(i) > best() {
			return 0, fmt.Errorf("%s: this machine has no %s, the best tier it has is %s: unset %s or choose a lower tier", Env, name, best(), Env)
		}
		return Tier(i), nil
	}
	return 0, fmt.Errorf("%s: %q is no tier, want one of %s", Env, value, strings.Join(names[:], ", "))
}
