//go:build !amd64 || purego

package doctor

import (
	"runtime"

	"github.com/aries-serpent/codexml/internal/cpu"
)

// missing says why tier t is off in a build that has the pure-Go tier only.
func missing(t cpu.Tier) string {
	if runtime.GOARCH == "amd64" {
		return "this build leaves assembly out (tag purego)"
	}
	return "there is no assembly for " + runtime.GOARCH
}
