//go:build !linux

package kernel

// fenced is a copy of x.
func fenced[T float32 | uint16](_ int, x []T) []T { return append([]T(nil), x...) }
