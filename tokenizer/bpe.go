package tokenizer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"sync"

	"github.com/aries-serpent/codexml/internal/fsatomic"
)

// bpe is the byte-level BPE tokenizer. Nothing in it changes after it was made but
// the cache and the scratch, which look after themselves.
type bpe struct {
	file   []byte // tokenizer.json
	vocab  *vocabulary
	merges mergeTable
	bytes  [numBytes]int32 // the id of each byte

	text    []byte   // the text of all ids, one after another
	ends    []uint32 // where each id's ends
	lengths []int32

	bos, eos, pad int32 // -1 if there is none

	cache   pieceCache
	scratch sync.Pool // of *longPiece
}

var _ Tokenizer = (*bpe)(nil)

// newBPE makes the tokenizer of a file's parts. Every byte must have a piece, and
// no merge may make a special token: both are errors.
func newBPE(file []byte, vocab *vocabulary, merges []merge, specials []int32) (*bpe, error) {
	t := &bpe{file: file, vocab: vocab, merges: newMergeTable(merges)}
	t.scratch.New = func() any { return new(longPiece) }
	special := make(map[int32]bool, len(specials))
	for _, id := range specials {
		special[id] = true
	}
	for rank, m := range merges {
		if special[m.id] {
			return nil, fmt.Errorf("merge %d makes the special token %q: text could then forge it", rank, vocab.piece(m.id))
		}
	}
	if err := t.findBytes(special); err != nil {
		return nil, err
	}
	t.fillText(special)
	t.bos, t.eos, t.pad = t.special("[BOS]"), t.special("[EOS]"), t.special("[PAD]")
	return t, nil
}

// findBytes looks up the id of each byte.
func (t *bpe) findBytes(special map[int32]bool) error {
	var written []byte
	for b := range t.bytes {
		written = appendWritten(written[:0], []byte{byte(b)})
		id, ok := t.vocab.id(written)
		if !ok {
			return fmt.Errorf("the vocabulary has no piece for byte 0x%02X, written %q, so not every text could be encoded", b, written)
		}
		if special[id] {
			return fmt.Errorf("the special token %q is the writing of byte 0x%02X: text could then forge it", written, b)
		}
		t.bytes[b] = id
	}
	return nil
}

// fillText makes the table of what each id decodes to.
func (t *bpe) fillText(special map[int32]bool) {
	t.text = make([]byte, 0, len(t.vocab.text))
	t.ends = make([]uint32, t.vocab.size())
	t.lengths = make([]int32, t.vocab.size())
	for id := range t.ends {
		start := len(t.text)
		if !special[int32(id)] {
			t.text = appendUnwritten(t.text, t.vocab.piece(int32(id)))
		}
		t.ends[id] = uint32(len(t.text))
		t.lengths[id] = int32(len(t.text) - start)
	}
}

// special returns the id of a special token, -1 if there is none of that name.
func (t *bpe) special(name string) int32 {
	if id, ok := t.ID(name); ok && t.lengths[id] == 0 {
		return id
	}
	return -1
}

func (t *bpe) VocabSize() int                { return t.vocab.size() }
func (t *bpe) ByteLengths() []int32          { return t.lengths }
func (t *bpe) BOS() (int32, bool)            { return t.bos, t.bos >= 0 }
func (t *bpe) EOS() (int32, bool)            { return t.eos, t.eos >= 0 }
func (t *bpe) PAD() (int32, bool)            { return t.pad, t.pad >= 0 }
func (t *bpe) known(id int32) bool           { return uint(id) < uint(len(t.ends)) }
func (t *bpe) ID(piece string) (int32, bool) { return t.vocab.id([]byte(piece)) }

func (t *bpe) Piece(id int32) string {
	if !t.known(id) {
		return ""
	}
	return string(t.vocab.piece(id))
}

func (t *bpe) SHA256() string {
	sum := sha256.Sum256(t.file)
	return hex.EncodeToString(sum[:])
}

func (t *bpe) Save(path string) error {
	err := fsatomic.WriteFile(path, 0o644, func(w io.Writer) error {
		_, err := w.Write(t.file)
		return err
	})
	if err != nil {
		return fmt.Errorf("save tokenizer: %w", err)
	}
	return nil
}

func (t *bpe) Decode(dst []byte, ids []int32) []byte {
	for _, id := range ids {
		if !t.known(id) {
			continue
		}
		end := t.ends[id]
		dst = append(dst, t.text[end-uint32(t.lengths[id]):end]...)
	}
	return dst
}
