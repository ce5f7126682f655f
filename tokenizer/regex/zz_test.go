package regex

import "testing"

func BenchmarkCompile(b *testing.B) {
	for i := range knownPatterns[:6] {
		b.Run("x", func(b *testing.B) {
			for b.Loop() {
				MustCompile(knownPatterns[i])
			}
		})
	}
}
