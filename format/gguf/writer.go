package gguf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
)

// KeyValue is a metadata entry to be written. Value is of type bool, string, a
// sized integer or float (uint8 to float64), a slice of one of these (also empty),
// or a Value that was read.
type KeyValue struct {
	Key   string
	Value any
}

// appendText appends a string with its length.
func appendText(out []byte, text string) []byte {
	return append(binary.LittleEndian.AppendUint64(out, uint64(len(text))), text...)
}

var kindsOfGo = map[reflect.Kind]Kind{
	reflect.Uint8: KindUint8, reflect.Int8: KindInt8, reflect.Uint16: KindUint16, reflect.Int16: KindInt16, reflect.Uint32: KindUint32, reflect.Int32: KindInt32,
	reflect.Float32: KindFloat32, reflect.Bool: KindBool, reflect.String: KindString, reflect.Uint64: KindUint64, reflect.Int64: KindInt64, reflect.Float64: KindFloat64,
}

func appendEntry(out []byte, e KeyValue) ([]byte, error) {
	out = appendText(out, e.Key)
	if v, ok := e.Value.(Value); ok {
		return append(binary.LittleEndian.AppendUint32(out, uint32(v.kind)), v.data...), nil
	}
	v := reflect.ValueOf(e.Value)
	if !v.IsValid() {
		return nil, fmt.Errorf("write gguf: metadata %s has no value", e.Key)
	}
	kind := v.Type()
	if kind.Kind() == reflect.Slice {
		kind = kind.Elem()
	}
	k, ok := kindsOfGo[kind.Kind()]
	if !ok {
		return nil, fmt.Errorf("write gguf: metadata %s: values of type %T are not written", e.Key, e.Value)
	}
	if v.Kind() != reflect.Slice {
		return appendScalar(binary.LittleEndian.AppendUint32(out, uint32(k)), v), nil
	}
	out = binary.LittleEndian.AppendUint32(out, uint32(KindArray))
	out = binary.LittleEndian.AppendUint32(out, uint32(k))
	out = binary.LittleEndian.AppendUint64(out, uint64(v.Len()))
	for i := range v.Len() {
		out = appendScalar(out, v.Index(i))
	}
	return out, nil
}

func appendScalar(out []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.String:
		return appendText(out, v.String())
	case reflect.Bool:
		if v.Bool() {
			return append(out, 1)
		}
		return append(out, 0)
	case reflect.Float32:
		return binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(v.Float())))
	case reflect.Float64:
		return binary.LittleEndian.AppendUint64(out, math.Float64bits(v.Float()))
	}
	bits := uint64(0)
	if v.CanInt() {
		bits = uint64(v.Int())
	} else {
		bits = v.Uint()
	}
	for range v.Type().Size() {
		out = append(out, byte(bits))
		bits >>= 8
	}
	return out
}

// Writer writes a file as a stream: metadata and descriptions first, then the
// tensors' bytes, one call of WriteTensor for each, in order.
type Writer struct {
	w         io.Writer
	alignment int64
	tensors   []Tensor
	next      int
}

// NewWriter writes all that comes before the data of a file with the given tensors,
// whose Data is not looked at. Entries are written in the given order;
// general.alignment, if it is among them, is obeyed.
func NewWriter(w io.Writer, metadata []KeyValue, tensors []Tensor) (*Writer, error) {
	alignment, err := checkEntries(metadata)
	if err != nil {
		return nil, err
	}
	out := binary.LittleEndian.AppendUint32([]byte(magic), Version)
	out = binary.LittleEndian.AppendUint64(out, uint64(len(tensors)))
	out = binary.LittleEndian.AppendUint64(out, uint64(len(metadata)))
	for _, e := range metadata {
		if out, err = appendEntry(out, e); err != nil {
			return nil, err
		}
	}
	if out, err = appendTensors(out, tensors, alignment); err != nil {
		return nil, err
	}
	out = append(out, make([]byte, padding(int64(len(out)), alignment))...)
	if _, err := w.Write(out); err != nil {
		return nil, err
	}
	return &Writer{w: w, alignment: alignment, tensors: tensors}, nil
}

func checkEntries(metadata []KeyValue) (alignment int64, err error) {
	alignment = DefaultAlignment
	seen := map[string]bool{}
	for _, e := range metadata {
		if e.Key == "" || len(e.Key) > math.MaxUint16 || seen[e.Key] {
			return 0, fmt.Errorf("write gguf: metadata key %.100q: want one that comes once and has 1 to %d bytes", e.Key, math.MaxUint16)
		}
		seen[e.Key] = true
		if e.Key == "general.alignment" {
			n, ok := e.Value.(uint32)
			if v, read := e.Value.(Value); read {
				i, err := v.Int()
				n, ok = uint32(i), err == nil
			}
			if !ok || n == 0 || n&(n-1) != 0 {
				return 0, fmt.Errorf("write gguf: general.alignment is %v, want a uint32 that is a power of two", e.Value)
			}
			alignment = int64(n)
		}
	}
	return alignment, nil
}

func appendTensors(out []byte, tensors []Tensor, alignment int64) ([]byte, error) {
	offset := int64(0)
	seen := make(map[string]bool, len(tensors))
	for _, t := range tensors {
		size, err := t.size()
		if err != nil {
			return nil, fmt.Errorf("write gguf: %w", err)
		}
		if seen[t.Name] || len(t.Shape) > MaxRank || offset > math.MaxInt64-alignment-int64(size) {
			return nil, fmt.Errorf("write gguf: tensor %.100q of shape %v: want a name that comes once and at most %d dimensions", t.Name, t.Shape, MaxRank)
		}
		seen[t.Name] = true
		out = binary.LittleEndian.AppendUint32(appendText(out, t.Name), uint32(len(t.Shape)))
		for i := range t.Shape {
			out = binary.LittleEndian.AppendUint64(out, uint64(t.Shape[len(t.Shape)-1-i]))
		}
		out = binary.LittleEndian.AppendUint32(out, uint32(t.Type))
		out = binary.LittleEndian.AppendUint64(out, uint64(offset))
		offset += int64(size) + padding(int64(size), alignment)
	}
	return out, nil
}

func padding(n, alignment int64) int64 { return (alignment - n%alignment) % alignment }

// WriteTensor writes the next tensor's bytes.
func (w *Writer) WriteTensor(data []byte) error {
	if w.next == len(w.tensors) {
		panic("gguf: Writer.WriteTensor: all tensors have been written")
	}
	t := w.tensors[w.next]
	if size, err := t.size(); err != nil || size != len(data) {
		panic(fmt.Sprintf("gguf: Writer.WriteTensor: tensor %s of %v %v takes %d bytes, got %d", t.Name, t.Type, t.Shape, size, len(data)))
	}
	w.next++
	if _, err := w.w.Write(data); err != nil {
		return err
	}
	_, err := io.CopyN(w.w, zeros{}, padding(int64(len(data)), w.alignment))
	return err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// Close says whether all tensors have been written. It does not close the stream.
func (w *Writer) Close() error {
	if w.next == len(w.tensors) {
		return nil
	}
	names := make([]string, 0, len(w.tensors)-w.next)
	for _, t := range w.tensors[w.next:] {
		names = append(names, t.Name)
	}
	return errors.New("write gguf: tensors are missing: " + strings.Join(names, ", "))
}
