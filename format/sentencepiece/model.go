// Package sentencepiece reads and writes SentencePiece's .model files: a protocol
// buffer with the pieces, how they were trained and how text is normalised. It
// knows the file and nothing of what the pieces mean to a tokenizer. Fields,
// numbers and defaults are those of sentencepiece_model.proto in sentencepiece
// 0.2.3; older files have fewer.
//
// tokenizer and its folders use it. What a file says is kept on a round trip:
// fields that are unset stay unset, and fields without a name here are kept as
// bytes. Parsing takes memory in proportion to the file. A Model is plain data,
// safe for concurrent reading. Output depends on the model alone.
package sentencepiece

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/aries-serpent/codexml/internal/fsatomic"
)

// ErrFormat is wrapped by every error about what a file contains.
var ErrFormat = errors.New("not a valid SentencePiece model")

func formatError(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrFormat, fmt.Errorf(format, args...))
}

// MaxFile is the largest file that is read, in bytes. The largest models in use
// take 5 MB.
const MaxFile = 512 << 20

// Type is what a piece is for.
type Type uint8

// The types of pieces, with the numbers that the file has for them.
const (
	Normal      Type = 1
	Unknown     Type = 2 // the one piece for characters that the vocabulary lacks
	Control     Type = 3 // no text: <s>, </s>
	UserDefined Type = 4 // always one piece, wherever it occurs
	Unused      Type = 5 // has an id but is never an output
	Byte        Type = 6 // <0x00> to <0xFF>
)

// String is the name in the .proto file.
func (t Type) String() string {
	switch t {
	case Normal:
		return "NORMAL"
	case Unknown:
		return "UNKNOWN"
	case Control:
		return "CONTROL"
	case UserDefined:
		return "USER_DEFINED"
	case Unused:
		return "UNUSED"
	case Byte:
		return "BYTE"
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// ModelType is the algorithm of a model.
type ModelType int32

// The algorithms, with the numbers that the file has for them.
const (
	Unigram ModelType = 1
	BPE     ModelType = 2
	Word    ModelType = 3
	Char    ModelType = 4
)

// String is the name that the trainer's model_type takes.
func (t ModelType) String() string {
	switch t {
	case Unigram:
		return "unigram"
	case BPE:
		return "bpe"
	case Word:
		return "word"
	case Char:
		return "char"
	}
	return fmt.Sprintf("model type %d", int32(t))
}

// Piece is an entry of the vocabulary; its id is its place.
type Piece struct {
	Text  string
	Score float32
	Type  Type

	set uint8 // the fields that the file gave, bit n for field n
}

// Model is a whole file.
type Model struct {
	Pieces     []Piece
	Trainer    TrainerSpec
	Normalizer NormalizerSpec
	// SelfTest are samples that older trainers stored; nil if the file has none.
	SelfTest *SelfTest
	// Denormalizer changes what decoding gives; nil if the file has none.
	Denormalizer *NormalizerSpec

	set         uint64
	extra       []byte         // fields without a name here, as they were
	extraPieces map[int][]byte // the same for pieces, by id
}

// SelfTest are texts and the pieces that they should give.
type SelfTest struct {
	Samples []Sample

	extra []byte
}

// Sample is a text and its pieces, joined by spaces.
type Sample struct {
	Input, Expected string

	set   uint64
	extra []byte
}

// New is a model without pieces whose specs have their defaults and are written
// to the file.
func New() *Model {
	return &Model{Trainer: DefaultTrainerSpec(), Normalizer: DefaultNormalizerSpec(), set: 1<<2 | 1<<3}
}

// Read reads a file.
func Read(path string) (*Model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read SentencePiece model: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read SentencePiece model: %w", err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("read SentencePiece model %s: it is a folder: name the .model file in it", path)
	}
	if info.Size() > MaxFile {
		return nil, fmt.Errorf("read SentencePiece model %s: %w", path, formatError("it has %d bytes, at most %d are read", info.Size(), MaxFile))
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFile))
	if err != nil {
		return nil, fmt.Errorf("read SentencePiece model %s: %w", path, err)
	}
	m, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("read SentencePiece model %s: %w", path, err)
	}
	return m, nil
}

// Save writes the file, atomically.
func (m *Model) Save(path string) error {
	data := m.Append(nil)
	err := fsatomic.WriteFile(path, 0o644, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		return fmt.Errorf("save SentencePiece model: %w", err)
	}
	return nil
}
