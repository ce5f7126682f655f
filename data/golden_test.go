package data

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/internal/testkit"
)

// TestGolden freezes what a seed means: the split, signatures, the order of rows and
// the cache's file names. A change of it changes every run.
func TestGolden(t *testing.T) {
	var out strings.Builder
	var docs []Document
	for i := range 12 {
		docs = append(docs, Document{Name: fmt.Sprint(i), Text: []byte(strings.Repeat(fmt.Sprintf("word%d of text, and ", i), 1+i%3))})
	}
	s, err := Split(docs, SplitOptions{Seed: 42, Validation: Share{0.2, 0}, Test: Share{1, 100}})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "train %s\nvalidation %s\ntest %s\n", names(s.Train), names(s.Validation), names(s.Test))
	var sig signature
	sig.sign(textShingles(nil, []byte("the quick brown fox jumps over the lazy dog")))
	fmt.Fprintf(&out, "signature %08x\n", sig[:4])

	tokens, err := CacheTokens(t.Context(), t.TempDir(), "train", s.Train, letters, EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer tokens.Close()
	fmt.Fprintf(&out, "cache %s %s\n", filepath.Base(tokens.Path()), tokens.SHA256())
	for _, fit := range []bool{false, true} {
		l, err := NewLoader(tokens, LoaderOptions{SeqLen: 7, BatchSize: 3, Seed: 42, Specials: Specials{0, None}, BestFit: fit, DocumentMask: true})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "best_fit %v: %d steps, %d rows\n", fit, l.StepsPerEpoch(), l.RowsPerEpoch())
		var b Batch
		for _, step := range []int{0, 1, l.StepsPerEpoch() - 1, l.StepsPerEpoch()} {
			l.Fill(&b, step, 0, l.StepRows(step))
			fmt.Fprintf(&out, "step %d: %d tokens %v, samples %v\n", step, l.StepTokens(step), b.Tokens, b.Samples)
		}
	}
	testkit.Golden(t, filepath.Join("testdata", "golden.txt"), out.String())
}
