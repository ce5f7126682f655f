package vocab

import (
	"context"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/tokenizer"
)

func texts(texts ...string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, t := range texts {
			if !yield([]byte(t)) {
				return
			}
		}
	}
}

var corpus = []string{"the cat sat on the mat\n", "the dog sat on the log\n", "a cat and a dog: the cat, the dog\n", "caf\u00e9 \u4e2d\u6587"}

// trained is a small tokenizer, as a tokenizer and as a document.
func trained(t *testing.T) (Encoder, *Document) {
	t.Helper()
	made, err := tokenizer.TrainBPE(context.Background(), texts(corpus...), tokenizer.TrainOptions{VocabSize: 270})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "tokenizer.json")
	if err := made.Save(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d, err := ParseDocument("tokenizer.json", data)
	if err != nil {
		t.Fatal(err)
	}
	d.model.set("continuing_subword_prefix", "") // as some files have it
	return load(t, d), d
}

func load(t *testing.T, d *Document) Encoder {
	t.Helper()
	made, err := tokenizer.Parse("tokenizer.json", d.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	e, ok := made.(Encoder)
	if !ok {
		t.Fatalf("a %T does not say where words end", made)
	}
	return e
}

// A document that nothing was done to is the same tokenizer.
func TestDocumentStays(t *testing.T) {
	a, d := trained(t)
	again, err := ParseDocument("again", d.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := Diff(d, again); !diff.Same {
		t.Errorf("it differs: %+v", diff)
	}
	p, err := Prove(context.Background(), a, load(t, again), nil, texts(corpus...))
	if err != nil || p.Documents != int64(len(corpus)) || p.Tokens == 0 {
		t.Errorf("proof %+v, %v", p, err)
	}
}

func TestDocumentRejects(t *testing.T) {
	for _, text := range []string{
		``, `[]`, `{}`, `{"model":{"vocab":{"a":0},"vocab":{}}}`, `{"model":{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}}`, `{"model":{"type":"BPE","vocab":[],"merges":[]}}`,
		`{"model":{"type":"BPE","vocab":{},"merges":["ab"]}}`, `{"model":{"type":"Unigram","vocab":[[1,2]]}}`, `{"model":{"type":"BPE","vocab":{},"merges":[]},"added_tokens":3}`,
	} {
		if _, err := ParseDocument("x.json", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), "x.json: ") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// New pieces shorten the corpus as the plan says, the ids of before stay, and a
// plan's old ids spell its piece.
func TestExpand(t *testing.T) {
	old, d := trained(t)
	before := d.all()
	plan, err := d.Expand(context.Background(), old, texts(corpus...), 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	grown := load(t, d)
	if len(plan.Pieces) != 4 || plan.NewSize != plan.OldSize+4 || int(plan.NewSize) != grown.VocabSize() {
		t.Errorf("plan %+v of %d ids", plan, grown.VocabSize())
	}
	after := d.all()
	for piece, id := range before {
		if after[piece] != id {
			t.Errorf("%q was %d and is %d", piece, id, after[piece])
		}
	}
	var sizes [2]int64
	for i, e := range []Encoder{old, grown} {
		for doc := range texts(corpus...) {
			sizes[i] += int64(len(e.Encode(nil, doc)))
		}
	}
	if sizes != [2]int64{plan.TokensBefore, plan.TokensAfter} || sizes[1] >= sizes[0] {
		t.Errorf("the corpus has %d tokens, the plan says %d and %d", sizes, plan.TokensBefore, plan.TokensAfter)
	}
	for _, p := range plan.Pieces {
		if got, want := string(old.Decode(nil, p.From)), string(grown.Decode(nil, []int32{p.ID})); got != want {
			t.Errorf("piece %d is %q, its old ids are %q", p.ID, want, got)
		}
	}
}

func TestTrim(t *testing.T) {
	old, d := trained(t)
	s := Describe(old, nil)
	if err := s.Measure(context.Background(), old, texts(corpus[0])); err != nil {
		t.Fatal(err)
	}
	trimmed, err := d.Trim(s.Corpus.Used)
	if err != nil {
		t.Fatal(err)
	}
	if trimmed.NewSize >= trimmed.OldSize || len(trimmed.Kept) != int(trimmed.NewSize) || int(trimmed.OldSize-trimmed.NewSize) != len(trimmed.Removed) {
		t.Errorf("%d of %d ids, %d removed", trimmed.NewSize, trimmed.OldSize, len(trimmed.Removed))
	}
	ids := func(id int32) int32 { return int32(slices.Index(trimmed.Kept, id)) }
	if _, err := Prove(context.Background(), old, load(t, d), ids, texts(corpus[0])); err != nil {
		t.Error(err)
	}
	// Any text can still be encoded and decoded.
	small := load(t, d)
	for _, text := range corpus {
		if got := string(small.Decode(nil, small.Encode(nil, []byte(text)))); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// Merging never renumbers, and what comes is found again.
func TestMerge(t *testing.T) {
	_, a := trained(t)
	e, b := trained(t)
	if _, err := b.Expand(context.Background(), e, texts(strings.Repeat("zyzzyva ", 9)), 3, nil); err != nil {
		t.Fatal(err)
	}
	b.AddSpecials(Added{Content: "<tool>", Special: true})
	before := a.all()
	m, err := a.Merge(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Pieces) != 3 || m.Merges != 3 || len(m.Specials) != 1 || m.Specials[0] != (Piece{273, "<tool>"}) {
		t.Errorf("it added %+v", m)
	}
	for piece, id := range before {
		if a.all()[piece] != id {
			t.Errorf("%q was %d and is %d", piece, id, a.all()[piece])
		}
	}
	if diff := Diff(a, b); !diff.Same {
		t.Errorf("the merged one differs from the larger one: %+v", diff)
	}
	load(t, a)
}

func TestStats(t *testing.T) {
	e, _ := trained(t)
	s := Describe(e, []Piece{{0, "[PAD]"}, {1, "[UNK]"}, {2, "[BOS]"}, {3, "[EOS]"}})
	if err := s.Measure(context.Background(), e, texts("the cat", "\u4e2d")); err != nil {
		t.Fatal(err)
	}
	c := s.Corpus
	if s.VocabSize != 270 || s.NeverNum != 0 || c.Documents != 2 || c.Bytes != 10 || c.Chars != 8 || c.Words != 3 || c.ByteTokens != 3 {
		t.Errorf("%+v %+v", s, c)
	}
	if c.UsedPieces+c.UnusedPieces != 266 || c.Fertility != float64(c.Tokens)/3 {
		t.Errorf("%+v", c)
	}
	if svg := string(SVGHistogram("a<b", s.Lengths)); !strings.Contains(svg, "a&lt;b") || strings.Count(svg, "<rect") != len(s.Lengths) {
		t.Errorf("the picture is %s", svg)
	}
	var text strings.Builder
	if err := WriteHistogram(&text, s.Lengths, 60); err != nil || strings.Count(text.String(), "\n") != len(s.Lengths) {
		t.Errorf("%v:\n%s", err, &text)
	}
}

// The side file's rules: ids stay, new ones follow, collisions are errors, files of
// the old form are read.
func TestSpecials(t *testing.T) {
	path := SideFile(filepath.Join(t.TempDir(), "m"))
	model := func(token string) (int32, bool) { return 1, token == "<unk>" }
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, err := LoadSpecials(path, model)
	if err != nil || len(s) != 0 {
		t.Fatalf("no file: %v %v", s, err)
	}
	if err := s.Add(100, "<a>", "<b>", "<a>"); err != nil || s["<a>"] != 100 || s["<b>"] != 101 {
		t.Errorf("%v %v", s, err)
	}
	if err := s.Merge(100, Specials{"<b>": 7, "<c>": 100}); err != nil || s["<b>"] != 101 || s["<c>"] != 102 {
		t.Errorf("%v %v", s, err)
	}
	if err := s.Save(path); err != nil {
		t.Fatal(err)
	}
	if again, err := LoadSpecials(path, model); err != nil || len(again) != 3 || again["<c>"] != 102 {
		t.Errorf("%v %v", again, err)
	}
	write(`{"unk_token": "<unk>", "pad_token": "<pad>", "<x>": 9}`)
	if s, err := LoadSpecials(path, model); err != nil || s["<unk>"] != 1 || s["<pad>"] != 10 || s["<x>"] != 9 {
		t.Errorf("an old file: %v %v", s, err)
	}
	for _, bad := range []string{`{"<a>":1,"<b>":1}`, `{"":1}`, `{"<a>":-1}`, `{"<a>":[]}`, `[]`, `{"pad":""}`} {
		write(bad)
		if s, err := LoadSpecials(path, model); err == nil {
			t.Errorf("%s was read as %v", bad, s)
		}
	}
	if err := s.Add(0, ""); err == nil {
		t.Error("an empty token was added")
	}
}

func TestFiles(t *testing.T) {
	_, d := trained(t)
	files, err := d.Files("gpt2")
	if err != nil || len(files) != 2 || strings.Count(string(files[1].Data), "\n") != len(d.Merges)+1 {
		t.Errorf("gpt2: %v", err)
	}
	data, err := FromGPT2(files[0].Data, files[1].Data)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseDocument("gpt2", data)
	if err != nil {
		t.Fatal(err)
	}
	e, _ := trained(t)
	if _, err := Prove(context.Background(), e, load(t, again), nil, texts(corpus...)); err != nil {
		t.Error(err)
	}
	if _, err := FromGPT2(files[0].Data, []byte("#version: 0.2\na b c\n")); err == nil || !strings.Contains(err.Error(), "merges.txt:2: ") {
		t.Errorf("a merge of three pieces: %v", err)
	}
	files, err = d.Files("tiktoken")
	if err != nil || strings.Count(string(files[0].Data), "\n") != 266 || !strings.HasPrefix(string(files[0].Data), "IQ== 4\n") {
		t.Errorf("tiktoken: %v", err)
	}
	if p, err := ProveRanks(context.Background(), e, files[0].Data, texts(corpus...)); err != nil || p.Tokens == 0 {
		t.Errorf("ranks: %+v %v", p, err)
	}
	if _, err := ProveRanks(context.Background(), e, files[0].Data[:len("IQ== 4\n")], texts(corpus...)); err == nil {
		t.Error("ranks without most bytes were proven")
	}
	if _, err := d.Files("gguf"); err == nil {
		t.Error("an unknown format was written")
	}
}

func FuzzParseDocument(f *testing.F) {
	f.Add([]byte(`{"added_tokens":[{"id":2,"content":"<s>","special":true}],"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":3},"merges":["a b"]}}`))
	f.Add([]byte(`{"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",-1.5]]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ParseDocument("x", data)
		if err != nil {
			return
		}
		again, err := ParseDocument("again", d.Bytes())
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		if diff := Diff(d, again); !diff.Same {
			t.Fatalf("what was written differs: %+v", diff)
		}
	})
}
