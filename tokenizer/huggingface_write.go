package tokenizer

import (
	"fmt"

	"github.com/aries-serpent/codexml/tokenizer/bpe"
)

// The parts of a file around its added tokens, vocabulary and merges.
const (
	fileHead = `{
  "version": "1.0",
  "truncation": null,
  "padding": null,
  "added_tokens": [`
	fileAdded = `
    {
      "id": %d,
      "content": %s,
      "single_word": false,
      "lstrip": false,
      "rstrip": false,
      "normalized": false,
      "special": true
    }`
	fileParts = `,
  "normalizer": null,
  "pre_tokenizer": {
    "type": "ByteLevel",
    "add_prefix_space": false,
    "trim_offsets": true,
    "use_regex": true
  },
  "post_processor": null,
  "decoder": {
    "type": "ByteLevel",
    "add_prefix_space": true,
    "trim_offsets": true,
    "use_regex": true
  },
  "model": {
    "type": "BPE",
    "dropout": null,
    "unk_token": null,
    "continuing_subword_prefix": null,
    "end_of_word_suffix": null,
    "fuse_unk": false,
    "byte_fallback": false,
    "ignore_merges": false,
    "vocab": {`
	fileMerges = `
    },
    "merges": [`
	fileTail = `
  }
}`
)

// marshalFile writes tokenizer.json byte for byte as the original does.
func marshalFile(vocab *bpe.Vocabulary, merges []bpe.Merge, specials []int32) []byte {
	out := []byte(fileHead)
	for i, id := range specials {
		out = appendComma(out, i)
		out = fmt.Appendf(out, fileAdded, id, appendQuoted(nil, vocab.Piece(id)))
	}
	out = appendArrayEnd(out, len(specials), "\n  ")
	out = append(out, fileParts...)
	for id := range int32(vocab.Size()) {
		out = appendComma(out, int(id))
		out = appendQuoted(append(out, "\n      "...), vocab.Piece(id))
		out = fmt.Appendf(out, ": %d", id)
	}
	out = append(out, fileMerges...)
	for i, m := range merges {
		out = append(appendComma(out, i), "\n      [\n        "...)
		out = append(appendQuoted(out, vocab.Piece(m.Left)), ",\n        "...)
		out = append(appendQuoted(out, vocab.Piece(m.Right)), "\n      ]"...)
	}
	out = appendArrayEnd(out, len(merges), "\n    ")
	return append(out, fileTail...)
}

// appendComma appends a comma before every element but the first.
func appendComma(out []byte, i int) []byte {
	if i > 0 {
		out = append(out, ',')
	}
	return out
}

// appendArrayEnd ends an array, on a line of its own unless it is empty.
func appendArrayEnd(out []byte, elements int, line string) []byte {
	if elements > 0 {
		out = append(out, line...)
	}
	return append(out, ']')
}

// appendQuoted appends text as a JSON string with as few escapes as there can be.
func appendQuoted(out, text []byte) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c >= ' ':
			out = append(out, c)
		case c >= '\b' && c <= '\r' && c != '\v':
			out = append(out, '\\', "btn-fr"[c-'\b'])
		default:
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(out, '"')
}
