package tokenizer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"sync"

	"github.com/aries-serpent/codexml/internal/fsatomic"
	"github.com/aries-serpent/codexml/tokenizer/bpe"
	"github.com/aries-serpent/codexml/tokenizer/normalize"
	"github.com/aries-serpent/codexml/tokenizer/pretokenize"
)

// wordModel turns the pieces that a pre-tokenizer cuts into ids. bpe, unigram and
// wordpiece have one.
type wordModel interface {
	AppendIDs(dst []int32, piece []byte) []int32
	AppendTokens(ids []int32, ends []int, piece []byte) ([]int32, []int)
}

// Pipeline is the tokenizer of a tokenizer.json: added tokens are found, the text
// between them is normalised and cut into pieces, a model makes ids of these, and a
// post-processor adds tokens. Nothing in it changes after it was made but caches,
// which look after themselves: it is safe for concurrent use.
type Pipeline struct {
	file []byte // tokenizer.json

	vocab    *bpe.Vocabulary // of the model, without special tokens
	model    wordModel
	chunks   *bpe.Model // model, if it is BPE
	surface  bool       // tokens are the text that they stand for: unigram
	added    []AddedToken
	written  map[int32][]byte // what added tokens decode to: normalised, like the original's
	byText   map[string]int32
	special  []bool // by id
	vocabLen int

	verbatim   *matcher // of added tokens in the text
	normalized *matcher // of added tokens in the normalised text
	norm       normalize.Normalizer
	cutter     pretokenize.PreTokenizer
	covering   *pretokenize.Split // the cutter, if it is just that
	needsSpans bool               // ids depend on where pieces come from
	post       postProcessor

	truncation *Truncation
	padding    *Padding

	chain chain
	texts *texts

	bos, eos, pad, unk int32 // -1 if there is none
	config             *Config

	buffers sync.Pool // of *buffers
}

var _ Tokenizer = (*Pipeline)(nil)

// buffers are the storage of one Encode.
type buffers struct {
	text     pretokenize.Text
	aligned  normalize.Aligned
	norm     []byte
	sections []section
	inner    []section
	ends     []int32
	ids      []int32
	tokens   []int
}

// VocabSize is the number of ids.
func (p *Pipeline) VocabSize() int { return p.vocabLen }

// ByteLengths gives the length of each id's text; see Tokenizer.
func (p *Pipeline) ByteLengths() []int32 { return p.texts.later.lengths }

// BOS is the id of the token that begins a text; see Tokenizer.
func (p *Pipeline) BOS() (id int32, ok bool) { return p.bos, p.bos >= 0 }

// EOS is the id of the token that ends a text; see Tokenizer.
func (p *Pipeline) EOS() (id int32, ok bool) { return p.eos, p.eos >= 0 }

// PAD is the id of padding; see Tokenizer.
func (p *Pipeline) PAD() (id int32, ok bool) { return p.pad, p.pad >= 0 }

// Unknown is the id for text that the vocabulary does not have, if the files name one.
func (p *Pipeline) Unknown() (id int32, ok bool) { return p.unk, p.unk >= 0 }

// Config is what tokenizer_config.json says, nil if there was none.
func (p *Pipeline) Config() *Config { return p.config }

// AddedTokens lists the added tokens in the order of the file. The slice is shared
// and must not be written to.
func (p *Pipeline) AddedTokens() []AddedToken { return p.added }

// Truncation and Padding are what the file asks for, nil for nothing.
func (p *Pipeline) Truncation() *Truncation { return p.truncation }

// Padding is the padding that the file asks for, nil for none.
func (p *Pipeline) Padding() *Padding { return p.padding }

func (p *Pipeline) known(id int32) bool     { return uint(id) < uint(p.vocabLen) }
func (p *Pipeline) isSpecial(id int32) bool { return p.special[id] }

// ID finds a piece as the vocabulary writes it.
func (p *Pipeline) ID(piece string) (int32, bool) {
	if id, ok := p.byText[piece]; ok {
		return id, true
	}
	return p.vocab.ID([]byte(piece))
}

// piece is the writing of a known id, nil if it has none.
func (p *Pipeline) piece(id int32) []byte {
	if text, ok := p.written[id]; ok {
		return text
	}
	if int(id) < p.vocab.Size() {
		if text := p.vocab.Piece(id); len(text) > 0 {
			return text
		}
		if empty, ok := p.vocab.ID(nil); ok && empty == id {
			return []byte{}
		}
	}
	return nil
}

// Piece is the vocabulary's writing of an id.
func (p *Pipeline) Piece(id int32) string {
	if !p.known(id) {
		return ""
	}
	return string(p.piece(id))
}

// SHA256 is the hash of the tokenizer.json.
func (p *Pipeline) SHA256() string {
	sum := sha256.Sum256(p.file)
	return hex.EncodeToString(sum[:])
}

// Save writes tokenizer.json.
func (p *Pipeline) Save(path string) error {
	err := fsatomic.WriteFile(path, 0o644, func(w io.Writer) error {
		_, err := w.Write(p.file)
		return err
	})
	if err != nil {
		return fmt.Errorf("save tokenizer: %w", err)
	}
	return nil
}

// finish makes what follows from the parts.
func (p *Pipeline) finish(steps []decodeStep) error {
	p.written, p.byText = make(map[int32][]byte, len(p.added)), make(map[string]int32, len(p.added))
	p.vocabLen = p.vocab.Size()
	for i := range p.added {
		t := &p.added[i]
		p.byText[t.Content], p.written[t.ID] = t.ID, []byte(t.Content)
		if t.Normalized && p.norm != nil {
			p.written[t.ID] = p.norm.Append(nil, []byte(t.Content))
		}
		p.vocabLen = max(p.vocabLen, int(t.ID)+1)
	}
	p.special = make([]bool, p.vocabLen)
	for _, t := range p.added {
		p.special[t.ID] = t.Special
	}
	if err := checkIDs(p.post, p.vocabLen); err != nil {
		return err
	}
	p.verbatim = newMatcher(p.added, false, nil)
	p.normalized = newMatcher(p.added, true, p.norm)
	p.chunks, _ = p.model.(*bpe.Model)
	p.planCuts()
	p.chain = newChain(steps)
	p.texts = newTexts(p.chain, p.eachText)
	p.buffers.New = func() any { return new(buffers) }
	p.bos, p.eos, p.pad, p.unk = p.specialID("[BOS]"), p.specialID("[EOS]"), p.specialID("[PAD]"), p.specialID("[UNK]")
	return nil
}

// eachText yields the token of every id, nil for those without text.
func (p *Pipeline) eachText(yield func([]byte) bool) {
	for id := range int32(p.vocabLen) {
		var piece []byte
		if !p.special[id] {
			piece = p.piece(id)
		}
		if !yield(piece) {
			return
		}
	}
}

// specialID returns the id of a special token, -1 if there is none of that name.
func (p *Pipeline) specialID(name string) int32 {
	if id, ok := p.byText[name]; ok && p.special[id] {
		return id
	}
	return -1
}

// steps lists a pre-tokenizer's steps.
func steps(p pretokenize.PreTokenizer) (all []pretokenize.PreTokenizer) {
	switch p := p.(type) {
	case nil:
	case pretokenize.Sequence:
		for _, inner := range p {
			all = append(all, steps(inner)...)
		}
	default:
		all = append(all, p)
	}
	return all
}

// endsInBytes says whether the last step writes bytes as characters, which a
// byte-level model undoes.
func endsInBytes(p pretokenize.PreTokenizer) bool {
	all := steps(p)
	if len(all) == 0 {
		return false
	}
	_, ok := all[len(all)-1].(pretokenize.ByteAlphabet)
	return ok
}

// planCuts finds the shortest way through the pre-tokenizer.
func (p *Pipeline) planCuts() {
	all := steps(p.cutter)
	if m, ok := p.model.(*bpe.Model); ok && m.Config().ByteLevel {
		all = all[:len(all)-1] // the model takes the bytes themselves
	}
	p.cutter = nil
	if len(all) > 0 {
		p.cutter = pretokenize.Sequence(all)
	}
	if len(all) == 1 {
		if split, ok := all[0].(pretokenize.Split); ok && split.Follows() {
			p.covering = &split
		}
	}
	for i, step := range all {
		if m, ok := step.(pretokenize.Metaspace); ok && m.NeedsSpans() {
			p.needsSpans = p.needsSpans || i > 0 || p.norm != nil || p.normalized != nil
		}
	}
}
