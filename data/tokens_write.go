package data

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"path/filepath"

	"github.com/aries-serpent/codexml/internal/fsatomic"
	"github.com/aries-serpent/codexml/internal/par"
)

// Encoder is what a token file needs of a tokenizer.
type Encoder struct {
	// SHA256 of the tokenizer's file, in hex.
	SHA256 string
	// VocabSize is above every token.
	VocabSize int
	// Encode appends the tokens of text to dst. It is called from several goroutines at once.
	Encode func(dst []int32, text []byte) []int32
}

// EncodeOptions say how to encode; they do not reach the result.
type EncodeOptions struct {
	Threads  int                     // 0: all
	Progress func(done, total int64) // bytes of text; may be nil
}

const (
	pieceBytes  = 64 << 10 // of text are encoded by a worker at a time
	windowBytes = 8 << 20  // of text are encoded before their tokens are written
)

// WriteTokens writes the tokens of documents to a token file, atomically: encoded
// in parallel, stored in the documents' order. Documents without a token are left
// out with their bytes.
func WriteTokens(ctx context.Context, path string, docs []Document, enc Encoder, o EncodeOptions) error {
	sum, err := textSum(docs, threads(o.Threads))
	if err != nil {
		return fmt.Errorf("write tokens: %s: %w", path, err)
	}
	return writeTokens(ctx, path, docs, sum, enc, o)
}

func writeTokens(ctx context.Context, path string, docs []Document, sum [sha256.Size]byte, enc Encoder, o EncodeOptions) error {
	return fsatomic.WriteFile(path, 0o644, func(out io.Writer) error {
		w := newTokenWriter(out, enc)
		if err := encodeAll(ctx, w, docs, enc, o); err != nil {
			return err
		}
		return w.finish(sum)
	})
}

// CacheTokens returns the tokens of documents from dir, where the first call for the
// same split name, texts and tokenizer leaves them. A damaged file is made again.
// The file is verified.
func CacheTokens(ctx context.Context, dir, split string, docs []Document, enc Encoder, o EncodeOptions) (*Tokens, error) {
	sum, err := textSum(docs, threads(o.Threads))
	if err != nil {
		return nil, fmt.Errorf("cache tokens of %s: %w", split, err)
	}
	key := sha256.Sum256(fmt.Appendf(nil, "%d %x %s", tokensVersion, sum, enc.SHA256))
	path := filepath.Join(dir, fmt.Sprintf("%s-%x.tokens", split, key[:6]))
	if t, err := openVerified(path); err == nil {
		if t.TextSHA256() == hex.EncodeToString(sum[:]) && t.TokenizerSHA256() == enc.SHA256 {
			return t, nil
		}
		if err := t.Close(); err != nil {
			return nil, err
		}
	}
	if err := fsatomic.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cache tokens of %s: %w", split, err)
	}
	if err := writeTokens(ctx, path, docs, sum, enc, o); err != nil {
		return nil, fmt.Errorf("cache tokens of %s: %w", split, err)
	}
	return openVerified(path)
}

func openVerified(path string) (*Tokens, error) {
	t, err := OpenTokens(path)
	if err != nil {
		return nil, err
	}
	if err := t.Verify(); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// TextSHA256 is the hash of documents' texts that token files carry, in hex.
func TextSHA256(docs []Document) string {
	sum := textDigest(docs, threads(0))
	return hex.EncodeToString(sum[:])
}

func textDigest(docs []Document, threads int) [sha256.Size]byte {
	digests := make([]byte, len(docs)*sha256.Size)
	pool := par.New(threads)
	defer pool.Close()
	pool.For(len(docs), 16, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			sum := sha256.Sum256(docs[i].Text)
			copy(digests[i*sha256.Size:], sum[:])
		}
	})
	return sha256.Sum256(digests)
}

func textSum(docs []Document, threads int) ([sha256.Size]byte, error) {
	if len(docs) == 0 {
		return [sha256.Size]byte{}, fmt.Errorf("%w: there are no documents", ErrEmpty)
	}
	return textDigest(docs, threads), nil
}

// piece is a run of documents encoded by one worker.
type piece struct {
	docs []Document
	ids  []int32
	ends []int // of each document in ids
}

func (p *piece) encode(enc Encoder) {
	p.ids, p.ends = p.ids[:0], p.ends[:0]
	for _, d := range p.docs {
		p.ids = enc.Encode(p.ids, d.Text)
		p.ends = append(p.ends, len(p.ids))
	}
}

// encodeAll encodes window after window of documents in parallel and adds each to
// the file in order.
func encodeAll(ctx context.Context, w *tokenWriter, docs []Document, enc Encoder, o EncodeOptions) error {
	pool := par.New(threads(o.Threads))
	defer pool.Close()
	var pieces []piece
	total, done := textBytes(docs), int64(0)
	for len(docs) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		var size int64
		pieces, docs, size = nextWindow(pieces, docs)
		pool.For(len(pieces), 1, func(_, i, _ int) { pieces[i].encode(enc) })
		for i := range pieces {
			if err := w.addPiece(&pieces[i]); err != nil {
				return err
			}
		}
		if done += size; o.Progress != nil {
			o.Progress(done, total)
		}
	}
	return nil
}

// nextWindow cuts the next documents into pieces, whose memory it uses again.
func nextWindow(pieces []piece, docs []Document) ([]piece, []Document, int64) {
	pieces = pieces[:0]
	size := int64(0)
	for len(docs) > 0 && size < windowBytes {
		n, got := 0, 0
		for n < len(docs) && got < pieceBytes {
			got += len(docs[n].Text)
			n++
		}
		if len(pieces) < cap(pieces) {
			pieces = pieces[:len(pieces)+1]
		} else {
			pieces = append(pieces, piece{})
		}
		pieces[len(pieces)-1].docs = docs[:n]
		docs = docs[n:]
		size += int64(got)
	}
	return pieces, docs, size
}

// tokenWriter writes a token file to a stream, hashing it.
type tokenWriter struct {
	out     io.Writer
	sum     hash.Hash
	enc     Encoder
	width   int
	buf     []byte
	offsets []byte // the index but its first 0
	texts   []byte
	tokens  uint64
	bytes   uint64
	err     error // of the header
}

func newTokenWriter(out io.Writer, enc Encoder) *tokenWriter {
	w := &tokenWriter{out: out, sum: sha256.New(), enc: enc, width: 2}
	if enc.VocabSize > 1<<16 {
		w.width = 4
	}
	if enc.VocabSize < 1 || enc.VocabSize > math.MaxInt32 {
		panic(fmt.Sprintf("data: token file: vocabulary of %d", enc.VocabSize))
	}
	tokenizer, err := hex.DecodeString(enc.SHA256)
	if err != nil || len(tokenizer) != sha256.Size && enc.SHA256 != "" {
		panic(fmt.Sprintf("data: token file: the tokenizer's SHA-256 is %q", enc.SHA256))
	}
	header := append(make([]byte, 0, headerBytes), tokensMagic...)
	header = binary.LittleEndian.AppendUint32(header, tokensVersion)
	header = binary.LittleEndian.AppendUint32(header, uint32(w.width))
	header = binary.LittleEndian.AppendUint64(header, uint64(enc.VocabSize))
	header = header[:headerBytes]
	copy(header[32:], tokenizer)
	w.err = w.write(header)
	return w
}

func (w *tokenWriter) write(p []byte) error {
	w.sum.Write(p)
	_, err := w.out.Write(p)
	return err
}

func (w *tokenWriter) addPiece(p *piece) error {
	start := 0
	for i, end := range p.ends {
		if err := w.add(p.ids[start:end], len(p.docs[i].Text)); err != nil {
			return fmt.Errorf("document %s: %w", p.docs[i].Name, err)
		}
		start = end
	}
	return nil
}

// add writes a document's tokens, if there are any.
func (w *tokenWriter) add(ids []int32, textBytes int) error {
	if w.err != nil || len(ids) == 0 {
		return w.err
	}
	w.buf = w.buf[:0]
	for _, id := range ids {
		if id < 0 || int(id) >= w.enc.VocabSize {
			return fmt.Errorf("token %d is not in a vocabulary of %d", id, w.enc.VocabSize)
		}
		if w.width == 2 {
			w.buf = binary.LittleEndian.AppendUint16(w.buf, uint16(id))
		} else {
			w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(id))
		}
	}
	w.tokens += uint64(len(ids))
	w.bytes += uint64(textBytes)
	w.offsets = binary.LittleEndian.AppendUint64(w.offsets, w.tokens)
	w.texts = binary.LittleEndian.AppendUint64(w.texts, w.bytes)
	return w.write(w.buf)
}

// finish writes what follows the tokens.
func (w *tokenWriter) finish(text [sha256.Size]byte) error {
	if w.err != nil {
		return w.err
	}
	if w.tokens == 0 {
		return fmt.Errorf("%w: the documents give no tokens", ErrEmpty)
	}
	var zero [8]byte
	size := w.tokens * uint64(w.width)
	tail := bytes.Join([][]byte{zero[:paddedTo8(size)-size], zero[:], w.offsets, zero[:], w.texts}, nil)
	for _, n := range []uint64{uint64(len(w.offsets) / 8), w.tokens, w.bytes, 0} {
		tail = binary.LittleEndian.AppendUint64(tail, n)
	}
	if err := w.write(append(tail, text[:]...)); err != nil {
		return err
	}
	_, err := w.out.Write(w.sum.Sum(nil))
	return err
}
