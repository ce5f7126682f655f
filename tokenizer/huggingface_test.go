package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/tokenizer/bpe"
)

// smallFile is a whole tokenizer.json, in the older form in parts: " a" and "aa".
var smallFile = func() string {
	vocab := []string{`"[EOS]": 0`}
	for _, b := range bpe.ByteOrder {
		vocab = append(vocab, fmt.Sprintf("%s: %d", appendQuoted(nil, bpe.AppendWritten(nil, []byte{b})), len(vocab)))
	}
	vocab = append(vocab, `"\u0120a": 257`, `"aa": 258`)
	return `{
  "version": "1.0",
  "truncation": null,
  "padding": null,
  "added_tokens": [
    {"id": 0, "content": "[EOS]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": true, "special": true},
    {"id": 259, "content": "[MORE]", "special": true}
  ],
  "normalizer": null,
  "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
  "post_processor": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false},
  "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
  "model": {
    "type": "BPE", "dropout": null, "unk_token": "[EOS]", "continuing_subword_prefix": "", "end_of_word_suffix": "",
    "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
    "merges": ["\u0120 a", ["a", "a"]],
    "vocab": {` + strings.Join(vocab, ", ") + `}
  }
}`
}()

func TestParseReadsOlderFiles(t *testing.T) {
	tok, err := Parse("small", []byte(smallFile))
	if err != nil {
		t.Fatal(err)
	}
	if n := tok.VocabSize(); n != 260 {
		t.Errorf("%d pieces, want 260", n)
	}
	if got := fmt.Sprint(tok.Encode(nil, []byte("aaa aa"))); got != "[258 65 257 65]" {
		t.Errorf("ids %s, want [258 65 257 65]", got)
	}
	if got := tok.Piece(259); got != "[MORE]" {
		t.Errorf("piece 259 is %q, want the added token", got)
	}
	if _, ok := tok.BOS(); ok {
		t.Error("there is a BOS")
	}
}

// replace makes one change to smallFile.
func replace(tb testing.TB, old, new string) string {
	if strings.Count(smallFile, old) != 1 {
		tb.Fatalf("%q is %d times in the file, want once", old, strings.Count(smallFile, old))
	}
	return strings.Replace(smallFile, old, new, 1)
}

func TestParseRejects(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{`"1.0"`, `"2.0"`, `line 2, column 14: version: want "1.0", got "2.0"`},
		{`"truncation": null`, `"truncation": {"max_length": 5, "strategy": "Longest"}`, `truncation.strategy: want one of LongestFirst, OnlyFirst, OnlySecond, got "Longest"`},
		{`"padding": null`, `"padding": true`, `padding: want an object, got true`},
		{`"normalizer": null`, `"normalizer": {"type": "NFQ"}`, `normalizer: the normalizer "NFQ" is unknown: want one of BertNormalizer, ByteLevel,`},
		{`"normalizer": null`, `"normaliser": null`, `the key "normaliser" is unknown`},
		{`"normalizer": null`, `"version": "1.0"`, `version: the key is given twice`},
		{`{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true}`, `{"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated"}`, `pre_tokenizer.pattern.Regex: `},
		{`"add_prefix_space": false`, `"prefix": true`, `pre_tokenizer: the key "prefix" is unknown`},
		{`"trim_offsets": true}`, `"use_regex": 1}`, `pre_tokenizer.use_regex: want true or false, got 1`},
		{`{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false}`, `{"type": "TemplateProcessing"}`, `post_processor: the key "single" is missing`},
		{`"type": "BPE"`, `"type": "Trigram"`, `model: the model "Trigram" is unknown: want one of [BPE Unigram WordLevel WordPiece]`},
		{`"dropout": null`, `"dropout": 0.1`, `model.dropout: dropout makes ids random`},
		{`"ignore_merges": false`, `"ignore_merges": null`, `model.ignore_merges: want true or false, got null`},
		{`"end_of_word_suffix": ""`, `"end_of_word_suffix": 5`, `model.end_of_word_suffix: want a string, got 5`},
		{`"unk_token": "[EOS]"`, `"unk_token": "[X]"`, `model.unk_token: "[X]" is not in the vocabulary`},
		{`"rstrip": false`, `"rstrip": 0`, `added_tokens.rstrip: want true or false, got 0`},
		{`"[MORE]", "special": true`, `"[MORE]", "specials": false`, `added_tokens: the key "specials" is unknown`},
		{`"id": 259`, `"id": 26100`, `added_tokens: the id 26100 is out of range: want less than`},
		{`"id": 259`, `"id": 258`, `added_tokens: the token "[MORE]" has the id 258, which is that of "aa"`},
		{`"[MORE]"`, `"aa"`, `the piece "aa" has two ids, 258 and 259`},
		{`"[MORE]"`, `""`, `added_tokens.content: want a string that is not empty, got ""`},
		{`"aa": 258`, `"aa": 257`, `model.vocab: the id 257 is given twice, the second time to "aa"`},
		{`"aa": 258`, `"aa": 2147483648`, `model.vocab: want an id: an integer from 0 to 2147483647, got 2147483648`},
		{`"aa": 258`, `"aa": -1`, `want an id`},
		{`"aa": 258`, `"aa": 1e2`, `want an id`},
		{`"aa": 258`, `"aa": 0258`, `want an id`},
		{`"aa": 258`, `"\u0120a": 258`, "the piece \"\u0120a\" has two ids, 257 and 258"},
		{`"aa": 258`, `"ab": 258`, `model.merges: merge 1 needs the piece "aa", which is not in the vocabulary`},
		{`["a", "a"]`, `["a", "zz"]`, `merge 1 needs the piece "zz"`},
		{`["a", "a"]`, `["a"]`, `model.merges: want a merge of two pieces, got 1`},
		{`["a", "a"]`, `"aa"`, `want a merge of two pieces with a space between`},
		{`["a", "a"]`, `["a", 1]`, `model.merges: want a string, got 1`},
		{`"[MORE]", "special"`, `"[\ud800]", "special"`, `half of a surrogate pair`},
		{`"[MORE]", "special"`, "\"\xff\", \"special\"", `the string is not UTF-8`},
		{`"[MORE]", "special"`, "\"a\nb\", \"special\"", `a control character in a string`},
		{`"id": 259, "content": "[MORE]"`, `"id": 65, "content": "a"`, `the special token "a" is the writing of byte 0x61`},
		{`"id": 259, "content": "[MORE]"`, `"id": 258, "content": "aa"`, `merge 1 makes the special token "aa"`},
	} {
		_, err := Parse("f.json", []byte(replace(t, c.old, c.new)))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "load tokenizer f.json: ") {
			t.Errorf("%s -> %s:\n got  %v\n want %s", c.old, c.new, err, c.want)
		}
	}
}

// Any part of a file alone is an error, and no panic.
func TestParseRejectsTruncatedFiles(t *testing.T) {
	for n := range len(smallFile) {
		if _, err := Parse("f.json", []byte(smallFile[:n])); err == nil {
			t.Fatalf("the first %d bytes are accepted", n)
		}
	}
	for _, tail := range []string{"x", "{}", "\x00"} {
		if _, err := Parse("f.json", []byte(smallFile+tail)); err == nil {
			t.Errorf("%q after the end is accepted", tail)
		}
	}
}

func TestLoadRejects(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "none.json")); !os.IsNotExist(unwrap(err)) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "name the tokenizer's file") {
		t.Errorf("a folder: %v", err)
	}
	large := filepath.Join(dir, "large.json")
	if err := os.WriteFile(large, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, maxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(large); err == nil || !strings.Contains(err.Error(), "is it a tokenizer.json?") {
		t.Errorf("a file too large: %v", err)
	}
}

// unwrap returns the innermost error.
func unwrap(err error) error {
	for {
		inner, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err
		}
		err = inner.Unwrap()
	}
}

func TestSaveWritesWhatWasLoaded(t *testing.T) {
	for _, name := range names(t) {
		tok := load(t, name)
		path := filepath.Join(t.TempDir(), "tokenizer.json")
		if err := tok.Save(path); err != nil {
			t.Fatal(err)
		}
		again, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if again.SHA256() != tok.SHA256() || !bytes.Equal(again.(*Pipeline).file, tok.file) {
			t.Errorf("%s: another file was saved than loaded", name)
		}
	}
	tok := load(t, "small-4096")
	if err := tok.Save(filepath.Join(t.TempDir(), "no", "folder")); err == nil {
		t.Error("saving into a folder that is not there gives no error")
	}
}

// The memory taken is bounded by the file's size, however small its entries are.
func TestParseAllocatesInProportion(t *testing.T) {
	var pieces, merges []string
	for i := range 1 << 16 {
		pieces = append(pieces, fmt.Sprintf(`"\u%04x":%d`, i/2+0x100, i))
		merges = append(merges, `"a b"`)
	}
	token := strings.Repeat(`{"id":1,"content":"a","special":true},`, 1<<14) + `{"id":1,"content":"a","special":true}`
	parts := `"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"decoder":{"type":"ByteLevel","add_prefix_space":false}`
	for name, file := range map[string]string{
		"a real file": string(load(t, "unicode-900").file),
		"merges":      replace(t, `["a", "a"]`, strings.Repeat(`["a","a"],`, 1<<16)+`["a","a"]`),
		"pieces":      `{` + parts + `,"model":{"type":"BPE","vocab":{` + strings.Join(pieces, ",") + `},"merges":[` + strings.Join(merges, ",") + `]}}`,
		"tokens":      `{` + parts + `,"added_tokens":[` + token + `],"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}`,
	} {
		data := []byte(file)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = Parse(name, data)
		runtime.ReadMemStats(&after)
		if got, most := after.TotalAlloc-before.TotalAlloc, uint64(4*len(data)+64<<10); got > most {
			t.Errorf("%s: %d bytes allocated for a file of %d, want at most %d", name, got, len(data), most)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(smallFile))
	f.Add(load(f, "small-4096").file)
	f.Fuzz(func(t *testing.T, data []byte) {
		tok, err := Parse("fuzz", data)
		if err != nil {
			return
		}
		if !json.Valid(data) {
			t.Error("accepted what is not JSON")
		}
		text := []byte("some text, aaa\xff\n")
		if got := tok.Decode(nil, tok.Encode(nil, text)); !bytes.Equal(got, text) && !strangeBytes(tok) {
			t.Errorf("%q came back as %q", text, got)
		}
	})
}

// strangeBytes says whether some piece is not written in the byte alphabet.
func strangeBytes(tok Tokenizer) bool {
	for id := range int32(tok.VocabSize()) {
		for _, r := range tok.Piece(id) {
			if _, ok := bpe.ByteOf(r); !ok {
				return true
			}
		}
	}
	return false
}

// What is read is what encoding/json reads.
func FuzzString(f *testing.F) {
	for _, s := range []string{`"a"`, `"\u00e9\ud83d\ude00\n\"\\\/"`, `"\ud800"`, "\"\u00e9", `"\x"`, `"\u12"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := jsonReader{data: data}
		got := string(r.str())
		r.end()
		if r.err != nil {
			return
		}
		var want string
		if err := json.Unmarshal(data, &want); err != nil || got != want {
			t.Errorf("%q: %q, want %q, %v", data, got, want, err)
		}
		if quoted := appendQuoted(nil, []byte(got)); json.Unmarshal(quoted, &want) != nil || want != got {
			t.Errorf("%q is written as %s", got, quoted)
		}
	})
}
