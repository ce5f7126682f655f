package data

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"
)

// names are the documents' names, in order.
func names(docs []Document) string {
	var all []string
	for _, d := range docs {
		all = append(all, d.Name)
	}
	return strings.Join(all, " ")
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadFS(t *testing.T) {
	fsys := fstest.MapFS{
		"b.go":              {Data: []byte("package b\n")},
		"a/z.go":            {Data: []byte("package a\r\nvar x\r")},
		"a.txt":             {Data: []byte("\xef\xbb\xbftext")},
		"a/testdata/x.go":   {Data: []byte("package x")},
		".git/config.go":    {Data: []byte("[core]")},
		"empty.go":          {Data: []byte(" \n")},
		"big.go":            {Data: []byte("package big // " + strings.Repeat("x", 100))},
		"image.go":          {Data: []byte("PNG\x00\x01")},
		"latin.go":          {Data: []byte("// caf\xe9")},
		"link.go":           {Data: []byte("b.go"), Mode: fs.ModeSymlink},
		"c/vendor/v/v.go":   {Data: []byte("package v")},
		"c/vendored/ok.go":  {Data: []byte("package ok")},
		"c/vendored/ok.txt": {Data: []byte("ok")},
	}
	c := DefaultConfig()
	c.Exclude = append(c.Exclude, "testdata", "vendor")
	c.Extensions = []string{".go"}
	c.MaxFileBytes = 100
	c.InvalidUTF8 = "skip"
	got, err := ReadFS(fsys, c)
	if err != nil {
		t.Fatal(err)
	}
	if names(got.Documents) != "a/z.go b.go c/vendored/ok.go" {
		t.Errorf("documents: %s", names(got.Documents))
	}
	if text := string(got.Documents[0].Text); text != "package a\nvar x\n" {
		t.Errorf("text: %q", text)
	}
	want := ReadStats{Files: 5, Documents: 3, Bytes: 16 + 10 + 10, Binary: 1, InvalidUTF8: 1, WrongSize: 1, Special: 1, Empty: 1}
	if got.Stats != want {
		t.Errorf("stats: %+v, want %+v", got.Stats, want)
	}

	c.Extensions, c.MaxFileBytes, c.SkipEmpty, c.NewlineNormalization = nil, 0, false, "windows"
	got, err = ReadFS(fsys, c)
	if err != nil {
		t.Fatal(err)
	}
	if want := "a.txt a/z.go b.go big.go c/vendored/ok.go c/vendored/ok.txt empty.go"; names(got.Documents) != want {
		t.Errorf("documents: %s, want %s", names(got.Documents), want)
	}
	if text := string(got.Documents[0].Text) + string(got.Documents[2].Text); text != "textpackage b\r\n" {
		t.Errorf("text: %q", text)
	}
}

func TestReadFSShardsAndLimits(t *testing.T) {
	fsys := fstest.MapFS{}
	for i := range 10 {
		fsys[fmt.Sprintf("%d.txt", i)] = &fstest.MapFile{Data: []byte{byte('a' + i)}}
	}
	f := func(shard Shard, items int, want string) {
		t.Helper()
		c := DefaultConfig()
		c.Shard, c.MaxItems = shard, items
		got, err := ReadFS(fsys, c)
		if err != nil {
			t.Fatal(err)
		}
		if names(got.Documents) != want || got.Stats.Documents != len(got.Documents) {
			t.Errorf("%v %d: got %s, %+v, want %s", shard, items, names(got.Documents), got.Stats, want)
		}
	}
	f(Shard{0, 1}, 3, "0.txt 1.txt 2.txt")
	f(Shard{1, 3}, 0, "1.txt 4.txt 7.txt")
	f(Shard{2, 3}, 2, "2.txt 5.txt")
}

func TestInvalidUTF8(t *testing.T) {
	fsys := fstest.MapFS{"x.txt": {Data: []byte("caf\xe9 \xe2\x82\xac \xff\xfe")}}
	f := func(policy, want, wantErr string) {
		t.Helper()
		c := DefaultConfig()
		c.InvalidUTF8 = policy
		got, err := ReadFS(fsys, c)
		if wantErr != "" {
			if err == nil || !strings.Contains(err.Error(), wantErr) {
				t.Errorf("%s: got %v, want %q", policy, err, wantErr)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		if len(got.Documents) > 0 {
			text = string(got.Documents[0].Text)
		}
		if text != want {
			t.Errorf("%s: got %q, want %q", policy, text, want)
		}
	}
	f("skip", "", "")
	f("keep", "caf\xe9 \xe2\x82\xac \xff\xfe", "")
	f("replace", "caf\uFFFD \u20ac \uFFFD", "")
	f("latin-1", "caf\u00e9 \u00e2\u0082\u00ac \u00ff\u00fe", "")
	f("error", "", "x.txt: not UTF-8 at byte 3: set data.invalid_utf8 to skip")
}

func TestReadText(t *testing.T) {
	c := DefaultConfig()
	c.DocumentBytes = 10
	got, err := ReadText(c, write(t, "a.txt", "one\ntwo three four\nfive\n"+strings.Repeat("\u00e9", 20)+"\nend"))
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, d := range got.Documents {
		texts = append(texts, string(d.Text))
	}
	want := []string{"one\ntwo three four\n", "five\n" + strings.Repeat("\u00e9", 7), strings.Repeat("\u00e9", 10), "\u00e9\u00e9\u00e9\nend"}
	if fmt.Sprintf("%q", texts) != fmt.Sprintf("%q", want) {
		t.Errorf("got  %q\nwant %q", texts, want)
	}
	if !strings.HasSuffix(got.Documents[1].Name, "a.txt#1") {
		t.Errorf("name %s", got.Documents[1].Name)
	}
	if _, err := ReadText(c, write(t, "b", "a\x00b")); err == nil || !strings.Contains(err.Error(), "b is binary: it has a zero byte at 1") {
		t.Errorf("binary: %v", err)
	}
	if _, err := ReadText(c, filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

func TestCutJoinsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("ab\n\u00e9\u20ac\U0001F600")), 0, 200, -1).Draw(t, "text")
		size := rapid.IntRange(1, 50).Draw(t, "size")
		joined := ""
		pieces := cut(Document{Text: []byte(text)}, size)
		for i, d := range pieces {
			joined += string(d.Text)
			if i < len(pieces)-1 && (len(d.Text) < size || len(d.Text) > 2*size) {
				t.Errorf("piece %d of %d bytes, want %d to %d", i, len(d.Text), size, 2*size)
			}
			if size > 4 && !strings.HasPrefix(string(d.Text), strings.ToValidUTF8(string(d.Text), "")) {
				t.Errorf("piece %d cuts a character: %q", i, d.Text)
			}
		}
		if joined != text {
			t.Errorf("got %q, want %q", joined, text)
		}
	})
}

func TestReadJSONL(t *testing.T) {
	path := write(t, "x.jsonl", "\xef\xbb\xbf"+`{"text": "one", "content": "no"}
"two\r\nlines"

{"id": 3, "value": "no", "content": "three"}
{"id": 4, "value": "four \u00e9"}
{"body": "five"}
{"text": " "}
`)
	got, err := ReadJSONL(DefaultConfig(), path)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, d := range got.Documents {
		all = append(all, strings.TrimPrefix(d.Name, path)+" "+string(d.Text))
	}
	if want := []string{":1 one", ":2 two\nlines", ":4 three", ":5 four \u00e9", ":6 five"}; fmt.Sprintf("%q", all) != fmt.Sprintf("%q", want) {
		t.Errorf("got %q, want %q", all, want)
	}
	if got.Stats.Files != 1 || got.Stats.Empty != 1 {
		t.Errorf("stats: %+v", got.Stats)
	}
}

func TestReadJSONLRejects(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		path := write(t, "x.jsonl", "\"fine\"\n\n"+line+"\n\"fine\"\nworse\n")
		if _, err := ReadJSONL(DefaultConfig(), path); err == nil || !strings.Contains(err.Error(), path+":3: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", line, err, want)
		}
	}
	f("plain text", "invalid JSON")
	f(`{"text": "cut`, "invalid JSON")
	f(`{"text": "a"} {"text": "b"}`, "invalid JSON")
	f(`{"text": 1}`, "want a string or an object with the text in a field, got number")
	f(`{"text": null}`, "got null")
	f(`null`, "got null")
	f(`["a"]`, "got array")
	f(`{"a": "x", "b": "y"}`, "got an object of 2 fields")
	f(`{}`, "got an object of 0 fields")
	f("\"caf\xe9\"", "not UTF-8 at byte 4")
}

func TestReadJSONLInBlocks(t *testing.T) {
	var text strings.Builder
	line := `"` + strings.Repeat("x", 1000) + "\"\n"
	for range 3 * blockBytes / len(line) {
		text.WriteString(line)
	}
	n := strings.Count(text.String(), "\n")
	path := write(t, "x.ndjson", text.String()+"oops")
	if _, err := Read(path, DefaultConfig()); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("x.ndjson:%d: invalid JSON", n+1)) {
		t.Errorf("got %v, want line %d", err, n+1)
	}
	path = write(t, "x.ndjson", text.String())
	got, err := Read(path, DefaultConfig())
	if err != nil || len(got.Documents) != n || got.Documents[n-1].Name != fmt.Sprintf("%s:%d", path, n) {
		t.Errorf("got %d documents, %v, want %d", len(got.Documents), err, n)
	}
}

func TestReadByFormat(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.jsonl": "\"a\"\n", "b.txt": "b\nb", "sub.jsonl/c.ndjson": "\"c\"\n\"d\"\n"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f := func(path, format, want string) {
		t.Helper()
		c := DefaultConfig()
		c.Format = format
		got, err := Read(filepath.Join(dir, path), c)
		if err != nil {
			t.Fatal(err)
		}
		if all := strings.ReplaceAll(names(got.Documents), dir+string(filepath.Separator), ""); all != want {
			t.Errorf("%s as %s: got %s, want %s", path, format, all, want)
		}
	}
	f(".", "auto", "a.jsonl b.txt sub.jsonl/c.ndjson")
	f(".", "jsonl", "a.jsonl:1 sub.jsonl/c.ndjson:1 sub.jsonl/c.ndjson:2")
	f("sub.jsonl", "auto", "c.ndjson")
	f("a.jsonl", "auto", "a.jsonl:1")
	f("a.jsonl", "text", "a.jsonl")
	f("b.txt", "auto", "b.txt")
	if _, err := Read(write(t, "x.tokens", "x"), DefaultConfig()); err == nil || !strings.Contains(err.Error(), "holds tokens, not text") {
		t.Errorf("tokens: %v", err)
	}
}

func FuzzReadJSONL(f *testing.F) {
	for _, seed := range []string{"\"a\"\n{\"text\":\"b\"}\n", "{\"text\":null}", "\xef\xbb\xbf\n\n", "\"\xff\"", "{\"a\":{\"b\":[1]}}", "\"\\ud800\"\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, policy := range InvalidUTF8Policies {
			c := DefaultConfig()
			c.InvalidUTF8 = policy
			got, err := readJSONL(c, []string{"x"}, func(string) ([]byte, error) { return text, nil })
			if err == nil && len(got.Documents) > len(text) {
				t.Errorf("%d documents of %d bytes", len(got.Documents), len(text))
			}
		}
	})
}
