//go:build interop

package spmtrain

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	format "github.com/aries-serpent/codexml/format/sentencepiece"
	"github.com/aries-serpent/codexml/internal/testkit"
)

// pinned is the original that is compared with.
const pinned = "sentencepiece==0.2.3"

// original runs the script of package sentencepiece's test data with CODEXML_PYTHON,
// or the python3 on the PATH.
func original(t *testing.T, args ...string) string {
	t.Helper()
	python := testkit.Python(t, pinned)
	cmd := exec.Command(python, append([]string{"../sentencepiece/testdata/original.py"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return string(out)
}

// goSource is Go's standard library, every tenth file apart.
func goSource(t *testing.T) (train, held string) {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "src", "*", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var texts [2]bytes.Buffer
	for i, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[min(i%10, 1)].Write(text)
	}
	return texts[1].String(), texts[0].String()
}

// On the same corpus with the same options, our unigram model gives text that it has
// not seen at least the likelihood that the original's gives it, measured by the
// original; and BPE learns the same pieces.
func TestInteropTraining(t *testing.T) {
	text, held := goSource(t)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	corpus, heldOut := file("corpus", text), file("held", held)
	ours, theirs := filepath.Join(dir, "ours.model"), filepath.Join(dir, "theirs.model")
	for _, options := range [][]string{{"model_type=unigram"}, {"model_type=unigram", "byte_fallback=true", "split_digits=true"}, {"model_type=bpe"}} {
		start := time.Now()
		original(t, append([]string{"train", theirs, "corpus=" + corpus, "vocab_size=4000", "normalization_rule_name=nmt_nfkc"}, options...)...)
		spent := time.Since(start)
		c := DefaultConfig()
		c.Trainer.VocabSize = 4000
		c.Threads = 2
		for _, o := range options {
			switch o {
			case "model_type=bpe":
				c.Trainer.ModelType = format.BPE
			case "byte_fallback=true":
				c.Trainer.ByteFallback = true
			case "split_digits=true":
				c.Trainer.SplitDigits = true
			}
		}
		start = time.Now()
		m, err := Train(context.Background(), lines(text), c)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%v: %d bytes: the original took %v, ours %v", options, len(text), spent, time.Since(start))
		if err := m.Save(ours); err != nil {
			t.Fatal(err)
		}
		want, err := format.Read(theirs)
		if err != nil {
			t.Fatal(err)
		}
		if c.Trainer.ModelType == format.BPE {
			for i, p := range want.Pieces {
				if m.Pieces[i].Text != p.Text || m.Pieces[i].Score != p.Score || m.Pieces[i].Type != p.Type {
					t.Fatalf("piece %d is %q %v, want %q %v", i, m.Pieces[i].Text, m.Pieces[i].Score, p.Text, p.Score)
				}
			}
			continue
		}
		got, tokens := likelihood(t, ours, heldOut)
		wanted, wantTokens := likelihood(t, theirs, heldOut)
		t.Logf("%v: log-likelihood of %d bytes: %.0f (%d tokens), the original's %.0f (%d)", options, len(held), got, tokens, wanted, wantTokens)
		if got < wanted {
			t.Errorf("%v: our model gives held-out text the log-likelihood %v, the original's %v", options, got, wanted)
		}
	}
}

func likelihood(t *testing.T, model, path string) (sum float64, tokens int) {
	t.Helper()
	if _, err := fmt.Sscan(original(t, "likelihood", model, path), &sum, &tokens); err != nil {
		t.Fatal(err)
	}
	return sum, tokens
}
