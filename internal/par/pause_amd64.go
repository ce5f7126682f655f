//go:build !purego

package par

// pause waits about a microsecond, telling the core that it only spins.
func pause()
