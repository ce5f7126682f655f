// Package tiktoken reads tokenizers that are lists of ranks: the rank files of tiktoken
// (cl100k_base.tiktoken and the like) and Mistral's tekken.json.
//
// Package tokenizer calls it for its Load. A rank list names no merges: the pair whose
// joined bytes have the lowest rank is merged first, and a piece of text that is in the
// list is its own id. That is bpe.Config with RankByID and IgnoreMerges over all ways
// to part every piece. Everything is a function of the file; nothing here is global
// state, and what is returned may be used by several goroutines.
package tiktoken

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/aries-serpent/codexml/tokenizer/bpe"
)

// Special is a special token.
type Special struct {
	Text string
	ID   int32
}

// Parts are what a tokenizer is made of.
type Parts struct {
	// Model encodes pieces. Special tokens have no piece in its vocabulary.
	Model *bpe.Model
	// Pattern is the regular expression that cuts text into pieces.
	Pattern string
	// Specials are in the order of their ids.
	Specials []Special
	// Size is the number of ids, from 0, with those of special tokens.
	Size int
}

// ranked is a list of pieces by id; nil stands for an id without one.
type ranked [][]byte

// IsRanks says whether data looks like a rank file: a first line of base64, a space and
// a number.
func IsRanks(data []byte) bool {
	line, _, _ := bytes.Cut(data[:min(len(data), 4096)], []byte("\n"))
	token, rank, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\r")), []byte(" "))
	if !ok || len(token) == 0 {
		return false
	}
	if _, err := base64.StdEncoding.DecodeString(string(token)); err != nil {
		return false
	}
	_, err := strconv.ParseUint(string(rank), 10, 31)
	return err == nil
}

// Parse reads a rank file. encoding names what the file does not say, the pattern and
// the special tokens; if it is empty, the file's name and then the number of its ranks
// tell.
func Parse(name string, data []byte, encoding string) (*Parts, error) {
	ranks, err := parseRanks(data)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer %s: %w", name, err)
	}
	e, err := findEncoding(name, encoding, len(ranks))
	if err != nil {
		return nil, fmt.Errorf("load tokenizer %s: %w", name, err)
	}
	p, err := assemble(ranks, e.Pattern, e.Specials)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer %s: %w", name, err)
	}
	return p, nil
}

// findEncoding finds the encoding by the name that was given, the file's name, or the
// number of ids.
func findEncoding(file, name string, size int) (*Encoding, error) {
	if name != "" {
		if e, ok := EncodingByName(name); ok {
			return e, nil
		}
		return nil, fmt.Errorf("there is no encoding %q, want one of %s", name, strings.Join(EncodingNames(), ", "))
	}
	stem, _, _ := strings.Cut(path.Base(strings.ReplaceAll(file, `\`, "/")), ".")
	if e, ok := EncodingByName(stem); ok {
		return e, nil
	}
	for i := range encodings {
		if size > 0 && encodings[i].ranks == size {
			return &encodings[i], nil
		}
	}
	return nil, fmt.Errorf("a rank file does not say how text is cut: name its encoding, one of %s", strings.Join(EncodingNames(), ", "))
}

// parseRanks reads the lines of a rank file.
func parseRanks(data []byte) (ranked, error) {
	lines := bytes.Count(data, []byte("\n")) + 1
	list := make(ranked, 0, lines)
	for number := 1; len(data) > 0; number++ {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte("\n"))
		if line = bytes.TrimSuffix(line, []byte("\r")); len(line) == 0 {
			continue
		}
		text, digits, ok := bytes.Cut(line, []byte(" "))
		if !ok {
			return nil, fmt.Errorf("line %d: want a piece in base64, a space and its rank, got %.40q", number, line)
		}
		piece := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
		n, err := base64.StdEncoding.Decode(piece, text)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("line %d: want a piece in base64, got %.40q", number, text)
		}
		rank, err := strconv.ParseUint(string(digits), 10, 31)
		if err != nil {
			return nil, fmt.Errorf("line %d: want a rank, got %.40q", number, digits)
		}
		if rank >= uint64(lines+maxGap) {
			return nil, fmt.Errorf("line %d: the rank is %d, want less than %d in a file of %d lines", number, rank, lines+maxGap, lines)
		}
		for uint64(len(list)) <= rank {
			list = append(list, nil)
		}
		if list[rank] != nil {
			return nil, fmt.Errorf("line %d: the rank %d is there twice", number, rank)
		}
		list[rank] = piece[:n]
	}
	return list, nil
}

// maxGap is how many ranks may be left out, as some files do for special tokens.
const maxGap = 4096

// assemble makes the parts of pieces by id, and of special tokens, which may lie
// between them and behind them.
func assemble(list ranked, pattern string, specials []Special) (*Parts, error) {
	size, bytesIn := len(list), 0
	for _, s := range specials {
		size = max(size, int(s.ID)+1)
		if int(s.ID) < len(list) && list[s.ID] != nil {
			return nil, fmt.Errorf("the id %d of the special token %q is that of %q", s.ID, s.Text, list[s.ID])
		}
	}
	for _, piece := range list {
		bytesIn += 2 * len(piece)
	}
	vocab := bpe.NewVocabulary(size, bytesIn)
	var written []byte
	for id, piece := range list {
		if piece == nil {
			vocab.Skip()
			continue
		}
		written = bpe.AppendWritten(written[:0], piece)
		if !vocab.Add(written) {
			first, _ := vocab.ID(written)
			return nil, fmt.Errorf("the piece %q has two ids, %d and %d", piece, first, id)
		}
	}
	for b := range bpe.NumBytes {
		if _, ok := vocab.ID(bpe.AppendWritten(nil, []byte{byte(b)})); !ok {
			return nil, fmt.Errorf("there is no piece for byte 0x%02X, so not every text could be encoded", b)
		}
	}
	model, err := bpe.New(bpe.Config{Vocabulary: vocab, Merges: bpe.AllMerges(vocab), RankByID: true, ByteLevel: true, Unknown: -1, IgnoreMerges: true})
	if err != nil {
		return nil, err
	}
	return &Parts{Model: model, Pattern: pattern, Specials: specials, Size: size}, nil
}
