package testkit

import (
	"fmt"
	"math"
	"testing"
	"unsafe"
)

// SameBits fails the test unless got and want agree in every bit. It tells +0
// from -0 and one NaN from another.
func SameBits[T Element](tb testing.TB, what string, got, want []T) {
	tb.Helper()
	if len(got) != len(want) {
		tb.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	first, count := -1, 0
	for i := range got {
		if bits(&got[i]) != bits(&want[i]) {
			if first < 0 {
				first = i
			}
			count++
		}
	}
	if count > 0 {
		tb.Fatalf("%s: %d of %d elements differ, the first at %d: %v (%#x), want %v (%#x)",
			what, count, len(got), first, got[first], bits(&got[first]), want[first], bits(&want[first]))
	}
}

// Close fails the test where |got-want| > abs + rel*|want|. Equal infinities
// are close, and so are two NaNs. The message gives the worst element.
func Close[T ~float32 | ~float64](tb testing.TB, what string, got, want []T, abs, rel float64) {
	tb.Helper()
	if message := farthest(got, want, abs, rel); message != "" {
		tb.Fatalf("%s: %s", what, message)
	}
}

// farthest describes the element that is farthest out of bounds, "" if none is.
func farthest[T ~float32 | ~float64](got, want []T, abs, rel float64) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d elements, want %d", len(got), len(want))
	}
	worst, excess, count := -1, 0.0, 0
	for i := range got {
		g, w := float64(got[i]), float64(want[i])
		if g == w || g != g && w != w {
			continue
		}
		e := math.Abs(g-w) / (abs + rel*math.Abs(w))
		if e <= 1 { // false for NaN
			continue
		}
		count++
		if e != e {
			e = math.Inf(1)
		}
		if worst < 0 || e > excess {
			worst, excess = i, e
		}
	}
	if worst < 0 {
		return ""
	}
	g, w := float64(got[worst]), float64(want[worst])
	return fmt.Sprintf("%d of %d elements out of bounds (abs %g, rel %g), the worst at %d: %g, want %g, off by %.3g",
		count, len(got), abs, rel, worst, g, w, math.Abs(g-w))
}

// MaxDiff is the largest |a[i]-b[i]|, NaN if any difference is.
func MaxDiff[T ~float32 | ~float64](a, b []T) float64 {
	var most float64
	for i := range a {
		most = math.Max(most, math.Abs(float64(a[i])-float64(b[i])))
	}
	return most
}

// bits is an element's representation, widened.
func bits[T Element](v *T) uint64 {
	switch unsafe.Sizeof(*v) {
	case 1:
		return uint64(*(*uint8)(unsafe.Pointer(v)))
	case 2:
		return uint64(*(*uint16)(unsafe.Pointer(v)))
	case 4:
		return uint64(*(*uint32)(unsafe.Pointer(v)))
	}
	return *(*uint64)(unsafe.Pointer(v))
}
