package tiktoken

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/internal/testkit"
	"github.com/aries-serpent/codexml/tokenizer/bpe"
	"github.com/aries-serpent/codexml/tokenizer/regex"
)

// encode encodes text without special tokens.
func encode(p *Parts, scan regex.Scanner, text []byte) []int32 {
	var ids []int32
	for i := 0; i < len(text); {
		end := scan(text, i)
		ids = p.Model.AppendIDs(ids, text[i:end])
		i = end
	}
	return ids
}

func readLines[T any](t *testing.T, path string) (values []T) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(bytes.NewReader(data)); d.More(); {
		var v T
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	return values
}

func TestIDsEqualTheOriginals(t *testing.T) {
	texts := readLines[string](t, "../testdata/strings.jsonl")
	for _, path := range testkit.Cases(t, "testdata", ".tiktoken") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !IsRanks(data) || IsTekken(data) {
			t.Errorf("%s is not taken for a rank file", path)
		}
		p, err := Parse(path, data, "")
		if err != nil {
			t.Fatal(err)
		}
		scan := regex.MustCompile(p.Pattern).Scanner()
		for i, want := range readLines[[]int32](t, strings.TrimSuffix(path, ".tiktoken")+".ids") {
			for range 2 {
				if got := encode(p, scan, []byte(texts[i])); !slices.Equal(got, want) {
					t.Errorf("%s: ids of %.80q\n got  %v\n want %v", path, texts[i], got, want)
				}
			}
		}
	}
}

// slowRanks merges a piece by the definition.
func slowRanks(rank func(text []byte) (int32, bool), piece []byte) (ids []int32) {
	var ends []int
	for i := range piece {
		ends = append(ends, i+1)
	}
	start := func(i int) int {
		if i == 0 {
			return 0
		}
		return ends[i-1]
	}
	for len(ends) > 1 {
		at, best := -1, int32(0)
		for i := range len(ends) - 1 {
			if r, ok := rank(piece[start(i):ends[i+1]]); ok && (at < 0 || r < best) {
				at, best = i, r
			}
		}
		if at < 0 {
			break
		}
		ends = slices.Delete(ends, at, at+1)
	}
	for i := range ends {
		id, _ := rank(piece[start(i):ends[i]])
		ids = append(ids, id)
	}
	return ids
}

// tinyRanks are the bytes and some pieces with ties among the ways to make them.
func tinyRanks() string {
	var file strings.Builder
	n := 0
	for b := range bpe.NumBytes {
		fmt.Fprintf(&file, "%s %d\n", base64.StdEncoding.EncodeToString([]byte{byte(b)}), n)
		n++
	}
	for _, s := range strings.Fields("aa ab aba ba aaa abab bb aab aaaa baab abba") {
		fmt.Fprintf(&file, "%s %d\n", base64.StdEncoding.EncodeToString([]byte(s)), n)
		n++
	}
	return file.String()
}

func TestMergesByRankOfTheJoined(t *testing.T) {
	p, err := Parse("x", []byte(tinyRanks()), "r50k_base")
	if err != nil {
		t.Fatal(err)
	}
	vocab := p.Model.Config().Vocabulary
	rank := func(text []byte) (int32, bool) { return vocab.ID(bpe.AppendWritten(nil, text)) }
	for n := range 1 << 13 {
		piece := []byte(strings.NewReplacer("0", "a", "1", "b").Replace(fmt.Sprintf("%b", n+2)))
		want := slowRanks(rank, piece)
		if id, ok := rank(piece); ok {
			want = []int32{id}
		}
		if got := p.Model.AppendIDs(nil, piece); !slices.Equal(got, want) {
			t.Fatalf("ids of %q are %v, want %v", piece, got, want)
		}
	}
}

func TestTekken(t *testing.T) {
	var vocab []string
	for i, line := range strings.Split(strings.TrimSpace(tinyRanks()), "\n") {
		token, _, _ := strings.Cut(line, " ")
		vocab = append(vocab, fmt.Sprintf(`{"rank": %d, "token_bytes": %q, "token_str": null}`, i, token))
	}
	file := `{"config": {"pattern": "[a-z]+|[^a-z]", "num_vocab_tokens": 267, "default_vocab_size": 276, "default_num_special_tokens": 10, "version": "v3"},
		"vocab": [` + strings.Join(vocab, ",") + `]}`
	p, err := ParseTekken("tekken.json", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Model.AppendIDs(nil, []byte("aab")); !IsTekken([]byte(file)) || !slices.Equal(got, []int32{10 + 256 + 7}) {
		t.Errorf("ids %v, want [273]", got)
	}
	if p.Specials[2] != (Special{"</s>", 2}) || p.Size != 276 {
		t.Errorf("special 2 is %v of %d ids", p.Specials[2], p.Size)
	}
	if _, ok := p.Model.Config().Vocabulary.ID([]byte("abba")); ok {
		t.Error("a rank beyond the default size has an id")
	}
	for old, new := range map[string]string{`"pattern": "[a-z]+|[^a-z]", `: "", `"default_vocab_size": 276`: `"default_vocab_size": 9`, `"rank": 5,`: `"rank": 6,`} {
		if _, err := ParseTekken("x", []byte(strings.Replace(file, old, new, 1))); err == nil {
			t.Errorf("%s for %s: no error", new, old)
		}
	}
}

func TestParseRejects(t *testing.T) {
	for file, want := range map[string]string{
		"":                       "a rank file does not say how text is cut",
		"YQ==":                   "line 1: want a piece in base64, a space and its rank",
		"YQ== 0\n!! 1":           `line 2: want a piece in base64, got "!!"`,
		"YQ== x":                 "want a rank",
		"YQ== 99999":             "the rank is 99999, want less than",
		"YQ== 0\nYg== 0":         "the rank 0 is there twice",
		tinyRanks() + "YWE= 300": "has two ids, 256 and 300",
	} {
		encoding := "r50k_base"
		if file == "" {
			encoding = ""
		}
		if _, err := Parse("x", []byte(file), encoding); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := Parse("x", []byte("YQ== 0"), "r50k_base"); err == nil || !strings.Contains(err.Error(), "no piece for byte 0x00") {
		t.Errorf("got %v", err)
	}
	if _, err := Parse("x", nil, "x50k"); err == nil || !strings.Contains(err.Error(), "want one of r50k_base") {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(tinyRanks()))
	f.Add([]byte(`{"config": {"pattern": ".", "default_vocab_size": 4, "default_num_special_tokens": 1}, "vocab": [{"rank": 0, "token_bytes": "YQ=="}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := Parse("x", data, "gpt2"); err == nil {
			p.Model.AppendIDs(nil, []byte("some text"))
		}
		ParseTekken("x", data)
	})
}
