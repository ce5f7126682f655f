//go:build interop

package model_test

import (
	"hash/fnv"
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
		if err != nil {
			t.Fatal(err)
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
