package tensor

import (
	"fmt"

	"github.com/aries-serpent/codexml/internal/kernel"
)

// BlockType is how a file writes the elements of rows, by its name in GGUF.
type BlockType = kernel.BlockType

// The types of Blocks.
const (
	BlockF32    = kernel.BlockF32
	BlockF16    = kernel.BlockF16
	BlockBF16   = kernel.BlockBF16
	BlockQ4_0   = kernel.BlockQ4_0
	BlockQ4_1   = kernel.BlockQ4_1
	BlockQ5_0   = kernel.BlockQ5_0
	BlockQ5_1   = kernel.BlockQ5_1
	BlockQ8_0   = kernel.BlockQ8_0
	BlockQ2_K   = kernel.BlockQ2_K
	BlockQ3_K   = kernel.BlockQ3_K
	BlockQ4_K   = kernel.BlockQ4_K
	BlockQ5_K   = kernel.BlockQ5_K
	BlockQ6_K   = kernel.BlockQ6_K
	BlockIQ4_NL = kernel.BlockIQ4_NL
)

// ParseBlockType finds a type by its name in GGUF, such as Q4_K.
func ParseBlockType(name string) (BlockType, bool) { return kernel.ParseBlockType(name) }

// Blocks is a matrix as a file holds it, row after row.
type Blocks struct {
	Type       BlockType
	Rows, Cols int
	Data       []byte
	// Order says that row i of the matrix is row Order[i] of Data; nil means as they lie.
	Order []int32
}

// Check says what is wrong with a matrix that comes from a file, if anything is.
func (b Blocks) Check() error {
	row, ok := b.Type.RowBytes(b.Cols)
	switch {
	case b.Rows < 0 || !ok:
		return fmt.Errorf("%d x %d elements of %v are no whole blocks", b.Rows, b.Cols, b.Type)
	case row > 0 && (len(b.Data)%row != 0 || len(b.Data)/row != b.Rows):
		return fmt.Errorf("%d x %d elements of %v: got %d bytes, want rows of %d", b.Rows, b.Cols, b.Type, len(b.Data), row)
	case b.Order != nil && len(b.Order) != b.Rows:
		return fmt.Errorf("%d rows in an order of %d", b.Rows, len(b.Order))
	}
	return nil
}

// Row returns the bytes of row i.
func (b Blocks) Row(i int) []byte {
	if b.Order != nil {
		i = int(b.Order[i])
	}
	size, _ := b.Type.RowBytes(b.Cols)
	return b.Data[i*size : (i+1)*size]
}
