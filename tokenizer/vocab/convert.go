package vocab

import (
	"context"
	"encoding/base64"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/aries-serpent/codexml/tokenizer"
	"github.com/aries-serpent/codexml/tokenizer/bpe"
)

// Proof is how much of a corpus was encoded to equal ids.
type Proof struct {
	Documents int64 `json:"documents"`
	Bytes     int64 `json:"bytes"`
	Tokens    int64 `json:"tokens"`
}

// Prove encodes documents with both tokenizers. The first that they encode
// otherwise is an error that shows where. ids, if not nil, says what an id of a is
// in b.
func Prove(ctx context.Context, a, b tokenizer.Tokenizer, ids func(int32) int32, docs iter.Seq[[]byte]) (Proof, error) {
	var p Proof
	var x, y []int32
	for doc := range docs {
		if err := ctx.Err(); err != nil {
			return p, err
		}
		x, y = a.Encode(x[:0], doc), b.Encode(y[:0], doc)
		if ids != nil {
			for i := range x {
				x[i] = ids(x[i])
			}
		}
		if !slices.Equal(x, y) {
			return p, difference(p.Documents, x, y, b)
		}
		p.Documents++
		p.Bytes += int64(len(doc))
		p.Tokens += int64(len(x))
	}
	return p, nil
}

// difference says where two encodings of a document part.
func difference(doc int64, x, y []int32, b tokenizer.Tokenizer) error {
	i := 0
	for i < len(x) && i < len(y) && x[i] == y[i] {
		i++
	}
	show := func(ids []int32) string {
		if i >= len(ids) {
			return "the end"
		}
		return fmt.Sprintf("%d %q", ids[i], b.Piece(ids[i]))
	}
	return fmt.Errorf("document %d (from 0) is encoded otherwise: id %d is to be %s, got %s", doc, i, show(x), show(y))
}

// OutFile is a file that a conversion writes.
type OutFile struct {
	Name string
	Data []byte
}

// Formats are the formats that Files writes.
func Formats() []string { return []string{"gpt2", "tiktoken", "tokenizer.json"} }

// Files writes the document in a format: gpt2 is vocab.json and merges.txt, tiktoken
// a file of ranks. These two hold a byte-level BPE model and nothing else: added
// tokens and the pattern are not in them.
func (d *Document) Files(format string) ([]OutFile, error) {
	switch format {
	case "tokenizer.json":
		return []OutFile{{"tokenizer.json", d.Bytes()}}, nil
	case "gpt2":
		return d.gpt2()
	case "tiktoken":
		return d.tiktoken()
	}
	return nil, fmt.Errorf("format: want one of %s, got %q", strings.Join(Formats(), ", "), format)
}

func (d *Document) gpt2() ([]OutFile, error) {
	if err := d.wantBPE("write GPT-2's files"); err != nil {
		return nil, err
	}
	vocab := object{}
	for _, p := range d.byID() {
		vocab = append(vocab, member{p.Piece, appendJSON(nil, p.ID)})
	}
	for _, a := range d.Added {
		if _, ok := d.IDs[a.Content]; !ok {
			vocab = append(vocab, member{a.Content, appendJSON(nil, a.ID)})
		}
	}
	var merges strings.Builder
	merges.WriteString("#version: 0.2\n")
	for i, m := range d.Merges {
		if strings.ContainsAny(m[0]+m[1], " \n") {
			return nil, fmt.Errorf("write merges.txt: merge %d, %q %q, has a space in it, which the format cannot hold", i, m[0], m[1])
		}
		merges.WriteString(m[0] + " " + m[1] + "\n")
	}
	return []OutFile{{"vocab.json", append(appendJSON(nil, vocab), '\n')}, {"merges.txt", []byte(merges.String())}}, nil
}

func (d *Document) tiktoken() ([]OutFile, error) {
	if err := d.wantBPE("write tiktoken's file"); err != nil {
		return nil, err
	}
	added := map[int32]bool{}
	for _, a := range d.Added {
		added[a.ID] = true
	}
	var out strings.Builder
	last := int32(-1)
	for _, m := range d.Merges {
		id, ok := d.IDs[m[0]+m[1]]
		if !ok || id <= last {
			return nil, fmt.Errorf("write tiktoken's file: the ids do not follow the order of the merges (%q), which ranks are", m[0]+m[1])
		}
		last = id
	}
	for _, p := range d.byID() {
		if added[p.ID] {
			continue
		}
		for _, r := range p.Piece {
			if _, ok := bpe.ByteOf(r); !ok {
				return nil, fmt.Errorf("write tiktoken's file: piece %d, %q, is not written in bytes: want a byte-level model", p.ID, p.Piece)
			}
		}
		text := bpe.AppendUnwritten(nil, []byte(p.Piece))
		fmt.Fprintf(&out, "%s %d\n", base64.StdEncoding.EncodeToString(text), p.ID)
	}
	return []OutFile{{"tokenizer.tiktoken", []byte(out.String())}}, nil
}
