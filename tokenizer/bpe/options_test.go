package bpe

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
)

// original is a model with options, and what the original makes of pieces: ids and
// where they end.
type original struct {
	Pieces                      []string
	Merges                      [][2]string
	Prefix, Suffix              string
	Missing                     int // the byte without a piece for fallback; -1 for none
	Unk, Fuse, Fallback, Ignore bool
	Cases                       [][2]json.RawMessage
}

func (o *original) model(t *testing.T) *Model {
	t.Helper()
	vocab := NewVocabulary(len(o.Pieces)+NumBytes, 1<<14)
	for i, p := range o.Pieces {
		vocab.Add([]byte(p))
		for b := 0; i == 0 && o.Fallback && b < NumBytes; b++ {
			if b != o.Missing {
				vocab.Add(fmt.Appendf(nil, "<0x%02X>", b))
			}
		}
	}
	c := Config{Vocabulary: vocab, Unknown: -1, FuseUnknown: o.Fuse, ByteFallback: o.Fallback, Prefix: o.Prefix, Suffix: o.Suffix, IgnoreMerges: o.Ignore}
	if o.Unk {
		c.Unknown = 0
	}
	for _, pair := range o.Merges {
		m, err := MergeOf(vocab, []byte(pair[0]), []byte(pair[1]), len(o.Prefix))
		if err != nil {
			t.Fatal(err)
		}
		c.Merges = append(c.Merges, m)
	}
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOptionsEqualTheOriginals(t *testing.T) {
	f, err := os.Open("testdata/options.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	models := 0
	for d := json.NewDecoder(f); d.More(); models++ {
		var o original
		if err := d.Decode(&o); err != nil {
			t.Fatal(err)
		}
		m := o.model(t)
		options := fmt.Sprintf("prefix %q, suffix %q, unk %v, fuse %v, fallback %v, ignore %v", o.Prefix, o.Suffix, o.Unk, o.Fuse, o.Fallback, o.Ignore)
		for _, c := range o.Cases {
			var text string
			var tokens [][2]int
			if err := json.Unmarshal(c[0], &text); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(c[1], &tokens); err != nil {
				t.Fatal(err)
			}
			var want []int32
			var wantEnds []int
			for _, tok := range tokens {
				want, wantEnds = append(want, int32(tok[0])), append(wantEnds, min(tok[1], len(text)))
			}
			for range 2 { // without and with what the cache has learned
				if got := m.AppendIDs(nil, []byte(text)); !slices.Equal(got, want) {
					t.Errorf("%s: ids of %q\n got  %v\n want %v", options, text, got, want)
				}
			}
			got, ends := m.AppendTokens(nil, nil, []byte(text))
			if !slices.Equal(got, want) || !slices.Equal(ends, wantEnds) {
				t.Errorf("%s: tokens of %q\n got  %v %v\n want %v %v", options, text, got, ends, want, wantEnds)
			}
		}
	}
	if models != 96 {
		t.Errorf("%d models, want 96", models)
	}
}

// A long piece with and without joints is merged alike, and costs no more than it must.
func TestLongPieces(t *testing.T) {
	m := tiny(t, [2]string{"a", "b"}, [2]string{"ab", "ab"}, [2]string{"b", "c"}, [2]string{"c", "c"})
	text := make([]byte, 1<<20)
	for i := range text {
		text[i] = "abcabz"[i*i%31%6]
	}
	want := m.appendPiece(nil, text)
	if got := m.AppendIDs(nil, text); !slices.Equal(got, want) {
		t.Errorf("%d ids, want %d", len(got), len(want))
	}
	if n := testing.AllocsPerRun(2, func() { want = m.AppendIDs(want[:0], text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
