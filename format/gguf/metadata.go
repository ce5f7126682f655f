package gguf

import (
	"fmt"
	"slices"
	"strings"
)

// Metadata are the keys and values of a file.
type Metadata struct {
	image   []byte
	entries []entry // in the file's order
	byKey   []int32 // positions in entries, sorted by key
}

// entry is where a value is.
type entry struct {
	key        string
	begin, end int // of the value's bytes in image
	kind       Kind
}

// Keys lists the keys in the file's order.
func (m *Metadata) Keys() []string {
	keys := make([]string, len(m.entries))
	for i, e := range m.entries {
		keys[i] = e.key
	}
	return keys
}

// Meta returns the value of a key.
func (m *Metadata) Meta(key string) (Value, bool) {
	i, ok := slices.BinarySearchFunc(m.byKey, key, func(at int32, key string) int { return strings.Compare(m.entries[at].key, key) })
	if !ok {
		return Value{}, false
	}
	e := m.entries[m.byKey[i]]
	return Value{e.key, e.kind, m.image[e.begin:e.end]}, true
}

// Has says whether the file has a key.
func (m *Metadata) Has(key string) bool {
	_, ok := m.Meta(key)
	return ok
}

func read[T any](m *Metadata, key string, as func(Value) (T, error)) (T, error) {
	v, ok := m.Meta(key)
	if !ok {
		var zero T
		return zero, fmt.Errorf("%w: %s", ErrMissing, key)
	}
	return as(v)
}

// Int reads a whole number; ErrMissing if the file has no such key.
func (m *Metadata) Int(key string) (int64, error) { return read(m, key, Value.Int) }

// Float reads a number; ErrMissing if the file has no such key.
func (m *Metadata) Float(key string) (float64, error) { return read(m, key, Value.Float) }

// Bool reads a truth value; ErrMissing if the file has no such key.
func (m *Metadata) Bool(key string) (bool, error) { return read(m, key, Value.Bool) }

// Text reads a string; ErrMissing if the file has no such key.
func (m *Metadata) Text(key string) (string, error) { return read(m, key, Value.Text) }

// Strings reads an array of strings; ErrMissing if the file has no such key.
func (m *Metadata) Strings(key string) ([]string, error) { return read(m, key, Value.Strings) }

// Ints reads an array of whole numbers; ErrMissing if the file has no such key.
func (m *Metadata) Ints(key string) ([]int64, error) { return read(m, key, Value.Ints) }

// Floats reads an array of numbers; ErrMissing if the file has no such key.
func (m *Metadata) Floats(key string) ([]float64, error) { return read(m, key, Value.Floats) }
