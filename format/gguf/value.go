package gguf

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Kind is the type of a metadata value, by its number in the format.
type Kind uint32

// The kinds.
const (
	KindUint8 Kind = iota
	KindInt8
	KindUint16
	KindInt16
	KindUint32
	KindInt32
	KindFloat32
	KindBool
	KindString
	KindArray
	KindUint64
	KindInt64
	KindFloat64
	numKinds
)

var kinds = [numKinds]struct {
	name string
	size int // in bytes; 0 if it depends on the value
}{
	KindUint8: {"uint8", 1}, KindInt8: {"int8", 1}, KindUint16: {"uint16", 2}, KindInt16: {"int16", 2}, KindUint32: {"uint32", 4}, KindInt32: {"int32", 4},
	KindFloat32: {"float32", 4}, KindBool: {"bool", 1}, KindString: {"string", 0}, KindArray: {"array", 0}, KindUint64: {"uint64", 8}, KindInt64: {"int64", 8},
	KindFloat64: {"float64", 8},
}

// String is the kind's name.
func (k Kind) String() string {
	if k >= numKinds {
		return fmt.Sprintf("kind %d", uint32(k))
	}
	return kinds[k].name
}

// Value is a metadata value. Its bytes are in the mapped file, what its methods
// return is not.
type Value struct {
	key  string
	kind Kind
	data []byte // as in the file, after the kind
}

// Key is the name under which the file has the value.
func (v Value) Key() string { return v.key }

// Kind is the value's type.
func (v Value) Kind() Kind { return v.kind }

// array splits an array's value.
func (v Value) array() (elem Kind, n int, data []byte) {
	return Kind(binary.LittleEndian.Uint32(v.data)), int(binary.LittleEndian.Uint64(v.data[4:])), v.data[12:]
}

// Elem is the kind of an array's elements, the kind itself of anything else.
func (v Value) Elem() Kind {
	if v.kind != KindArray {
		return v.kind
	}
	elem, _, _ := v.array()
	return elem
}

// Len is the number of an array's elements, 1 for anything else.
func (v Value) Len() int {
	if v.kind != KindArray {
		return 1
	}
	_, n, _ := v.array()
	return n
}

func (v Value) wrong(want string) error {
	got := v.kind.String()
	if v.kind == KindArray {
		got += " of " + v.Elem().String()
	}
	return formatError("metadata %s: want %s, got %s", v.key, want, got)
}

// Int reads a whole number of any kind.
func (v Value) Int() (int64, error) {
	if n, ok := scalarInt(v.kind, v.data); ok {
		return n, nil
	}
	if v.kind == KindUint64 {
		return 0, formatError("metadata %s: %d is too large", v.key, binary.LittleEndian.Uint64(v.data))
	}
	return 0, v.wrong("a whole number")
}

// Float reads a number of any kind.
func (v Value) Float() (float64, error) {
	if x, ok := scalarFloat(v.kind, v.data); ok {
		return x, nil
	}
	return 0, v.wrong("a number")
}

// Bool reads a truth value.
func (v Value) Bool() (bool, error) {
	if v.kind != KindBool {
		return false, v.wrong("a bool")
	}
	return v.data[0] != 0, nil
}

// Text reads a string. It may be no UTF-8.
func (v Value) Text() (string, error) {
	if v.kind != KindString {
		return "", v.wrong("a string")
	}
	return string(v.data[8:]), nil
}

// Ints reads an array of whole numbers.
func (v Value) Ints() ([]int64, error) {
	return readArray(v, "an array of whole numbers", scalarInt)
}

// Floats reads an array of numbers.
func (v Value) Floats() ([]float64, error) {
	return readArray(v, "an array of numbers", scalarFloat)
}

// Bools reads an array of truth values.
func (v Value) Bools() ([]bool, error) {
	return readArray(v, "an array of bools", func(k Kind, data []byte) (bool, bool) { return k == KindBool && data[0] != 0, k == KindBool })
}

func readArray[T any](v Value, want string, read func(Kind, []byte) (T, bool)) ([]T, error) {
	if v.kind != KindArray {
		return nil, v.wrong(want)
	}
	elem, n, data := v.array()
	size := kinds[elem].size
	if size == 0 {
		return nil, v.wrong(want)
	}
	out := make([]T, n) // at most 8 bytes for each of the file's
	for i := range out {
		x, ok := read(elem, data[i*size:])
		if !ok {
			return nil, v.wrong(want)
		}
		out[i] = x
	}
	return out, nil
}

// Strings reads an array of strings. They share memory of their own.
func (v Value) Strings() ([]string, error) {
	if v.Elem() != KindString || v.kind != KindArray {
		return nil, v.wrong("an array of strings")
	}
	_, n, data := v.array()
	all := string(data)
	out := make([]string, n)
	for i, at := 0, 0; i < n; i++ {
		size := int(binary.LittleEndian.Uint64(data[at:]))
		at += 8
		out[i] = all[at : at+size]
		at += size
	}
	return out, nil
}

// Any reads any value: int64, uint64 (only above the largest int64), float32,
// float64, bool, string, and []any of those.
func (v Value) Any() any {
	switch v.kind {
	case KindString:
		return string(v.data[8:])
	case KindBool:
		return v.data[0] != 0
	case KindFloat32:
		return math.Float32frombits(binary.LittleEndian.Uint32(v.data))
	case KindFloat64:
		return math.Float64frombits(binary.LittleEndian.Uint64(v.data))
	case KindArray:
		elem, n, data := v.array()
		out := make([]any, 0, min(n, len(data)))
		for range n {
			size, _ := valueSize(elem, data, 0) // was checked
			out = append(out, Value{v.key, elem, data[:size]}.Any())
			data = data[size:]
		}
		return out
	}
	if n, ok := scalarInt(v.kind, v.data); ok {
		return n
	}
	return binary.LittleEndian.Uint64(v.data)
}

func scalarInt(k Kind, data []byte) (int64, bool) {
	switch k {
	case KindUint8:
		return int64(data[0]), true
	case KindInt8:
		return int64(int8(data[0])), true
	case KindUint16:
		return int64(binary.LittleEndian.Uint16(data)), true
	case KindInt16:
		return int64(int16(binary.LittleEndian.Uint16(data))), true
	case KindUint32:
		return int64(binary.LittleEndian.Uint32(data)), true
	case KindInt32:
		return int64(int32(binary.LittleEndian.Uint32(data))), true
	case KindInt64, KindUint64:
		n := int64(binary.LittleEndian.Uint64(data))
		return n, k == KindInt64 || n >= 0
	}
	return 0, false
}

func scalarFloat(k Kind, data []byte) (float64, bool) {
	switch k {
	case KindFloat32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(data))), true
	case KindFloat64:
		return math.Float64frombits(binary.LittleEndian.Uint64(data)), true
	case KindUint64:
		return float64(binary.LittleEndian.Uint64(data)), true
	}
	n, ok := scalarInt(k, data)
	return float64(n), ok
}
