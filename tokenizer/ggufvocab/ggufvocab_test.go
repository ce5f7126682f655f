package ggufvocab

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/format/gguf"
	"github.com/aries-serpent/codexml/internal/testkit"
)

// metadata is that of a file with the given entries, under tokenizer.
func metadata(tb testing.TB, entries ...any) *gguf.Metadata {
	tb.Helper()
	var list []gguf.KeyValue
	for i := 0; i < len(entries); i += 2 {
		list = append(list, gguf.KeyValue{Key: "tokenizer." + entries[i].(string), Value: entries[i+1]})
	}
	var out bytes.Buffer
	if _, err := gguf.NewWriter(&out, list, nil); err != nil {
		tb.Fatal(err)
	}
	f, err := gguf.Parse(out.Bytes())
	if err != nil {
		tb.Fatal(err)
	}
	return &f.Metadata
}

// spm is a vocabulary of SentencePiece.
func spm(tb testing.TB, more ...any) *gguf.Metadata {
	return metadata(tb, append([]any{
		"ggml.model", "llama", "ggml.tokens", []string{"<unk>", "<s>", "</s>", "<0x41>", "\u2581", "a", "b", "\u2581a", "ab", "\u2581ab", "x\ty"},
		"ggml.scores", []float32{0, 0, 0, 0, -9, -8, -7, -2, -3, -1, 0}, "ggml.token_type", []int32{2, 3, 3, 6, 1, 1, 1, 1, 1, 1, 4},
		"ggml.bos_token_id", uint32(1), "ggml.eos_token_id", uint32(2), "ggml.unknown_token_id", uint32(0), "chat_template", "{{ messages }}",
	}, more...)...)
}

// bpe is a byte-level vocabulary.
func bpe(tb testing.TB, pre string, more ...any) *gguf.Metadata {
	return metadata(tb, append([]any{
		"ggml.model", "gpt2", "ggml.pre", pre, "ggml.tokens", []string{"a", "b", "\u0120", "ab", "\u0120ab", "<|end|>"}, "ggml.merges", []string{"a b", "\u0120 ab"},
		"ggml.token_type", []int32{1, 1, 1, 1, 1, 3}, "ggml.bos_token_id", uint32(5), "ggml.eos_token_id", uint32(5),
	}, more...)...)
}

// TestJSON compares with files that transformers' tokenizers reads; see
// testdata/README.md for what was compared there.
func TestJSON(t *testing.T) {
	for name, m := range map[string]*gguf.Metadata{
		"spm": spm(t), "spm-plain": spm(t, "ggml.add_space_prefix", false, "ggml.add_bos_token", false), "smollm": bpe(t, "smollm"),
		"llama-bpe": bpe(t, "llama-bpe", "ggml.add_bos_token", true, "ggml.add_eos_token", true), "qwen2": bpe(t, "qwen2"), "default": bpe(t, "default"),
	} {
		text, err := JSON(m)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var out bytes.Buffer
		if err := json.Indent(&out, text, "", " "); err != nil {
			t.Fatal(err)
		}
		testkit.Golden(t, "testdata/"+name+".json", out.String())
	}
	text, err := Config(spm(t))
	if want := `{"bos_token":"<s>","chat_template":"{{ messages }}","clean_up_tokenization_spaces":false,"eos_token":"</s>","tokenizer_class":"PreTrainedTokenizerFast","unk_token":"<unk>"}` + "\n"; err != nil || string(text) != want {
		t.Errorf("got %s %v, want %s", text, err, want)
	}
}

func TestRejects(t *testing.T) {
	for _, c := range []struct {
		want        string
		m           *gguf.Metadata
		unsupported bool
	}{
		{"metadata is missing: tokenizer.ggml.tokens", metadata(t), false},
		{"is \"bert\", gpt2 and llama are", metadata(t, "ggml.model", "bert", "ggml.tokens", []string{"a"}), true},
		{"tokenizer.ggml.pre is \"tomorrow\"; supported are command-r, ", bpe(t, "tomorrow"), true},
		{"token_type has 1 entries, tokenizer.ggml.tokens 2", metadata(t, "ggml.model", "gpt2", "ggml.tokens", []string{"a", "b"}, "ggml.token_type", []int32{1}), false},
		{"scores has 1 entries", metadata(t, "ggml.model", "llama", "ggml.tokens", []string{"a", "b"}, "ggml.scores", []float32{1}), false},
		{"entry 0 is \"ab\", want two pieces", metadata(t, "ggml.model", "gpt2", "ggml.tokens", []string{"a"}, "ggml.merges", []string{"ab"}), false},
	} {
		if _, err := JSON(c.m); err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrUnsupported) != c.unsupported {
			t.Errorf("got %v, want ...%s", err, c.want)
		}
	}
}
