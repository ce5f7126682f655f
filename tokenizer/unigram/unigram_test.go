package unigram

import (
	"bufio"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/internal/rng"
	"github.com/aries-serpent/codexml/internal/testkit"
)

// scored is a pair [piece, score] of JSON.
type scored struct{ Piece }

func (s *scored) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&s.Text, &s.Score})
}

// Ids and ends are Hugging Face's.
func TestHuggingFace(t *testing.T) {
	f, err := os.Open("testdata/huggingface.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	n := 0
	for ; lines.Scan(); n++ {
		var file struct {
			Vocab        []scored
			UnkID        int32 `json:"unk_id"`
			ByteFallback bool  `json:"byte_fallback"`
			Texts        []struct {
				Text string
				IDs  []int32
				Ends []int
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &file); err != nil {
			t.Fatal(err)
		}
		c := Config{Unknown: file.UnkID, ByteFallback: file.ByteFallback, FuseUnknown: true, MinScore: math.NaN()}
		for _, p := range file.Vocab {
			c.Pieces = append(c.Pieces, p.Piece)
		}
		m, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // with nothing and with all remembered
			for _, text := range file.Texts {
				ids, ends := m.AppendTokens(nil, nil, []byte(text.Text))
				if !slices.Equal(ids, text.IDs) || !slices.Equal(ends, text.Ends) {
					t.Fatalf("model %d, %q:\n got %v %v\nwant %v %v", n, text.Text, ids, ends, text.IDs, text.Ends)
				}
				if got := m.AppendIDs(nil, []byte(text.Text)); !slices.Equal(got, text.IDs) {
					t.Fatalf("model %d, %q: AppendIDs gives %v, want %v", n, text.Text, got, text.IDs)
				}
			}
		}
	}
	if n == 0 {
		t.Fatal("no models")
	}
}

// draw makes random vocabularies and texts.
type draw struct {
	key rng.Key
	at  uint64
}

func (d *draw) n(n int) int { d.at++; return int(rng.Uint64(d.key, d.at) % uint64(n)) }

func (d *draw) text(n int) string {
	alphabet := []string{"a", "a", "b", "c", space, space, "\u3042", "\u00e9", "z", "\U0001F600"}
	var b strings.Builder
	for range n {
		b.WriteString(alphabet[d.n(len(alphabet))])
	}
	return b.String()
}

const space = "\u2581"

func (d *draw) config(rules Rules) Config {
	c := Config{Rules: rules, Pieces: []Piece{{Text: "<unk>", Kind: Reserved}}, FuseUnknown: d.n(2) == 0, MinScore: math.NaN()}
	seen := map[string]bool{"": true}
	ties, large, near := d.n(2) == 0, d.n(4) == 0, d.n(3) == 0
	single := map[rune]float64{}
	for range 3 + d.n(60) {
		text := d.text(1 + d.n(5))
		if seen[text] || strings.ContainsAny(text, "z\U0001F600") && d.n(3) > 0 {
			continue
		}
		seen[text] = true
		p := Piece{Text: text, Score: -float64(float32(d.n(1<<20)) / (1 << 17))}
		if ties {
			p.Score = -float64(1 + d.n(3)*len(text))
		}
		if near { // a piece is worth almost what its characters are: rounding decides
			p.Score = 0
			for _, r := range text {
				if single[r] == 0 {
					single[r] = -1 - float64(float32(d.n(1<<16))/(1<<15))
				}
				p.Score += single[r]
			}
			p.Score = float64(float32(p.Score + float64(d.n(9)-4)*0x1p-19))
		}
		if large { // sums pass 100,000
			p.Score *= 1 << 12
		}
		if rules == SentencePiece && d.n(10) == 0 {
			p.Kind = Kind(d.n(3))
		}
		c.Pieces = append(c.Pieces, p)
	}
	return c
}

// uncut encodes a text as the originals do it, whole and from the start.
func uncut[F float32 | float64](m *Model, text string) (ids []int32, ends []int) {
	places := make([]place[F], len(text)+1)
	search(m, scoresOf[F](m), places, 0, []byte(text))
	for at := len(text); at > 0; at = int(places[at].from) {
		ids, ends = append(ids, places[at].id), append(ends, at)
	}
	slices.Reverse(ids)
	slices.Reverse(ends)
	outIDs, outEnds := []int32{}, []int{}
	for i, id := range ids {
		if id < 0 {
			id = m.spelling.Unknown
			if i > 0 && ids[i-1] < 0 && m.spelling.Fuse {
				outEnds[len(outEnds)-1] = ends[i]
				continue
			}
		}
		outIDs, outEnds = append(outIDs, id), append(outEnds, ends[i])
	}
	return outIDs, outEnds
}

// Cutting a text and remembering its parts changes nothing, whatever the scores.
func TestPartsAreExact(t *testing.T) {
	d := draw{key: rng.Key{Seed: 3}}
	tested := 0
	for range 150 {
		c := d.config(Rules(d.n(2)))
		m, err := New(c)
		if err != nil {
			continue // no piece is found in text
		}
		for range 6 {
			text := d.text(d.n(3000))
			want, wantEnds := uncut[float64](m, text)
			if c.Rules == SentencePiece {
				want, wantEnds = uncut[float32](m, text)
			}
			ids, ends := m.AppendTokens(nil, nil, []byte(text))
			if !slices.Equal(ids, want) || !slices.Equal(ends, wantEnds) {
				t.Fatalf("%+v\n%q:\n got %v %v\nwant %v %v", c, text, ids, ends, want, wantEnds)
			}
			tested++
		}
	}
	if tested < 500 {
		t.Errorf("only %d texts were compared", tested)
	}
}

func TestAllocs(t *testing.T) {
	d := draw{key: rng.Key{Seed: 4}}
	m, err := New(d.config(SentencePiece))
	if err != nil {
		t.Fatal(err)
	}
	text := []byte(d.text(2000))
	var ids []int32
	var ends []int
	if n := testkit.SteadyAllocs(func() { ids, ends = m.AppendTokens(ids[:0], ends[:0], text) }); n > 0 {
		t.Errorf("AppendTokens allocates %v times", n)
	}
}

func TestRejects(t *testing.T) {
	f := func(want string, c Config) {
		t.Helper()
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want one with %q", err, want)
		}
	}
	f("unknown piece is 1, of a vocabulary of 1", Config{Pieces: []Piece{{Text: "a"}}, Unknown: 1})
	f("no unknown piece", Config{Pieces: []Piece{{Text: "a"}}, Unknown: -1})
	f("want a finite number", Config{Pieces: []Piece{{Text: "a", Score: math.Inf(1)}}})
	f("not UTF-8", Config{Pieces: []Piece{{Text: "\xff"}}})
	f("no float32", Config{Rules: SentencePiece, Pieces: []Piece{{Text: "a", Score: 0.1}}})
	f("nothing could be encoded", Config{Rules: SentencePiece, Pieces: []Piece{{Text: "a", Kind: Reserved}}})
}
