package vocab

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/aries-serpent/codexml/tokenizer"
	"github.com/aries-serpent/codexml/tokenizer/bpe"
)

// rankModel is a rank file, which says nothing of how text is cut into words.
type rankModel struct {
	model *bpe.Model
	ranks []int32 // by the model's ids
}

func parseRanks(data []byte) (*rankModel, error) {
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	v := bpe.NewVocabulary(len(lines), 2*len(data))
	m := &rankModel{}
	for i, line := range lines {
		word, number, ok := strings.Cut(line, " ")
		text, err := base64.StdEncoding.DecodeString(word)
		rank, fault := strconv.ParseInt(number, 10, 32)
		if !ok || err != nil || fault != nil {
			return nil, fmt.Errorf("ranks:%d: want base64, a space and a rank, got %q", i+1, line)
		}
		if !v.Add(bpe.AppendWritten(nil, text)) {
			return nil, fmt.Errorf("ranks:%d: %q is there twice", i+1, text)
		}
		m.ranks = append(m.ranks, int32(rank))
	}
	var err error
	m.model, err = bpe.New(bpe.Config{Vocabulary: v, Merges: bpe.AllMerges(v), RankByID: true, ByteLevel: true, Unknown: -1, IgnoreMerges: true})
	return m, err
}

// ProveRanks encodes documents with t, and every word of them with a rank file as
// tiktoken would. The first word with other ids, and a text that t changes before it
// encodes it, which a rank file cannot, are errors.
func ProveRanks(ctx context.Context, t Encoder, file []byte, docs iter.Seq[[]byte]) (Proof, error) {
	var p Proof
	m, err := parseRanks(file)
	if err != nil {
		return p, err
	}
	for doc := range docs {
		if err := ctx.Err(); err != nil {
			return p, err
		}
		e, err := t.EncodeText(doc, tokenizer.EncodeOptions{Allowed: tokenizer.NoSpecials(), Whole: true})
		if err != nil {
			return p, err
		}
		if !bytes.Equal(t.Decode(nil, e.IDs), doc) {
			return p, fmt.Errorf("document %d (from 0): the tokenizer changes the text, which a rank file cannot", p.Documents)
		}
		if err := m.words(t, e); err != nil {
			return p, fmt.Errorf("document %d (from 0): %w", p.Documents, err)
		}
		p.Documents++
		p.Bytes += int64(len(doc))
		p.Tokens += int64(len(e.IDs))
	}
	return p, nil
}

// words compares the words of an encoding.
func (m *rankModel) words(t tokenizer.Tokenizer, e *tokenizer.Encoding) error {
	var text []byte
	var ids []int32
	for i := 0; i < len(e.IDs); {
		end := i + 1
		for end < len(e.IDs) && e.WordIDs[end] == e.WordIDs[i] {
			end++
		}
		text = t.Decode(text[:0], e.IDs[i:end])
		ids = m.model.AppendIDs(ids[:0], text)
		for j, id := range ids {
			ids[j] = m.ranks[id]
		}
		if !slices.Equal(ids, e.IDs[i:end]) {
			return fmt.Errorf("the word %q is to be %v, got %v", text, e.IDs[i:end], ids)
		}
		i = end
	}
	return nil
}
