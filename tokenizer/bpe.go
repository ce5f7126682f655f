package tokenizer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/aries-serpent/codexml/internal/fsatomic"
	"github.com/aries-serpent/codexml/tokenizer/bpe"
)

// byteLevel is the byte-level BPE tokenizer. Nothing in it changes after it was made.
type byteLevel struct {
	file  []byte // tokenizer.json
	vocab *bpe.Vocabulary
	model *bpe.Model

	text    []byte   // the text of all ids, one after another
	ends    []uint32 // where each id's ends
	lengths []int32

	bos, eos, pad int32 // -1 if there is none
}

var _ Tokenizer = (*byteLevel)(nil)

// newByteLevel makes the tokenizer of a file's parts. Every byte must have a piece, and
// no merge may make a special token: both are errors.
func newByteLevel(file []byte, vocab *bpe.Vocabulary, merges []bpe.Merge, specials []int32) (*byteLevel, error) {
	special := make(map[int32]bool, len(specials))
	for _, id := range specials {
		special[id] = true
	}
	for rank, m := range merges {
		if special[m.ID] {
			return nil, fmt.Errorf("merge %d makes the special token %q: text could then forge it", rank, vocab.Piece(m.ID))
		}
	}
	if err := checkBytes(vocab, special); err != nil {
		return nil, err
	}
	model, err := bpe.New(bpe.Config{Vocabulary: vocab, Merges: merges, ByteLevel: true, Unknown: -1})
	if err != nil {
		return nil, err
	}
	t := &byteLevel{file: file, vocab: vocab, model: model}
	t.fillText(special)
	t.bos, t.eos, t.pad = t.special("[BOS]"), t.special("[EOS]"), t.special("[PAD]")
	return t, nil
}

// checkBytes wants a piece for every byte, and that none is a special token.
func checkBytes(vocab *bpe.Vocabulary, special map[int32]bool) error {
	for b := range bpe.NumBytes {
		written := bpe.AppendWritten(nil, []byte{byte(b)})
		id, ok := vocab.ID(written)
		if !ok {
			return fmt.Errorf("the vocabulary has no piece for byte 0x%02X, written %q, so not every text could be encoded", b, written)
		}
		if special[id] {
			return fmt.Errorf("the special token %q is the writing of byte 0x%02X: text could then forge it", written, b)
		}
	}
	return nil
}

// fillText makes the table of what each id decodes to.
func (t *byteLevel) fillText(special map[int32]bool) {
	t.text = make([]byte, 0, 8*t.vocab.Size())
	t.ends = make([]uint32, t.vocab.Size())
	t.lengths = make([]int32, t.vocab.Size())
	for id := range t.ends {
		start := len(t.text)
		if !special[int32(id)] {
			t.text = bpe.AppendUnwritten(t.text, t.vocab.Piece(int32(id)))
		}
		t.ends[id] = uint32(len(t.text))
		t.lengths[id] = int32(len(t.text) - start)
	}
}

// special returns the id of a special token, -1 if there is none of that name.
func (t *byteLevel) special(name string) int32 {
	if id, ok := t.ID(name); ok && t.lengths[id] == 0 {
		return id
	}
	return -1
}

func (t *byteLevel) VocabSize() int                { return t.vocab.Size() }
func (t *byteLevel) ByteLengths() []int32          { return t.lengths }
func (t *byteLevel) BOS() (int32, bool)            { return t.bos, t.bos >= 0 }
func (t *byteLevel) EOS() (int32, bool)            { return t.eos, t.eos >= 0 }
func (t *byteLevel) PAD() (int32, bool)            { return t.pad, t.pad >= 0 }
func (t *byteLevel) known(id int32) bool           { return uint(id) < uint(len(t.ends)) }
func (t *byteLevel) ID(piece string) (int32, bool) { return t.vocab.ID([]byte(piece)) }

func (t *byteLevel) Piece(id int32) string {
	if !t.known(id) {
		return ""
	}
	return string(t.vocab.Piece(id))
}

func (t *byteLevel) SHA256() string {
	sum := sha256.Sum256(t.file)
	return hex.EncodeToString(sum[:])
}

func (t *byteLevel) Save(path string) error {
	err := fsatomic.WriteFile(path, 0o644, func(w io.Writer) error {
		_, err := w.Write(t.file)
		return err
	})
	if err != nil {
		return fmt.Errorf("save tokenizer: %w", err)
	}
	return nil
}

func (t *byteLevel) Encode(dst []int32, text []byte) []int32 {
	for i := 0; i < len(text); {
		end := pieceEnd(text, i)
		dst = t.model.AppendIDs(dst, text[i:end])
		i = end
	}
	return dst
}

func (t *byteLevel) Decode(dst []byte, ids []int32) []byte {
	for _, id := range ids {
		if !t.known(id) {
			continue
		}
		end := t.ends[id]
		dst = append(dst, t.text[end-uint32(t.lengths[id]):end]...)
	}
	return dst
}
