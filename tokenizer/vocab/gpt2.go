package vocab

import (
	"encoding/json"
	"fmt"
	"strings"
)

// endOfText is the special token of GPT-2's vocabulary.
const endOfText = "<|endoftext|>"

// FromGPT2 makes a tokenizer.json of GPT-2's files, vocab.json and merges.txt: byte-
// level BPE that cuts text with GPT-2's pattern, which the files do not say.
func FromGPT2(vocabulary, merges []byte) ([]byte, error) {
	var pieces object
	if err := json.Unmarshal(vocabulary, &pieces); err != nil {
		return nil, fmt.Errorf("vocab.json: %w", err)
	}
	rules := [][2]string{}
	number := 0
	for line := range strings.Lines(string(merges)) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || number == 1 && strings.HasPrefix(line, "#version") {
			continue
		}
		left, right, ok := strings.Cut(line, " ")
		if !ok || strings.Contains(right, " ") {
			return nil, fmt.Errorf("merges.txt:%d: want two pieces and a space between them, got %q", number, line)
		}
		rules = append(rules, [2]string{left, right})
	}
	added := []Added{}
	if raw := pieces.get(endOfText); raw != nil {
		a := Added{Content: endOfText, Special: true}
		if err := json.Unmarshal(raw, &a.ID); err != nil {
			return nil, fmt.Errorf("vocab.json: %q: %w", endOfText, err)
		}
		added = append(added, a)
	}
	level := map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}
	model := object{}
	for _, m := range []struct {
		key   string
		value any
	}{{"type", "BPE"}, {"dropout", nil}, {"unk_token", nil}, {"continuing_subword_prefix", nil}, {"end_of_word_suffix", nil}, {"fuse_unk", false}, {"byte_fallback", false},
		{"ignore_merges", false}, {"vocab", pieces}, {"merges", rules}} {
		model.set(m.key, m.value)
	}
	root := object{}
	for _, m := range []struct {
		key   string
		value any
	}{{"version", "1.0"}, {"truncation", nil}, {"padding", nil}, {"added_tokens", added}, {"normalizer", nil}, {"pre_tokenizer", level}, {"post_processor", level}, {"decoder", level}, {"model", model}} {
		root.set(m.key, m.value)
	}
	return append(appendJSON(nil, root), '\n'), nil
}
