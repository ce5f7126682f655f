// Package sentencepiece is SentencePiece as a tokenizer of its own: it loads .model
// files of every type (unigram, bpe, char, word) and gives the ids, the spans and the
// text that sentencepiece 0.2.3 gives.
//
// Package tokenizer loads .model files through it; it can be used alone. A Tokenizer
// is safe for concurrent use. Ids are a function of the text alone. It obeys no
// switches and reads no environment.
package sentencepiece

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"sync"

	format "github.com/aries-serpent/codexml/format/sentencepiece"
	"github.com/aries-serpent/codexml/internal/fsatomic"
	"github.com/aries-serpent/codexml/tokenizer/normalize"
	"github.com/aries-serpent/codexml/tokenizer/unigram"
)

// encoder cuts normalised text into pieces. ids and, if ends are wanted, where they
// end in text are appended as unigram.Model does it.
type encoder interface {
	AppendIDs(dst []int32, text []byte) []int32
	AppendTokens(ids []int32, ends []int, text []byte) ([]int32, []int)
}

// Tokenizer is a loaded model. Nothing in it changes.
type Tokenizer struct {
	model        *format.Model
	file         []byte
	normalizer   *normalize.SentencePiece
	denormalizer *normalize.SentencePiece // nil: decoded text stays as it is
	encoder      encoder
	pieces       pieces
	lengths      []int32
	scratch      sync.Pool // of *buffers
}

// Load reads a .model file.
func Load(path string) (*Tokenizer, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer: %w", err)
	}
	return Parse(path, data)
}

// Parse reads the bytes of a .model file, which the tokenizer keeps; name stands for
// them in errors.
func Parse(name string, data []byte) (*Tokenizer, error) {
	m, err := format.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer %s: %w", name, err)
	}
	t, err := newTokenizer(m, data)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer %s: %w", name, err)
	}
	return t, nil
}

// New makes a tokenizer of a model, which it keeps.
func New(m *format.Model) (*Tokenizer, error) { return newTokenizer(m, m.Append(nil)) }

func newTokenizer(m *format.Model, file []byte) (*Tokenizer, error) {
	t := &Tokenizer{model: m, file: file}
	t.scratch.New = func() any { return new(buffers) }
	var err error
	if t.pieces, err = newPieces(m); err != nil {
		return nil, err
	}
	if t.encoder, err = newEncoder(m, &t.pieces); err != nil {
		return nil, err
	}
	if t.normalizer, err = newNormalizer(m.Normalizer, m.Trainer.TreatWhitespaceAsSuffix, t.pieces.userDefined(m)); err != nil {
		return nil, err
	}
	if d := m.Denormalizer; d != nil && len(d.PrecompiledCharsmap) > 0 {
		if t.denormalizer, err = newNormalizer(*d, false, nil); err != nil {
			return nil, fmt.Errorf("denormalizer_spec: %w", err)
		}
	}
	t.lengths = t.pieces.lengths(m)
	return t, nil
}

func newNormalizer(spec format.NormalizerSpec, suffix bool, userDefined []string) (*normalize.SentencePiece, error) {
	return normalize.NewSentencePiece(normalize.SentencePieceConfig{
		Charsmap: spec.PrecompiledCharsmap, AddDummyPrefix: spec.AddDummyPrefix, RemoveExtraWhitespaces: spec.RemoveExtraWhitespaces,
		EscapeWhitespaces: spec.EscapeWhitespaces, WhitespaceAsSuffix: suffix, UserDefined: userDefined,
	})
}

func newEncoder(m *format.Model, p *pieces) (encoder, error) {
	switch m.Trainer.ModelType {
	case format.BPE:
		return newBPE(m, p), nil
	case format.Char:
		return &charEncoder{p}, nil
	case format.Word:
		return &wordEncoder{p}, nil
	}
	c := unigram.Config{
		Rules: unigram.SentencePiece, Pieces: make([]unigram.Piece, len(m.Pieces)), Unknown: p.spelling.Unknown,
		ByteFallback: p.spelling.ByteFallback, FuseUnknown: p.spelling.Fuse, MinScore: math.NaN(),
	}
	for i, piece := range m.Pieces {
		kind := unigram.Reserved
		switch p.types[i] {
		case format.Normal:
			kind = unigram.Normal
		case format.UserDefined:
			kind = unigram.UserDefined
		}
		c.Pieces[i] = unigram.Piece{Text: piece.Text, Score: float64(piece.Score), Kind: kind}
	}
	return unigram.New(c)
}

// Model is what the file says. It must not be changed.
func (t *Tokenizer) Model() *format.Model { return t.model }

// VocabSize is the number of ids; they run from 0.
func (t *Tokenizer) VocabSize() int { return len(t.model.Pieces) }

// ID finds a piece as it is written in the vocabulary, where a space is U+2581.
func (t *Tokenizer) ID(piece string) (id int32, ok bool) { return t.pieces.id(piece) }

// Piece is the vocabulary's writing of an id, "" if there is no such id.
func (t *Tokenizer) Piece(id int32) string {
	if id < 0 || int(id) >= len(t.model.Pieces) {
		return ""
	}
	return t.model.Pieces[id].Text
}

// Type is what the piece with this id is for; 0 if there is no such id.
func (t *Tokenizer) Type(id int32) format.Type {
	if id < 0 || int(id) >= len(t.pieces.types) {
		return 0
	}
	return t.pieces.types[id]
}

// ByteLengths gives the length of each id's text, for bits per byte: 0 for control
// and unused pieces, 1 for the pieces of bytes, and for the unknown piece that of what
// decoding writes. The slice is shared and must not be written to.
func (t *Tokenizer) ByteLengths() []int32 { return t.lengths }

// Unknown is the id of the unknown piece.
func (t *Tokenizer) Unknown() (id int32, ok bool) { return t.pieces.unk, t.pieces.unk >= 0 }

// BOS is the id of the control piece that begins a text.
func (t *Tokenizer) BOS() (id int32, ok bool) { return t.control(t.model.Trainer.BosPiece, "<s>") }

// EOS is the id of the control piece that ends a text.
func (t *Tokenizer) EOS() (id int32, ok bool) { return t.control(t.model.Trainer.EosPiece, "</s>") }

// PAD is the id of the control piece for padding.
func (t *Tokenizer) PAD() (id int32, ok bool) { return t.control(t.model.Trainer.PadPiece, "<pad>") }

func (t *Tokenizer) control(piece, byDefault string) (id int32, ok bool) {
	if piece == "" {
		piece = byDefault
	}
	id, ok = t.pieces.id(piece)
	return id, ok && t.pieces.types[id] == format.Control
}

// SHA256 is the hash, in hex, of the file that Save writes: for a loaded tokenizer,
// the bytes that it was loaded from.
func (t *Tokenizer) SHA256() string {
	sum := sha256.Sum256(t.file)
	return hex.EncodeToString(sum[:])
}

// Save writes the .model file to path, atomically.
func (t *Tokenizer) Save(path string) error {
	err := fsatomic.WriteFile(path, 0o644, func(w io.Writer) error {
		_, err := w.Write(t.file)
		return err
	})
	if err != nil {
		return fmt.Errorf("save tokenizer: %w", err)
	}
	return nil
}

// buffers are what one call works with.
type buffers struct {
	text    []byte
	offsets []int32
	ends    []int
}

// keptBuffer is the largest text, in bytes, whose buffers are kept.
const keptBuffer = 4 << 20

func (t *Tokenizer) release(b *buffers) {
	if cap(b.text) <= keptBuffer && cap(b.offsets) <= keptBuffer && cap(b.ends) <= keptBuffer {
		t.scratch.Put(b)
	}
}
