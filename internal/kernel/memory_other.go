//go:build !linux

package kernel

func preferLargePages([]byte) {}
