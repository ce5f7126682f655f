package tiktoken

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// tekkenFile is Mistral's tekken.json.
type tekkenFile struct {
	Config struct {
		Pattern     string `json:"pattern"`
		VocabSize   int    `json:"default_vocab_size"`
		NumSpecials int    `json:"default_num_special_tokens"`
	} `json:"config"`
	Vocab []struct {
		Rank  int    `json:"rank"`
		Bytes []byte `json:"token_bytes"`
	} `json:"vocab"`
	Specials []struct {
		Rank int    `json:"rank"`
		Text string `json:"token_str"`
	} `json:"special_tokens"`
}

// tekkenSpecials are the special tokens of files that list none.
var tekkenSpecials = []string{"<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]",
	"[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]", "[PREFIX]", "[MIDDLE]", "[SUFFIX]", "[SYSTEM_PROMPT]",
	"[/SYSTEM_PROMPT]", "[TOOL_CONTENT]"}

// IsTekken says whether data looks like a tekken.json, which begins with its config.
func IsTekken(data []byte) bool {
	head := data[:min(len(data), 4096)]
	return bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("{")) && bytes.Contains(head, []byte(`"default_num_special_tokens"`))
}

// ParseTekken reads a tekken.json. Special tokens have the ids from 0, and the piece of
// rank n the n-th behind them; ranks beyond the default size of the vocabulary are left
// out, as the original does.
func ParseTekken(name string, data []byte) (*Parts, error) {
	p, err := parseTekken(data)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer %s: %w", name, err)
	}
	return p, nil
}

func parseTekken(data []byte) (*Parts, error) {
	var f tekkenFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	c := &f.Config
	switch most := len(f.Vocab) + maxGap; {
	case c.Pattern == "":
		return nil, fmt.Errorf("config.pattern is missing: without it nobody knows how text is cut")
	case c.NumSpecials < 0 || c.NumSpecials > maxGap:
		return nil, fmt.Errorf("config.default_num_special_tokens is %d, want 0 to %d", c.NumSpecials, maxGap)
	case c.VocabSize <= c.NumSpecials || c.VocabSize > most:
		return nil, fmt.Errorf("config.default_vocab_size is %d, want more than the %d special tokens and at most %d", c.VocabSize, c.NumSpecials, most)
	}
	specials := make([]Special, c.NumSpecials)
	for i := range specials {
		specials[i] = Special{fmt.Sprintf("<SPECIAL_%d>", i), int32(i)}
	}
	if f.Specials == nil {
		for i, text := range tekkenSpecials[:min(len(tekkenSpecials), len(specials))] {
			specials[i].Text = text
		}
	}
	for _, s := range f.Specials {
		if s.Rank < 0 || s.Rank >= len(specials) {
			return nil, fmt.Errorf("special_tokens: the rank of %q is %d, want less than the %d of config.default_num_special_tokens", s.Text, s.Rank, len(specials))
		}
		specials[s.Rank].Text = s.Text
	}
	list := make(ranked, c.VocabSize)
	for i, v := range f.Vocab {
		id := v.Rank + c.NumSpecials
		switch {
		case v.Rank < 0 || len(v.Bytes) == 0:
			return nil, fmt.Errorf("vocab[%d]: the rank is %d and there are %d bytes, want at least 0 and 1", i, v.Rank, len(v.Bytes))
		case v.Rank >= c.VocabSize-c.NumSpecials:
		case list[id] != nil:
			return nil, fmt.Errorf("vocab[%d]: the rank %d is there twice", i, v.Rank)
		default:
			list[id] = v.Bytes
		}
	}
	return assemble(list, c.Pattern, specials)
}
