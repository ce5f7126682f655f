package testkit

import "testing"

// SteadyAllocs is the number of allocations of f once it is warm: the least of
// several measurements, since which worker takes a piece of work, and so makes its
// scratch memory, is chance, and the collector may empty a pool at any time.
func SteadyAllocs(f func()) float64 {
	least := testing.AllocsPerRun(3, f)
	for range 20 {
		if least == 0 {
			break
		}
		least = min(least, testing.AllocsPerRun(3, f))
	}
	return least
}
