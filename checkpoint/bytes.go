package checkpoint

import (
	"encoding/binary"
	"io"
	"math"
	"unsafe"
)

// littleEndian machines hold float32 as the files do; the others convert. A
// variable so that tests can have the conversion everywhere.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// convertSize bounds what is converted at a time.
const convertSize = 64 << 10

// pieces passes the little-endian bytes of values to use, one piece after another,
// without a copy where the machine allows it.
func pieces(values []float32, use func(piece []byte) error) error {
	if len(values) == 0 {
		return nil
	}
	if littleEndian {
		return use(rawBytes(values))
	}
	buf := make([]byte, 0, convertSize)
	for len(values) > 0 {
		n := min(len(values), convertSize/4)
		buf = buf[:0]
		for _, v := range values[:n] {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
		}
		if err := use(buf); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// WriteValues writes values in little-endian order, as a safetensors file holds them.
func WriteValues(w io.Writer, values []float32) error {
	return pieces(values, func(piece []byte) error { _, err := w.Write(piece); return err })
}

// rawBytes is the memory of values.
func rawBytes(values []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), 4*len(values))
}

// fromLittleEndian makes values of bytes that were read into their memory.
func fromLittleEndian(values []float32) {
	if littleEndian {
		return
	}
	raw := rawBytes(values)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
}
