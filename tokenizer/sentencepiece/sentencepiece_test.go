package sentencepiece

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	format "github.com/aries-serpent/codexml/format/sentencepiece"
	"github.com/aries-serpent/codexml/internal/testkit"
)

// expected is what the original makes of a text.
type expected struct {
	IDs   []int32  `json:"ids"`
	Spans [][2]int `json:"spans"`
	Text  string   `json:"text"` // hex
}

func decodeBase64(tb testing.TB, path string) []byte {
	tb.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	data, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(text)))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func readLines[T any](tb testing.TB, path string) []T {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	return scanLines[T](tb, f)
}

func scanLines[T any](tb testing.TB, r io.Reader) (values []T) {
	tb.Helper()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<30)
	for lines.Scan() {
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			tb.Fatal(err)
		}
		values = append(values, v)
	}
	return values
}

func inputs(tb testing.TB) [][]byte {
	var texts [][]byte
	for _, line := range readLines[string](tb, "testdata/inputs.jsonl") {
		text, err := hex.DecodeString(line)
		if err != nil {
			tb.Fatal(err)
		}
		texts = append(texts, text)
	}
	return texts
}

// check compares a text's ids, spans and decoded text.
func check(tb testing.TB, t *Tokenizer, text []byte, want expected) bool {
	tb.Helper()
	if got := t.Encode(nil, text); !slices.Equal(got, want.IDs) {
		tb.Errorf("%.300q: ids\n got %v\nwant %v", text, got, want.IDs)
		return false
	}
	ids, spans := t.EncodeSpans(nil, nil, text)
	if !slices.Equal(ids, want.IDs) {
		tb.Errorf("%.300q: EncodeSpans gives ids %v, want %v", text, ids, want.IDs)
		return false
	}
	for i, s := range want.Spans {
		if spans[i] != (Span{s[0], s[1]}) {
			tb.Errorf("%.300q: id %d is at %v, want %v", text, i, spans[i], s)
			return false
		}
	}
	if got := hex.EncodeToString(t.Decode(nil, ids)); got != want.Text {
		tb.Errorf("%.300q: decoded\n got %s\nwant %s", text, got, want.Text)
		return false
	}
	return true
}

// Ids, spans and decoded text are the original's, for every type of model.
func TestOriginal(t *testing.T) {
	texts := inputs(t)
	paths, err := filepath.Glob("testdata/*.model.b64")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no models: %v", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".model.b64")
		t.Run(name, func(t *testing.T) {
			data := decodeBase64(t, path)
			tok, err := Parse(name, data)
			if err != nil {
				t.Fatal(err)
			}
			want := readLines[expected](t, "testdata/"+name+".jsonl")
			if len(want) != len(texts) {
				t.Fatalf("%d texts, %d results", len(texts), len(want))
			}
			for range 2 { // with nothing and with all remembered
				for i, text := range texts {
					check(t, tok, text, want[i])
				}
			}
			if got := tok.Model().Append(nil); !bytes.Equal(got, data) {
				t.Errorf("the file written again has %d bytes, want the same %d", len(got), len(data))
			}
		})
	}
}

func load(tb testing.TB, name string) *Tokenizer {
	tb.Helper()
	tok, err := Parse(name, decodeBase64(tb, "testdata/"+name+".model.b64"))
	if err != nil {
		tb.Fatal(err)
	}
	return tok
}

func TestConcurrent(t *testing.T) {
	for _, name := range []string{"unigram-bytes", "bpe-bytes", "bpe-unused"} {
		tok, texts := load(t, name), inputs(t)
		var want [][]int32
		for _, text := range texts {
			want = append(want, tok.Encode(nil, text))
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for i, text := range texts {
					if got := tok.Encode(nil, text); !slices.Equal(got, want[i]) {
						t.Errorf("%s: %q: %v, want %v", name, text, got, want[i])
					}
				}
			})
		}
		wg.Wait()
	}
}

func TestAllocs(t *testing.T) {
	text := bytes.Repeat([]byte("She sells seashells by the seashore. "), 50)
	for _, name := range []string{"unigram", "unigram-bytes", "bpe", "char", "word"} {
		tok := load(t, name)
		ids := tok.Encode(nil, text)
		if n := testkit.SteadyAllocs(func() { ids = tok.Encode(ids[:0], text) }); n > 0 {
			t.Errorf("%s: Encode allocates %v times", name, n)
		}
	}
}

func TestRejects(t *testing.T) {
	piece := func(text string, typ format.Type) format.Piece { return format.Piece{Text: text, Type: typ} }
	unk := piece("<unk>", format.Unknown)
	f := func(want string, change func(m *format.Model)) {
		t.Helper()
		m := format.New()
		m.Pieces = []format.Piece{unk, piece("a", format.Normal)}
		change(m)
		if _, err := New(m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want one with %q", err, want)
		}
	}
	f("no piece is of type UNKNOWN", func(m *format.Model) { m.Pieces = m.Pieces[1:] })
	f("both of type UNKNOWN", func(m *format.Model) { m.Pieces = append(m.Pieces, piece("x", format.Unknown)) })
	f("is piece 1 too", func(m *format.Model) { m.Pieces = append(m.Pieces, piece("a", format.UserDefined)) })
	f("is piece 0 too", func(m *format.Model) {
		m.Trainer.ModelType = format.BPE
		m.Pieces = append(m.Pieces, piece("<unk>", format.Normal))
	})
	f("byte_fallback to be set", func(m *format.Model) { m.Pieces = append(m.Pieces, piece("<0x41>", format.Byte)) })
	f("no piece <0x00>", func(m *format.Model) { m.Trainer.ByteFallback = true })
	f("zero byte", func(m *format.Model) { m.Pieces = append(m.Pieces, piece("a\x00", format.Normal)) })
	f("want less than 8000", func(m *format.Model) { m.Pieces = append(m.Pieces, piece(strings.Repeat("x", 8000), format.Normal)) })
	f("charsmap", func(m *format.Model) { m.Normalizer.PrecompiledCharsmap = []byte{1, 2, 3} })
	f("nothing could be encoded", func(m *format.Model) { m.Pieces = m.Pieces[:1] })
}

// Whatever a file holds, it is refused or it encodes.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"unigram", "bpe-unused", "word"} {
		f.Add(decodeBase64(f, "testdata/"+name+".model.b64"), []byte("a girl  saw\xffme"))
	}
	f.Fuzz(func(t *testing.T, data, text []byte) {
		tok, err := Parse("fuzzed", data)
		if err != nil {
			return
		}
		ids, spans := tok.EncodeSpans(nil, nil, text)
		if !slices.Equal(ids, tok.Encode(nil, text)) {
			t.Fatal("Encode and EncodeSpans differ")
		}
		for _, s := range spans {
			if s.Start < 0 || s.Start > s.End || s.End > len(text) {
				t.Fatalf("span %v in %d bytes", s, len(text))
			}
		}
		tok.Decode(nil, ids)
	})
}
