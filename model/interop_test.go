//go:build interop

package model_test

import (
	"encoding/json"
	"hash/fnv"
	"os"
	"testing"

	"github.com/aries-serpent/codexml/internal/testkit"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/nn"
	"github.com/aries-serpent/codexml/tensor"
)

// TestInteropExport opens every exported tiny model in transformers, which must
// find all weights, no others, and compute the same logits.
func TestInteropExport(t *testing.T) {
	type query struct {
		Folder string    `json:"folder"`
		Tokens [][]int32 `json:"tokens"`
	}
	type answer struct {
		Class               string
		Missing, Unexpected []string
		Logits              [][][]float32
	}
	var queries []query
	var all [][]float32
	each(t, func(_ *testing.T, cfg model.Config) {
		m := noisy(t, cfg)
		arch, err := model.Architectures.Get(cfg.Name)
		if err != nil {
			t.Fatal(err)
		}
		export, err := arch.Export(m)
		if own := cfg.SlidingWindow > 0 || cfg.RopeType != "default" || cfg.PostNorms; own != (err != nil) {
			t.Fatalf("exported: %v, which another architecture's name could be: %v", err, own)
		} else if own {
			return // TestInteropPretrained exports these by their names
		}
		tokens, logits := exportedLogits(t, m)
		queries, all = append(queries, query{writeExport(t, export), tokens}), append(all, logits)
	})
	var answers []answer
	testkit.Peer(t, "logits.py", queries, &answers)
	for i, a := range answers {
		if len(a.Missing)+len(a.Unexpected) > 0 {
			t.Errorf("%s: missing %v, unexpected %v", a.Class, a.Missing, a.Unexpected)
		}
		var want []float32
		for _, row := range a.Logits {
			for _, position := range row {
				want = append(want, position...)
			}
		}
		testkit.Close(t, a.Class, all[i], want, 1e-4, 0)
		t.Logf("%s: largest difference of a logit %.2g", a.Class, testkit.MaxDiff(all[i], want))
	}
}

// noisy is a model whose gains and biases are not all 1 and 0, which would hide a
// mix-up.
func noisy(t *testing.T, cfg model.Config) model.Model {
	m := build(t, cfg)
	for _, p := range m.Params() {
		if p.Group != nn.GroupVector {
			continue
		}
		salt := fnv.New32a()
		salt.Write([]byte(p.Name))
		noise := make([]float32, p.Len())
		testkit.Hash(noise, salt.Sum32(), 0.5)
		for i := range p.Data {
			p.Data[i] += noise[i]
		}
	}
	return m
}

// exportedLogits computes the logits of two rows of tokens.
func exportedLogits(t *testing.T, m model.Model) (tokens [][]int32, logits []float32) {
	const rows, length = 2, 40
	vocab := m.Config().VocabSize
	b := &nn.Batch{Rows: rows, SeqLen: length}
	for r := range rows {
		b.Samples = append(b.Samples, int64(r))
		b.Segments = append(b.Segments, nn.Segment{Start: int32(r * length), Len: length})
		for i := range length {
			b.Tokens = append(b.Tokens, int32((7*i*i+11*r+i)%vocab))
			b.Targets = append(b.Targets, -1)
		}
		tokens = append(tokens, b.Tokens[r*length:])
	}
	c := newContext(t, m, 2, tensor.F32)
	c.SetBatch(b)
	logits = make([]float32, rows*length*vocab)
	m.Logits(c, tensor.FromF32(logits, rows*length, vocab))
	return tokens, logits
}

// TestInteropPretrained opens random models of transformers, one of every
// architecture and kind of rotary positions, and compares logits, loss, gradients and
// greedy tokens; what it exports of them must give transformers the same logits.
func TestInteropPretrained(t *testing.T) {
	query := map[string]any{"folder": t.TempDir()}
	configs := map[string]json.RawMessage{}
	for _, name := range pretrained(t) {
		text, err := os.ReadFile("testdata/models/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		configs[name] = text
	}
	query["configs"] = configs
	var answers map[string]pretrainedAnswer
	testkit.Peer(t, "pretrained.py", query, &answers)
	var again []map[string]any
	names := pretrained(t)
	for _, name := range names {
		a := answers[name]
		m, _ := open(t, a.Folder, model.LoadOptions{Train: true})
		comparePretrained(t, name, m, a)
		inputs := [][]int32{a.Tokens[0][:len(a.Tokens[0])-1], a.Tokens[1][:len(a.Tokens[1])-1]}
		again = append(again, map[string]any{"folder": writeExport(t, export(t, m)), "tokens": inputs})
	}
	var reloaded []struct {
		Class               string
		Missing, Unexpected []string
		Logits              [][][]float32
	}
	testkit.Peer(t, "logits.py", again, &reloaded)
	for i, r := range reloaded {
		if len(r.Missing)+len(r.Unexpected) > 0 {
			t.Errorf("%s: missing %v, unexpected %v", names[i], r.Missing, r.Unexpected)
		}
		var got []float32
		for _, row := range r.Logits {
			for _, position := range row {
				got = append(got, position...)
			}
		}
		testkit.Close(t, names[i]+": logits of the export", got, answers[names[i]].Logits, 2e-5, 0)
	}
}

// pretrainedAnswer is what bench/peers/pretrained.py says of a model.
type pretrainedAnswer struct {
	Folder         string
	Tokens         [][]int32
	Logits         []float32
	Loss           float64
	Gradients      map[string][]float64
	Prompt, Greedy []int32
	Margins        []float64
}

func comparePretrained(t *testing.T, name string, m model.Model, a pretrainedAnswer) {
	t.Helper()
	b := &nn.Batch{Rows: len(a.Tokens), SeqLen: len(a.Tokens[0]) - 1}
	for r, stream := range a.Tokens {
		b.Tokens, b.Targets = append(b.Tokens, stream[:b.SeqLen]...), append(b.Targets, stream[1:]...)
		b.Segments, b.Samples = append(b.Segments, nn.Segment{Start: int32(r * b.SeqLen), Len: int32(b.SeqLen)}), append(b.Samples, int64(r))
	}
	c, v := newContext(t, m, 2, tensor.F32), m.Config().VocabSize
	c.SetBatch(b)
	logits := make([]float32, b.Slots()*v)
	m.Logits(c, tensor.FromF32(logits, b.Slots(), v))
	testkit.Close(t, name+": logits", logits, a.Logits, 1e-4, 0)
	t.Logf("%s: largest difference of a logit %.2g", name, testkit.MaxDiff(logits, a.Logits))
	checkPretrainedGradients(t, c, m, b, a.Loss, func(tensor string) []float64 { return a.Gradients[tensor] })
	for i, id := range greedy(m, c, a.Prompt, len(a.Greedy)) {
		if id != a.Greedy[i] {
			if a.Margins[i] > 1e-3 {
				t.Errorf("%s: token %d: got %d, want %d (it leads by %g)", name, i, id, a.Greedy[i], a.Margins[i])
			}
			break // the texts part where two tokens are as likely
		}
	}
}
