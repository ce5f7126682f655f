// Package ggufvocab makes a tokenizer.json of the vocabulary in a GGUF file, so that
// text can be given to a model that comes as one file: byte-level BPE (GPT-2, Llama 3,
// Qwen, SmolLM2) with the pre-tokenizers that llama.cpp knows by name, and
// SentencePiece's BPE (Llama 1 and 2, Mistral, Gemma). The commands that open models
// use it. Its output depends on the metadata alone.
package ggufvocab

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aries-serpent/codexml/format/gguf"
)

// ErrUnsupported is wrapped where a vocabulary is of a kind that is not read.
var ErrUnsupported = errors.New("the GGUF file's vocabulary is not supported here: put the model's tokenizer.json beside the file")

// Kinds of token, as llama.cpp numbers them.
const (
	kindUnknown     = 2
	kindControl     = 3
	kindUserDefined = 4
	kindByte        = 6
)

type object = map[string]any

// vocabulary is what the metadata says.
type vocabulary struct {
	m      *gguf.Metadata
	tokens []string
	kinds  []int64
}

// JSON is the text of a tokenizer.json.
func JSON(m *gguf.Metadata) ([]byte, error) {
	v, err := read(m)
	if err != nil {
		return nil, err
	}
	model, err := m.Text("tokenizer.ggml.model")
	if err != nil {
		return nil, err
	}
	file := object{"version": "1.0", "truncation": nil, "padding": nil, "added_tokens": v.added()}
	switch model {
	case "gpt2":
		err = v.byteLevel(file)
	case "llama":
		err = v.sentencePiece(file)
	default:
		err = fmt.Errorf("%w (tokenizer.ggml.model is %.40q, gpt2 and llama are)", ErrUnsupported, model)
	}
	if err != nil {
		return nil, err
	}
	file["post_processor"] = v.post()
	return encode(file)
}

// encode writes JSON with its characters as they are.
func encode(value any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return out.Bytes(), err
}

func read(m *gguf.Metadata) (*vocabulary, error) {
	v := &vocabulary{m: m}
	var err error
	if v.tokens, err = m.Strings("tokenizer.ggml.tokens"); err != nil {
		return nil, err
	}
	v.kinds, err = m.Ints("tokenizer.ggml.token_type")
	if errors.Is(err, gguf.ErrMissing) {
		v.kinds, err = make([]int64, len(v.tokens)), nil
	}
	if err == nil && len(v.kinds) != len(v.tokens) {
		err = fmt.Errorf("tokenizer.ggml.token_type has %d entries, tokenizer.ggml.tokens %d", len(v.kinds), len(v.tokens))
	}
	return v, err
}

// added are the tokens that are found in a text before it is cut.
func (v *vocabulary) added() []object {
	out := []object{}
	for id, kind := range v.kinds {
		if kind == kindControl || kind == kindUserDefined || kind == kindUnknown {
			out = append(out, object{"id": id, "content": v.tokens[id], "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": kind != kindUserDefined})
		}
	}
	return out
}

// ids is the vocabulary as an object; a text that comes twice keeps its first id.
func (v *vocabulary) ids() map[string]int {
	ids := make(map[string]int, len(v.tokens))
	for id, text := range v.tokens {
		if _, ok := ids[text]; !ok {
			ids[text] = id
		}
	}
	return ids
}

// byteLevel is BPE over bytes.
func (v *vocabulary) byteLevel(file object) error {
	merges, err := v.m.Strings("tokenizer.ggml.merges")
	if err != nil {
		return err
	}
	for i, merge := range merges {
		if strings.Count(merge, " ") != 1 {
			return fmt.Errorf("tokenizer.ggml.merges: entry %d is %.60q, want two pieces", i, merge)
		}
	}
	name, err := v.m.Text("tokenizer.ggml.pre")
	if errors.Is(err, gguf.ErrMissing) {
		name, err = "default", nil
	}
	if err != nil {
		return err
	}
	cut, ok := cutters[name]
	if !ok {
		return fmt.Errorf("%w (tokenizer.ggml.pre is %.40q; supported are %s)", ErrUnsupported, name, strings.Join(slices.Sorted(maps.Keys(cutters)), ", "))
	}
	byteLevel := func(regex bool) object {
		return object{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": regex}
	}
	file["normalizer"] = nil
	if cut.nfc {
		file["normalizer"] = object{"type": "NFC"}
	}
	switch {
	case cut.pattern != "":
		split := object{"type": "Split", "pattern": object{"Regex": cut.pattern}, "behavior": "Isolated", "invert": false}
		file["pre_tokenizer"] = object{"type": "Sequence", "pretokenizers": []object{split, byteLevel(false)}}
	case cut.digits:
		file["pre_tokenizer"] = object{"type": "Sequence", "pretokenizers": []object{{"type": "Digits", "individual_digits": true}, byteLevel(true)}}
	default:
		file["pre_tokenizer"] = byteLevel(true)
	}
	file["decoder"] = byteLevel(true)
	file["model"] = object{
		"type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil, "end_of_word_suffix": nil, "fuse_unk": false, "byte_fallback": false,
		"ignore_merges": cut.whole, "vocab": v.ids(), "merges": merges,
	}
	return nil
}

// cutter is how texts are cut before BPE.
type cutter struct {
	pattern string // "" is GPT-2's
	digits  bool   // each digit for itself, then GPT-2's
	whole   bool   // a piece that is a token is not merged
	nfc     bool
}

// The patterns of OpenAI's cl100k family, with up to three digits, or one.
const (
	threeDigits = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	oneDigit    = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// cutters are llama.cpp's names.
var cutters = map[string]cutter{
	"default": {}, "gpt-2": {}, "smollm": {digits: true}, "starcoder": {digits: true}, "refact": {digits: true}, "command-r": {digits: true},
	"llama-bpe": {pattern: threeDigits, whole: true}, "llama3": {pattern: threeDigits, whole: true}, "llama-v3": {pattern: threeDigits, whole: true},
	"qwen2": {pattern: oneDigit, nfc: true}, "deepseek-r1-qwen": {pattern: oneDigit, nfc: true}, "stablelm2": {pattern: oneDigit},
}

// flag is a setting, and what it is if the file does not say.
func (v *vocabulary) flag(name string, missing bool) bool {
	b, err := v.m.Bool("tokenizer.ggml." + name)
	if err != nil {
		return missing
	}
	return b
}

// token is the text of a special token.
func (v *vocabulary) token(name string) (string, int, bool) {
	id, err := v.m.Int("tokenizer.ggml." + name + "_token_id")
	if err != nil || id < 0 || id >= int64(len(v.tokens)) {
		return "", 0, false
	}
	return v.tokens[id], int(id), true
}

// post adds the tokens that the model wants around a text.
func (v *vocabulary) post() any {
	spm := false
	if kind, err := v.m.Text("tokenizer.ggml.model"); err == nil {
		spm = kind == "llama"
	}
	single := []object{{"Sequence": object{"id": "A", "type_id": 0}}}
	special := object{}
	add := func(name string, missing bool) (object, bool) {
		text, id, ok := v.token(name)
		if !ok || !v.flag("add_"+name+"_token", missing) {
			return nil, false
		}
		special[text] = object{"id": text, "ids": []int{id}, "tokens": []string{text}}
		return object{"SpecialToken": object{"id": text, "type_id": 0}}, true
	}
	if bos, ok := add("bos", spm); ok {
		single = append([]object{bos}, single...)
	}
	if eos, ok := add("eos", false); ok {
		single = append(single, eos)
	}
	if len(special) == 0 {
		return nil
	}
	second := object{"Sequence": object{"id": "B", "type_id": 1}}
	return object{"type": "TemplateProcessing", "single": single, "pair": append(slices.Clone(single), second), "special_tokens": special}
}

// Config is what a tokenizer_config.json says of the vocabulary: special tokens by
// name and the chat template.
func Config(m *gguf.Metadata) ([]byte, error) {
	v, err := read(m)
	if err != nil {
		return nil, err
	}
	c := object{"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": false}
	for name, key := range map[string]string{"bos": "bos_token", "eos": "eos_token", "unknown": "unk_token", "padding": "pad_token"} {
		if text, _, ok := v.token(name); ok {
			c[key] = text
		}
	}
	if template, err := m.Text("tokenizer.chat_template"); err == nil {
		c["chat_template"] = template
	}
	out, err := encode(c)
	return out, err
}
