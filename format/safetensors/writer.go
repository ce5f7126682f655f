package safetensors

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aries-serpent/codexml/internal/jsonscan"
)

// Sort brings tensors into the order in which the original writes them: widest
// element type first, so that all stay aligned, then by name.
func Sort(tensors []Tensor) {
	slices.SortFunc(tensors, func(a, b Tensor) int {
		return cmp.Or(-cmp.Compare(a.DType, b.DType), strings.Compare(a.Name, b.Name))
	})
}

// EncodeHeader returns what stands before the data of a file that holds the
// tensors in the given order, and the number of bytes of that data. Metadata is
// sorted by key; nil leaves it out.
func EncodeHeader(tensors []Tensor, metadata map[string]string) (header []byte, dataSize int64, err error) {
	out := append(make([]byte, lengthSize, lengthSize+128*len(tensors)), '{')
	if metadata != nil {
		if out, err = appendMetadata(out, metadata); err != nil {
			return nil, 0, err
		}
	}
	seen := make(map[string]bool, len(tensors))
	tooLong := func(size int) error {
		return fmt.Errorf("write safetensors: the header of %d tensors takes %d bytes, the limit is %d: write several files", len(tensors), size, MaxHeader)
	}
	for _, t := range tensors {
		if size := len(out) + len(t.Name); size > MaxHeader {
			return nil, 0, tooLong(size)
		}
		size, ok := t.Bytes()
		if !ok || dataSize > math.MaxInt64-size {
			return nil, 0, fmt.Errorf("write safetensors: tensor %q: %s of shape %v has no size in bytes", t.Name, t.DType, t.Shape)
		}
		if seen[t.Name] || t.Name == metadataName || !utf8.ValidString(t.Name) || len(t.Shape) > MaxRank {
			return nil, 0, fmt.Errorf("write safetensors: tensor %q of shape %v: want a name in UTF-8 that comes once and is not %s, and at most %d dimensions", t.Name, t.Shape, metadataName, MaxRank)
		}
		seen[t.Name] = true
		out = appendTensor(out, t, dataSize, dataSize+size)
		dataSize += size
	}
	out = append(out, '}')
	for len(out)%8 != 0 { // spaces, so that the data is aligned
		out = append(out, ' ')
	}
	if len(out)-lengthSize > MaxHeader {
		return nil, 0, tooLong(len(out) - lengthSize)
	}
	binary.LittleEndian.PutUint64(out, uint64(len(out)-lengthSize))
	return out, dataSize, nil
}

func appendMetadata(out []byte, metadata map[string]string) ([]byte, error) {
	out = append(out, `"`+metadataName+`":{`...)
	for i, key := range slices.Sorted(maps.Keys(metadata)) {
		if !utf8.ValidString(key) || !utf8.ValidString(metadata[key]) {
			return nil, fmt.Errorf("write safetensors: metadata %q: %q is not UTF-8", key, metadata[key])
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(jsonscan.AppendQuoted(out, key), ':')
		out = jsonscan.AppendQuoted(out, metadata[key])
	}
	return append(out, '}'), nil
}

func appendTensor(out []byte, t Tensor, begin, end int64) []byte {
	if out[len(out)-1] == '}' { // of the metadata or a tensor before
		out = append(out, ',')
	}
	out = jsonscan.AppendQuoted(out, t.Name)
	out = append(out, `:{"dtype":"`+t.DType.String()+`","shape":[`...)
	for i, dim := range t.Shape {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendInt(out, int64(dim), 10)
	}
	out = strconv.AppendInt(append(out, `],"data_offsets":[`...), begin, 10)
	out = strconv.AppendInt(append(out, ','), end, 10)
	return append(out, `]}`...)
}

// Writer writes a file as a stream: the header first, then the tensors' bytes one
// after another, in any pieces.
type Writer struct {
	w    io.Writer
	left int64
}

// NewWriter writes the header of a file with the tensors in the given order.
func NewWriter(w io.Writer, tensors []Tensor, metadata map[string]string) (*Writer, error) {
	header, dataSize, err := EncodeHeader(tensors, metadata)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(header); err != nil {
		return nil, err
	}
	return &Writer{w: w, left: dataSize}, nil
}

// Write writes the next bytes of the data.
func (w *Writer) Write(p []byte) (int, error) {
	if int64(len(p)) > w.left {
		panic(fmt.Sprintf("safetensors: Writer.Write: %d bytes where %d are left", len(p), w.left))
	}
	n, err := w.w.Write(p)
	w.left -= int64(n)
	return n, err
}

// Close says whether all data has been written. It does not close the stream.
func (w *Writer) Close() error {
	if w.left != 0 {
		return fmt.Errorf("write safetensors: %d bytes of data are missing", w.left)
	}
	return nil
}
