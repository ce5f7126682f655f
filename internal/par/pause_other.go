//go:build !amd64 || purego

package par

import "runtime"

func pause() { runtime.Gosched() }
