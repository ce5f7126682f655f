package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/aries-serpent/codexml/internal/mmap"
)

// A token file holds the tokens of documents, without special ones between them.
// All numbers are little-endian.
//
//	0    8  magic "CODEXTOK"
//	8    4  version, 1
//	12   4  width of a token in bytes: 2 or 4
//	16   8  vocabulary size: every token is below
//	24   8  zero
//	32  32  SHA-256 of the tokenizer's file
//	64      tokens, then zeros up to a multiple of 8
//	        documents+1 offsets of 8 bytes, in tokens: document i has the tokens
//	        offset[i] to offset[i+1]-1, one at least
//	        documents+1 offsets of 8 bytes, in bytes of text, likewise
//	footer:
//	0    8  documents
//	8    8  tokens
//	16   8  bytes of text
//	24   8  zero
//	32  32  SHA-256 of the text: of the SHA-256 of each document's text in turn
//	64  32  SHA-256 of the file up to here
const (
	tokensMagic   = "CODEXTOK"
	tokensVersion = 1
	headerBytes   = 64
	footerBytes   = 96
	minTokensFile = headerBytes + footerBytes + 4*8 // with an index of one document
)

// ErrCorrupt is wrapped when a token file is damaged, cut short or not one at all.
var ErrCorrupt = errors.New("damaged token file")

// Tokens are the documents of a token file. The methods may be called from several
// goroutines, but not after Close.
type Tokens struct {
	path  string
	image []byte
	unmap func() error

	width     int
	vocab     int
	documents int
	tokens    int64
	textBytes int64
	ids       []byte // tokens * width
	offsets   []byte // documents+1, in tokens
	texts     []byte // documents+1, in bytes of text
	footer    []byte

	verify func() error
}

// OpenTokens maps a token file into memory and checks its structure; Verify checks
// its contents. The file must not be written to in place while it is open; replacing
// it by another does no harm.
func OpenTokens(path string) (*Tokens, error) {
	image, unmap, err := mmap.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open tokens: %w", err)
	}
	t, err := parseTokens(path, image)
	if err != nil {
		return nil, errors.Join(err, unmap())
	}
	t.unmap = unmap
	return t, nil
}

// NewTokens makes tokens in memory of documents given as such; empty ones are left
// out. A token counts as a byte of text. It panics if a token is not below the
// vocabulary size or there are none.
func NewTokens(vocabSize int, documents ...[]int32) *Tokens {
	var image bytes.Buffer
	w := newTokenWriter(&image, Encoder{VocabSize: vocabSize})
	for i, ids := range documents {
		if err := w.add(ids, len(ids)); err != nil {
			panic(fmt.Sprintf("data: NewTokens: document %d: %v", i, err))
		}
	}
	if err := w.finish([sha256.Size]byte{}); err != nil {
		panic(fmt.Sprintf("data: NewTokens: %v", err))
	}
	t, err := parseTokens("memory", image.Bytes())
	if err != nil {
		panic(fmt.Sprintf("data: NewTokens: %v", err))
	}
	return t
}

// parseTokens checks every size before it is used, and that the offsets ascend.
func parseTokens(path string, image []byte) (*Tokens, error) {
	bad := func(format string, args ...any) (*Tokens, error) {
		return nil, fmt.Errorf("%w: %s: %s: make it again from the text", ErrCorrupt, path, fmt.Sprintf(format, args...))
	}
	if len(image) < minTokensFile {
		return bad("want %d bytes at least, got %d", minTokensFile, len(image))
	}
	if magic := string(image[:8]); magic != tokensMagic {
		return bad("want %q at the start, got %q", tokensMagic, magic)
	}
	if v := binary.LittleEndian.Uint32(image[8:]); v != tokensVersion {
		return bad("want version %d, got %d", tokensVersion, v)
	}
	width, vocab := binary.LittleEndian.Uint32(image[12:]), binary.LittleEndian.Uint64(image[16:])
	if width != 2 && width != 4 {
		return bad("want tokens of 2 or 4 bytes, got %d", width)
	}
	if vocab < 1 || vocab > math.MaxInt32 || width == 2 && vocab > 1<<16 {
		return bad("a vocabulary of %d does not fit tokens of %d bytes", vocab, width)
	}
	footer := image[len(image)-footerBytes:]
	documents, tokens, text := binary.LittleEndian.Uint64(footer), binary.LittleEndian.Uint64(footer[8:]), binary.LittleEndian.Uint64(footer[16:])
	// The bounds keep the sum below from overflowing.
	if size := uint64(len(image)); documents < 1 || documents > size/16 || tokens > size/uint64(width) || text > math.MaxInt64 ||
		size != headerBytes+paddedTo8(tokens*uint64(width))+16*(documents+1)+footerBytes {
		return bad("%d bytes are not those of %d tokens of %d bytes in %d documents", size, tokens, width, documents)
	}
	t := &Tokens{path: path, image: image, unmap: func() error { return nil }, footer: footer,
		width: int(width), vocab: int(vocab), documents: int(documents), tokens: int64(tokens), textBytes: int64(text)}
	index := headerBytes + int(paddedTo8(tokens*uint64(width)))
	t.ids = image[headerBytes : headerBytes+int(tokens)*t.width]
	t.offsets = image[index : index+8*(t.documents+1)]
	t.texts = image[index+8*(t.documents+1) : len(image)-footerBytes]
	if i := ascends(t.offsets, tokens, 1); i >= 0 {
		return bad("the offset of document %d is out of order", i)
	}
	if i := ascends(t.texts, text, 0); i >= 0 {
		return bad("the text offset of document %d is out of order", i)
	}
	t.verify = sync.OnceValue(t.verifyContents)
	return t, nil
}

func paddedTo8(n uint64) uint64 { return (n + 7) &^ 7 }

// ascends returns the first offset that is not above the one before it by step at
// least, or -1. The first is 0 and the last is end.
func ascends(offsets []byte, end uint64, step uint64) int {
	n := len(offsets)/8 - 1
	before := binary.LittleEndian.Uint64(offsets)
	if before != 0 {
		return 0
	}
	for i := 1; i <= n; i++ {
		at := binary.LittleEndian.Uint64(offsets[8*i:])
		if at > end || at < before+step || i == n && at != end {
			return i
		}
		before = at
	}
	return -1
}

// Close unmaps the file.
func (t *Tokens) Close() error {
	if err := t.unmap(); err != nil {
		return fmt.Errorf("close tokens: %s: %w", t.path, err)
	}
	return nil
}

// Verify reads the whole file once and checks its hash and that every token is in
// the vocabulary. Later calls return the first one's result.
func (t *Tokens) Verify() error { return t.verify() }

func (t *Tokens) verifyContents() error {
	if sum := sha256.Sum256(t.image[:len(t.image)-sha256.Size]); !bytes.Equal(sum[:], t.footer[64:]) {
		return fmt.Errorf("%w: %s: want SHA-256 %x, got %x: make it again from the text", ErrCorrupt, t.path, t.footer[64:], sum)
	}
	var buf [4096]int32
	for at := int64(0); at < t.tokens; at += int64(len(buf)) {
		ids := buf[:min(int64(len(buf)), t.tokens-at)]
		t.read(ids, at)
		for i, id := range ids {
			if uint32(id) >= uint32(t.vocab) {
				return fmt.Errorf("%w: %s: token %d is %d, want one below %d: make it again from the text", ErrCorrupt, t.path, at+int64(i), uint32(id), t.vocab)
			}
		}
	}
	return nil
}

// Path is the file's path.
func (t *Tokens) Path() string { return t.path }

// Documents is the number of documents.
func (t *Tokens) Documents() int { return t.documents }

// Len is the number of tokens of all documents.
func (t *Tokens) Len() int64 { return t.tokens }

// Bytes is the number of bytes of all documents' texts.
func (t *Tokens) Bytes() int64 { return t.textBytes }

// VocabSize is the size of the tokenizer's vocabulary.
func (t *Tokens) VocabSize() int { return t.vocab }

// TokenizerSHA256 is the hash of the tokenizer's file, in hex.
func (t *Tokens) TokenizerSHA256() string { return hex.EncodeToString(t.image[32:64]) }

// TextSHA256 is the hash of the documents' texts, in hex.
func (t *Tokens) TextSHA256() string { return hex.EncodeToString(t.footer[32:64]) }

// SHA256 is the hash of the file without its last 32 bytes, in hex: it stands for
// all that the file says. Verify checks it.
func (t *Tokens) SHA256() string { return hex.EncodeToString(t.footer[64:96]) }

// DocumentLen is the number of tokens of a document.
func (t *Tokens) DocumentLen(doc int) int64 { return t.offset(doc+1) - t.offset(doc) }

// DocumentBytes is the number of bytes of a document's text.
func (t *Tokens) DocumentBytes(doc int) int64 {
	return int64(binary.LittleEndian.Uint64(t.texts[8*(doc+1):]) - binary.LittleEndian.Uint64(t.texts[8*doc:]))
}

// AppendDocument appends the tokens of a document to dst.
func (t *Tokens) AppendDocument(dst []int32, doc int) []int32 {
	n := len(dst)
	dst = append(dst, make([]int32, t.DocumentLen(doc))...)
	t.read(dst[n:], t.offset(doc))
	return dst
}

// document is a document's tokens as they are in the file.
func (t *Tokens) document(doc int) []byte {
	return t.ids[t.offset(doc)*int64(t.width) : t.offset(doc+1)*int64(t.width)]
}

// offset is the number of tokens before a document.
func (t *Tokens) offset(doc int) int64 { return int64(binary.LittleEndian.Uint64(t.offsets[8*doc:])) }

// read fills dst with the tokens from the given one on.
func (t *Tokens) read(dst []int32, from int64) {
	if t.width == 2 {
		ids := t.ids[2*from:][:2*len(dst)]
		for i := range dst {
			dst[i] = int32(binary.LittleEndian.Uint16(ids[2*i:]))
		}
		return
	}
	ids := t.ids[4*from:][:4*len(dst)]
	for i := range dst {
		dst[i] = int32(binary.LittleEndian.Uint32(ids[4*i:]))
	}
}
