package tokenizer

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aries-serpent/codexml/internal/testkit"
)

// readLines decodes a file with a JSON value on each line.
func readLines[T any](tb testing.TB, path string) []T {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	var values []T
	for decoder := json.NewDecoder(bytes.NewReader(data)); decoder.More(); {
		var v T
		if err := decoder.Decode(&v); err != nil {
			tb.Fatalf("%s: %v", path, err)
		}
		values = append(values, v)
	}
	return values
}

// load reads a tokenizer of testdata/train.
func load(tb testing.TB, name string) *Pipeline {
	tb.Helper()
	t, err := Load(filepath.Join("testdata", "train", name+".json"))
	if err != nil {
		tb.Fatal(err)
	}
	return t.(*Pipeline)
}

// names are the tokenizers in testdata/train.
func names(tb testing.TB) []string {
	var names []string
	for _, path := range testkit.Cases(tb, "testdata/train", ".json") {
		names = append(names, strings.TrimSuffix(filepath.Base(path), ".json"))
	}
	return names
}

func TestEncodeEqualsTheOriginal(t *testing.T) {
	texts := readLines[string](t, "testdata/strings.jsonl")
	for _, name := range names(t) {
		tok := load(t, name)
		want := readLines[[]int32](t, "testdata/ids/"+name+".jsonl")
		if len(want) != len(texts) {
			t.Fatalf("%s: ids of %d texts, want %d", name, len(want), len(texts))
		}
		for range 2 { // without and with what the cache has learned
			for i, text := range texts {
				if got := tok.Encode(nil, []byte(text)); !slices.Equal(got, want[i]) {
					t.Errorf("%s: ids of %.80q\n got  %v\n want %v", name, text, got, want[i])
				}
			}
		}
	}
}

// Whatever the bytes, decoding gives them back.
func TestDecodeGivesTheTextBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, name := range names(t) {
		tok := load(t, name)
		for n := range 300 {
			text := make([]byte, n)
			for i := range text {
				text[i] = byte(rng.IntN(256) >> rng.IntN(2))
			}
			if got := tok.Decode(nil, tok.Encode(nil, text)); !bytes.Equal(got, text) {
				t.Fatalf("%s: %q came back as %q", name, text, got)
			}
		}
	}
}

func TestAppendsToWhatIsThere(t *testing.T) {
	tok := load(t, "go-700")
	ids := tok.Encode([]int32{7}, []byte("func main"))
	if ids[0] != 7 || len(ids) < 2 {
		t.Errorf("Encode appended to [7] gives %v", ids)
	}
	if got := tok.Decode([]byte("x: "), ids[1:]); string(got) != "x: func main" {
		t.Errorf("Decode appended to %q gives %q", "x: ", got)
	}
}

// Special tokens have ids but no text, and text never makes one.
func TestSpecialsHaveNoText(t *testing.T) {
	tok := load(t, "go-700")
	for i, want := range DefaultSpecials() {
		if id, ok := tok.ID(want); !ok || id != int32(i) || tok.Piece(id) != want {
			t.Errorf("ID(%q) = %d, %v and Piece of that = %q, want %d", want, id, ok, tok.Piece(id), i)
		}
	}
	pad, _ := tok.PAD()
	bos, _ := tok.BOS()
	eos, ok := tok.EOS()
	if pad != 0 || bos != 2 || eos != 3 || !ok {
		t.Errorf("PAD, BOS, EOS = %d, %d, %d, want 0, 2, 3", pad, bos, eos)
	}
	ids := []int32{2, 1, 0, -1, 1 << 30, 3}
	if got := tok.Decode(nil, ids); len(got) != 0 {
		t.Errorf("special tokens and unknown ids decode to %q, want nothing", got)
	}
	for _, id := range tok.Encode(nil, []byte("[PAD][EOS] [BOS]")) {
		if id < 4 {
			t.Errorf("the text forged the special token %q", tok.Piece(id))
		}
	}
}

func TestByteLengths(t *testing.T) {
	tok := load(t, "unicode-900")
	lengths := tok.ByteLengths()
	if len(lengths) != tok.VocabSize() {
		t.Fatalf("%d lengths, want %d", len(lengths), tok.VocabSize())
	}
	for id, n := range lengths {
		if got := len(tok.Decode(nil, []int32{int32(id)})); got != int(n) {
			t.Errorf("id %d has %d bytes, the table says %d", id, got, n)
		}
	}
}

func TestPieceAndID(t *testing.T) {
	tok := load(t, "ties-700")
	for id := range int32(tok.VocabSize()) {
		if got, ok := tok.ID(tok.Piece(id)); !ok || got != id {
			t.Errorf("ID(Piece(%d)) = %d, %v", id, got, ok)
		}
	}
	if id, ok := tok.ID("no such piece"); ok {
		t.Errorf("ID of an unknown piece is %d", id)
	}
	if got := tok.Piece(-1) + tok.Piece(int32(tok.VocabSize())); got != "" {
		t.Errorf("Piece of unknown ids is %q", got)
	}
}

// Callers that share one cache, and quarrel over its slots, get the same ids.
func TestEncodeIsSafeForConcurrentUse(t *testing.T) {
	tok := load(t, "go-700")
	rng := rand.New(rand.NewPCG(7, 8))
	var text []byte
	for range 40000 { // more pieces than there are slots
		text = append(text, ' ')
		for range 1 + rng.IntN(7) {
			text = append(text, "abcdefghijklmnop"[rng.IntN(16)])
		}
	}
	want := load(t, "go-700").Encode(nil, text)
	var wait sync.WaitGroup
	for i := range 4 {
		wait.Go(func() {
			at := len(text) / 4 * i
			for text[at] != ' ' {
				at++
			}
			got := append(tok.Encode(nil, text[:at]), tok.Encode(nil, text[at:])...)
			if !slices.Equal(got, want) {
				t.Errorf("goroutine %d got other ids", i)
			}
		})
	}
	wait.Wait()
}

func TestEncodeAllocatesNothing(t *testing.T) {
	tok := load(t, "go-700")
	text := []byte(strings.Repeat("func (t *T) Run() { return \u00e9\u4e16 }\n", 50) + strings.Repeat("-", 500) + strings.Repeat("x", 40))
	ids := tok.Encode(nil, text)
	var back []byte
	back = tok.Decode(back, ids)
	if n := testing.AllocsPerRun(20, func() { ids = tok.Encode(ids[:0], text) }); n != 0 {
		t.Errorf("Encode allocates %v times, want 0", n)
	}
	if n := testing.AllocsPerRun(20, func() { back = tok.Decode(back[:0], ids) }); n != 0 {
		t.Errorf("Decode allocates %v times, want 0", n)
	}
}

func BenchmarkEncode(b *testing.B) {
	text := []byte(strings.Join(readLines[string](b, "testdata/train/go-700.jsonl"), "\n"))
	tok := load(b, "go-700")
	ids := tok.Encode(nil, text)
	b.Run("warm", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			ids = tok.Encode(ids[:0], text)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		var back []byte
		for b.Loop() {
			back = tok.Decode(back[:0], ids)
		}
	})
}
