package ggufvocab

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/format/gguf"
)

// TestEntries demands that a vocabulary is the same after a way through a file, and
// has its own metadata again.
func TestEntries(t *testing.T) {
	for name, m := range map[string]*gguf.Metadata{
		"spm": spm(t), "spm-plain": spm(t, "ggml.add_space_prefix", false, "ggml.add_bos_token", false), "smollm": bpe(t, "smollm"),
		"llama-bpe": bpe(t, "llama-bpe", "ggml.add_bos_token", true), "qwen2": bpe(t, "qwen2", "chat_template", "{{ x }}"), "gpt-2": bpe(t, "gpt-2"),
	} {
		text, settings := jsonOf(t, m)
		entries, err := Entries(Source{Tokenizer: text, Settings: settings, VocabSize: 12, BOS: -1, PAD: -1, EOS: []int32{2, 3}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again := parse(t, entries)
		if kinds, _ := again.Ints("tokenizer.ggml.token_type"); len(kinds) != 12 || kinds[11] != kindUnused {
			t.Errorf("%s: kinds %v", name, kinds)
		}
		for _, key := range m.Keys() {
			x, _ := m.Meta(key)
			y, ok := again.Meta(key)
			if got, want := fmt.Sprint(y.Any()), strings.TrimSuffix(fmt.Sprint(x.Any()), "]"); key != "tokenizer.ggml.scores" && (!ok || !strings.HasPrefix(got, want)) {
				t.Errorf("%s: %s: got %s, want %s", name, key, got, want)
			}
		}
		gotText, gotSettings := jsonOf(t, again)
		if got := strings.ReplaceAll(string(gotText), `,"[PAD11]":11`, ""); merged(got) != merged(string(text)) || !bytes.Equal(gotSettings, settings) {
			t.Errorf("%s: got %s %s, want %s %s", name, got, gotSettings, text, settings)
		}
	}
}

// merged is the part of a tokenizer.json with the merges and what comes after the
// vocabulary.
func merged(text string) string {
	_, merges, _ := strings.Cut(text, `"merges":`)
	merges, _, _ = strings.Cut(merges, `,"vocab"`)
	_, rest, _ := strings.Cut(text, `"normalizer"`)
	return merges + rest
}

func jsonOf(tb testing.TB, m *gguf.Metadata) (text, settings []byte) {
	tb.Helper()
	text, err := JSON(m)
	if err != nil {
		tb.Fatal(err)
	}
	if settings, err = Config(m); err != nil {
		tb.Fatal(err)
	}
	return text, settings
}

func parse(tb testing.TB, entries []gguf.KeyValue) *gguf.Metadata {
	tb.Helper()
	var out bytes.Buffer
	if _, err := gguf.NewWriter(&out, entries, nil); err != nil {
		tb.Fatal(err)
	}
	f, err := gguf.Parse(out.Bytes())
	if err != nil {
		tb.Fatal(err)
	}
	return &f.Metadata
}

func TestEntriesRejects(t *testing.T) {
	level, _ := jsonOf(t, bpe(t, "llama-bpe", "ggml.add_bos_token", true))
	pieces, _ := jsonOf(t, spm(t))
	for _, c := range []struct {
		text, from, to, want string
		unwritable           bool
	}{
		{string(level), `"type":"BPE"`, `"type":"Unigram"`, `model is "Unigram"`, true},
		{string(level), `\\p{N}{1,3}`, `\\p{N}{1,4}`, `written are gpt-2, smollm, llama-bpe`, true},
		{string(level), `"lstrip":false`, `"lstrip":true`, `takes the blanks beside it`, true},
		{string(level), `"a b"`, `"ab"`, "merge 0 is", false},
		{string(level), `"b":1`, `"b":0`, "have the same id 0", false},
		{string(level), `"b":1`, `"b":100`, "the files do not belong together", false},
		{string(pieces), `["a","b"]`, `["b","a"]`, "merges are not SentencePiece's", true},
		{string(pieces), `"prepend":`, `"prefix":`, "normalizer and pre_tokenizer are", true},
		{"{", "", "", "tokenizer.json: unexpected end", false},
	} {
		text := strings.Replace(c.text, c.from, c.to, 1)
		_, err := Entries(Source{Tokenizer: []byte(text), VocabSize: 11, BOS: -1, PAD: -1})
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrUnwritable) != c.unwritable {
			t.Errorf("%s: got %v, want ...%s", c.to, err, c.want)
		}
	}
}
