package cli

import (
	"fmt"
	"strconv"
)

// maxThreads guards against a slip of the hand; the result never depends on it.
const maxThreads = 1024

// threads is the value of --threads.
type threads struct{ n *int }

// String is empty while the flag is not given: the default differs from machine
// to machine, and help should not.
func (t threads) String() string { return "" }
func (t threads) Type() string   { return "N" }

func (t threads) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxThreads {
		return fmt.Errorf("want 1..%d", maxThreads)
	}
	*t.n = n
	return nil
}
