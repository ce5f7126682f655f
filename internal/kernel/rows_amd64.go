//go:build amd64 && !purego

package kernel

func rowsAVX2(t *table) {}

func rowsAVX512(t *table) {}
