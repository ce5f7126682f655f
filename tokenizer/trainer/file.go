package trainer

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	format "github.com/aries-serpent/codexml/format/sentencepiece"
	"github.com/aries-serpent/codexml/tokenizer/bpe"
	"github.com/aries-serpent/codexml/tokenizer/train"
)

// part is a part of tokenizer.json: keys in the order in which they are written.
type part []entry

type entry struct {
	key   string
	value any
}

// MarshalJSON writes the keys in order.
func (p part) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, e := range p {
		if i > 0 {
			out = append(out, ',')
		}
		key, err := plainJSON(e.key)
		if err != nil {
			return nil, err
		}
		value, err := plainJSON(e.value)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, key...), ':'), value...)
	}
	return append(out, '}'), nil
}

// plainJSON writes a value without the escapes that only HTML needs.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// pieceIDs is a vocabulary, written in the order of ids.
func pieceIDs(v *bpe.Vocabulary) part {
	p := make(part, v.Size())
	for id := range p {
		p[id] = entry{string(v.Piece(int32(id))), id}
	}
	return p
}

// addedTokens are the entries for special tokens.
func addedTokens(v func(id int32) string, ids []int32) []part {
	tokens := make([]part, len(ids))
	for i, id := range ids {
		tokens[i] = part{{"id", id}, {"content", v(id)}, {"single_word", false}, {"lstrip", false}, {"rstrip", false},
			{"normalized", false}, {"special", true}}
	}
	return tokens
}

// tokenizerJSON writes a whole file.
func tokenizerJSON(added []part, normalizer, preTokenizer, decoder, model any) ([]byte, error) {
	data, err := plainJSON(part{{"version", "1.0"}, {"truncation", nil}, {"padding", nil}, {"added_tokens", added}, {"normalizer", normalizer},
		{"pre_tokenizer", preTokenizer}, {"post_processor", nil}, {"decoder", decoder}, {"model", model}})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Indent(&out, data, "", "  ")
	return out.Bytes(), err
}

// marshal writes tokenizer.json for what was learned.
func (c *Config) marshal(r *train.Result) ([]byte, error) {
	byteLevel := func(prefix, split bool) part {
		return part{{"type", "ByteLevel"}, {"add_prefix_space", prefix}, {"trim_offsets", true}, {"use_regex", split}}
	}
	added := addedTokens(func(id int32) string { return string(r.Vocabulary.Piece(id)) }, r.Specials)
	split := part{{"type", "Split"}, {"pattern", part{{"Regex", c.Pattern}}}, {"behavior", "Isolated"}, {"invert", false}}
	switch c.ModelType {
	case "bpe":
		merges := make([][2]string, len(r.Merges))
		for i, m := range r.Merges {
			merges[i] = [2]string{string(r.Vocabulary.Piece(m.Left)), string(r.Vocabulary.Piece(m.Right))}
		}
		var cut any = byteLevel(false, true)
		if c.Pattern != "" {
			cut = part{{"type", "Sequence"}, {"pretokenizers", []part{split, byteLevel(false, false)}}}
		}
		return tokenizerJSON(added, c.normalizerPart(), cut, byteLevel(true, true), part{{"type", "BPE"}, {"dropout", nil}, {"unk_token", nil},
			{"continuing_subword_prefix", nil}, {"end_of_word_suffix", nil}, {"fuse_unk", false}, {"byte_fallback", false},
			{"ignore_merges", false}, {"vocab", pieceIDs(r.Vocabulary)}, {"merges", merges}})
	case "wordpiece":
		return tokenizerJSON(added, c.normalizerPart(), part{{"type", "BertPreTokenizer"}},
			part{{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}},
			part{{"type", "WordPiece"}, {"unk_token", c.unknown()}, {"continuing_subword_prefix", "##"}, {"max_input_chars_per_word", 100},
				{"vocab", pieceIDs(r.Vocabulary)}})
	}
	cut := part{{"type", "Whitespace"}}
	if c.Pattern != "" {
		cut = split
	}
	return tokenizerJSON(added, c.normalizerPart(), cut, nil,
		part{{"type", "WordLevel"}, {"vocab", pieceIDs(r.Vocabulary)}, {"unk_token", c.unknown()}})
}

// unknown is the special token for what has no piece.
func (c *Config) unknown() string { return c.Specials[c.unknownID()] }

// unknownID finds it: the one whose name says so. Validate wants one.
func (c *Config) unknownID() int {
	return slices.IndexFunc(c.Specials, func(s string) bool { return isNamed(s, "unk") })
}

// normalizerPart is the normalizer of the file.
func (c *Config) normalizerPart() any {
	switch c.NormalizationRule {
	case "nfc":
		return part{{"type", "NFC"}}
	case "nfkc":
		return part{{"type", "NFKC"}}
	case "bert":
		return part{{"type", "BertNormalizer"}, {"clean_text", true}, {"handle_chinese_chars", true}, {"strip_accents", nil}, {"lowercase", true}}
	}
	return nil
}

// marshalUnigram writes tokenizer.json for a SentencePiece model.
func marshalUnigram(m *format.Model) ([]byte, error) {
	type scored [2]any
	pieces := make([]scored, len(m.Pieces))
	var special []int32
	for id, p := range m.Pieces {
		score := float64(p.Score)
		if math.IsNaN(score) || math.IsInf(score, 0) {
			return nil, fmt.Errorf("the score of piece %d, %q, is %v", id, p.Text, p.Score)
		}
		pieces[id] = scored{p.Text, score}
		if p.Type == format.Control || p.Type == format.Unknown {
			special = append(special, int32(id))
		}
	}
	steps := []part{}
	if charsmap := m.Normalizer.PrecompiledCharsmap; len(charsmap) > 0 {
		steps = append(steps, part{{"type", "Precompiled"}, {"precompiled_charsmap", base64.StdEncoding.EncodeToString(charsmap)}})
	}
	steps = append(steps, part{{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}},
		part{{"type", "Replace"}, {"pattern", part{{"Regex", " {2,}"}}}, {"content", " "}})
	space := part{{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "always"}, {"split", true}}
	return tokenizerJSON(addedTokens(func(id int32) string { return m.Pieces[id].Text }, special),
		part{{"type", "Sequence"}, {"normalizers", steps}}, space, space,
		part{{"type", "Unigram"}, {"unk_id", m.Trainer.UnkID}, {"vocab", pieces}, {"byte_fallback", m.Trainer.ByteFallback}})
}
