//go:build !unix

package tokenizer

func peakRSS() int64 { return 0 }
