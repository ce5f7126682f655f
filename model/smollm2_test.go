package model_test

import (
	"os"
	"testing"

	"github.com/aries-serpent/codexml/internal/par"
	"github.com/aries-serpent/codexml/internal/testkit"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/tensor"
)

// TestSmolLM2 compares a real model with what transformers computes on its dequantised
// weights: CODEXML_SMOLLM2 names the file that testdata/smollm2.py is about.
func TestSmolLM2(t *testing.T) {
	path := os.Getenv("CODEXML_SMOLLM2")
	if path == "" {
		t.Skip("CODEXML_SMOLLM2 is not set")
	}
	want := testkit.ReadFigures(t, "testdata/smollm2.txt")
	pool := par.New(2)
	defer pool.Close()
	m, _ := open(t, path, model.LoadOptions{Pool: pool, Keep: true})
	c := newContext(t, m, 2, tensor.F32)
	for _, name := range []string{"words", "list", "chat", "long"} {
		ids, top := want.Int32(t, "ids/"+name), want.Int32(t, "top/"+name)
		logits := make([]float32, m.Config().VocabSize)
		m.Decode(c, m.NewState(tensor.F32, len(ids)), ids, logits)
		var got []float32
		for _, id := range top {
			got = append(got, logits[id])
		}
		got = append(got, logits[:24]...)
		figures := want.Float32(t, "logits/"+name)
		testkit.Close(t, name+": logits", got, figures, 1e-4, 0)
		t.Logf("%s: largest difference of a logit %.2g", name, testkit.MaxDiff(got, figures))
		testkit.SameBits(t, name+": greedy tokens", greedy(m, c, ids, 24), want.Int32(t, "greedy/"+name))
	}
}
