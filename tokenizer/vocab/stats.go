package vocab

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/aries-serpent/codexml/tokenizer"
)

// Length is how many pieces have a length in bytes.
type Length struct {
	Bytes  int `json:"bytes"`
	Pieces int `json:"pieces"`
}

// CorpusStats is what a tokenizer makes of a corpus.
type CorpusStats struct {
	Documents int64 `json:"documents"`
	Bytes     int64 `json:"bytes"`
	Chars     int64 `json:"chars"`
	Words     int64 `json:"words"` // stretches without white space
	Tokens    int64 `json:"tokens"`

	TokensPerByte float64 `json:"tokens_per_byte"`
	BytesPerToken float64 `json:"bytes_per_token"`
	Fertility     float64 `json:"fertility"` // tokens per word

	ByteTokens    int64   `json:"byte_tokens"` // pieces <0x00> to <0xFF>, or single bytes of longer characters
	ByteShare     float64 `json:"byte_fallback_share"`
	UnknownTokens int64   `json:"unknown_tokens"`
	UsedPieces    int     `json:"used_pieces"`
	UnusedPieces  int     `json:"unused_pieces"`
	Unused        []Piece `json:"unused"`   // the first of them
	Frequent      []Count `json:"frequent"` // the most frequent

	counts []int64
}

// Count is a piece with how often it was used.
type Count struct {
	Piece
	Count int64 `json:"count"`
}

// Stats describes a tokenizer.
type Stats struct {
	VocabSize int          `json:"vocab_size"`
	Specials  []Piece      `json:"specials"`
	Longest   []Piece      `json:"longest"`
	Lengths   []Length     `json:"lengths"`
	Never     []Piece      `json:"never_reached"` // the first pieces that their own text is not encoded to, wherever it stands
	NeverNum  int          `json:"never_reached_pieces"`
	Corpus    *CorpusStats `json:"corpus,omitempty"`
}

// listed is how many pieces a list shows.
const listed = 20

// Describe looks at the vocabulary alone; specials are the ids without text.
func Describe(t tokenizer.Tokenizer, specials []Piece) *Stats {
	s := &Stats{VocabSize: t.VocabSize(), Specials: append([]Piece{}, specials...), Longest: []Piece{}, Never: []Piece{}}
	special := map[int32]bool{}
	for _, p := range specials {
		special[p.ID] = true
	}
	lengths := t.ByteLengths()
	byLength := map[int32]int{}
	order := make([]int32, 0, len(lengths))
	var text []byte
	for i, n := range lengths {
		id := int32(i)
		if special[id] || n == 0 {
			continue
		}
		byLength[n]++
		order = append(order, id)
		text = t.Decode(text[:0], []int32{id})
		if utf8.Valid(text) && !reached(t, id, text) {
			if s.NeverNum++; len(s.Never) < listed {
				s.Never = append(s.Never, Piece{id, t.Piece(id)})
			}
		}
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(lengths[b], lengths[a]) })
	for _, id := range order[:min(listed, len(order))] {
		s.Longest = append(s.Longest, Piece{id, t.Piece(id)})
	}
	for n, pieces := range byLength {
		s.Lengths = append(s.Lengths, Length{int(n), pieces})
	}
	slices.SortFunc(s.Lengths, func(a, b Length) int { return cmp.Compare(a.Bytes, b.Bytes) })
	return s
}

// contexts are what a piece that does not begin a text may stand behind.
var contexts = []string{"", "x", ".", "1", "\n"}

// reached says whether an id's own text, alone or behind something, is encoded to
// it.
func reached(t tokenizer.Tokenizer, id int32, text []byte) bool {
	return slices.ContainsFunc(contexts, func(before string) bool {
		return slices.Contains(t.Encode(nil, append([]byte(before), text...)), id)
	})
}

var byteFallback = regexp.MustCompile(`^<0x[0-9A-F]{2}>$`)

// Measure encodes a corpus and adds what it shows.
func (s *Stats) Measure(ctx context.Context, t tokenizer.Tokenizer, docs iter.Seq[[]byte]) error {
	c := &CorpusStats{counts: make([]int64, t.VocabSize()), Unused: []Piece{}, Frequent: []Count{}}
	var ids []int32
	for doc := range docs {
		if err := ctx.Err(); err != nil {
			return err
		}
		ids = t.Encode(ids[:0], doc)
		c.Documents++
		c.Bytes += int64(len(doc))
		c.Chars += int64(utf8.RuneCount(doc))
		c.Words += int64(len(bytes.Fields(doc)))
		c.Tokens += int64(len(ids))
		for _, id := range ids {
			c.counts[id]++
		}
	}
	c.finish(s, t)
	s.Corpus = c
	return nil
}

func (c *CorpusStats) finish(s *Stats, t tokenizer.Tokenizer) {
	special := map[int32]bool{}
	for _, p := range s.Specials {
		special[p.ID] = true
	}
	unknown := unknownID(t)
	var order []int32
	for i, n := range c.counts {
		id := int32(i)
		switch {
		case n > 0:
			c.UsedPieces++
			order = append(order, id)
		case !special[id]:
			if c.UnusedPieces++; len(c.Unused) < listed {
				c.Unused = append(c.Unused, Piece{id, t.Piece(id)})
			}
		}
		if byteFallback.MatchString(t.Piece(id)) || partOfCharacter(t, id) {
			c.ByteTokens += n
		}
		if id == unknown {
			c.UnknownTokens += n
		}
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(c.counts[b], c.counts[a]) })
	for _, id := range order[:min(listed, len(order))] {
		c.Frequent = append(c.Frequent, Count{Piece{id, t.Piece(id)}, c.counts[id]})
	}
	c.TokensPerByte, c.BytesPerToken = ratio(c.Tokens, c.Bytes), ratio(c.Bytes, c.Tokens)
	c.Fertility, c.ByteShare = ratio(c.Tokens, c.Words), ratio(c.ByteTokens, c.Tokens)
}

// Used says whether the corpus that was measured needs an id.
func (c *CorpusStats) Used(id int32) bool { return int(id) < len(c.counts) && c.counts[id] > 0 }

// unknownID is the id for what the vocabulary does not have, -1 if it says none.
func unknownID(t tokenizer.Tokenizer) int32 {
	if u, ok := t.(interface{ Unknown() (int32, bool) }); ok {
		if id, ok := u.Unknown(); ok {
			return id
		}
	}
	return -1
}

// partOfCharacter says whether an id's text is one byte of a longer character.
func partOfCharacter(t tokenizer.Tokenizer, id int32) bool {
	text := t.Decode(nil, []int32{id})
	return len(text) == 1 && text[0] >= utf8.RuneSelf
}

func ratio(a, b int64) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}
