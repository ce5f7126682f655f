package train

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/tokenizer/bpe"
)

// manyWords makes documents of words, some of which are common and most are rare.
func manyWords(n int) []string {
	rng := rand.New(rand.NewPCG(1, 2))
	var docs []string
	for range n {
		var doc strings.Builder
		for range 2000 {
			x := rng.Uint64N(1 << 20)
			fmt.Fprintf(&doc, " w%d", x*x>>22%uint64(1+rng.IntN(60000)))
		}
		docs = append(docs, doc.String())
	}
	return docs
}

// The memory limit and the threads change nothing but where words are kept.
func TestSpillingChangesNothing(t *testing.T) {
	docs := manyWords(300)
	var want *Result
	for _, c := range []struct {
		memory  int64
		threads int
	}{{1 << 30, 1}, {8 << 20, 1}, {8 << 20, 3}} {
		opts := Options{VocabSize: 600, ByteLevel: true, InitialAlphabet: bpe.Alphabet(), Split: byBlanks, Cut: cutAtBlank,
			Threads: c.threads, Memory: c.memory, TempDir: t.TempDir()}
		got, err := BPE(t.Context(), documents(docs), opts)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if !slices.Equal(got.Merges, want.Merges) {
			t.Errorf("%d bytes, %d threads: other merges", c.memory, c.threads)
		}
		if left, _ := os.ReadDir(opts.TempDir); len(left) > 0 {
			t.Errorf("%d files are left behind", len(left))
		}
	}
}

func TestRunsCountAsTables(t *testing.T) {
	want, part := newWordTable(), newWordTable()
	spilled := &runs{dir: t.TempDir()}
	defer spilled.close()
	for i, doc := range manyWords(3 * maxRuns / 2) { // more than are merged at once
		want.addText([]byte(doc), byBlanks)
		part.addText([]byte(doc), byBlanks)
		if spilled.spill(part); spilled.err != nil {
			t.Fatal(i, spilled.err)
		}
	}
	last, words := "", 0
	err := mergeRuns(spilled.paths, func(word []byte, count uint64) error {
		if string(word) <= last {
			t.Fatalf("%q comes after %q", word, last)
		}
		last = string(word)
		words++
		want.add(word, hashWord(word), -count)
		return nil
	})
	if err != nil || words != len(want.entries) {
		t.Fatalf("%d words, want %d: %v", words, len(want.entries), err)
	}
	for i := range want.entries {
		if e := &want.entries[i]; e.count != 0 {
			t.Errorf("%q was counted %d times too rarely", want.word(e), e.count)
		}
	}
}

func TestTooManyWordsIsAnError(t *testing.T) {
	opts := Options{VocabSize: 600, ByteLevel: true, InitialAlphabet: bpe.Alphabet(), Split: byBlanks, Cut: cutAtBlank, Memory: 1 << 20, TempDir: t.TempDir()}
	_, err := BPE(t.Context(), documents(manyWords(100)), opts)
	if err == nil || !strings.Contains(err.Error(), "raise the memory limit (1 MiB)") {
		t.Errorf("got %v", err)
	}
	opts.MinWordCount = 40
	if _, err := BPE(t.Context(), documents(manyWords(100)), opts); err != nil {
		t.Error(err)
	}
}

func TestRunsThatAreDamaged(t *testing.T) {
	path := t.TempDir() + "/run"
	for _, data := range []string{"\x01", "\x01\x05ab", "\x01\xff"} {
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := mergeRuns([]string{path}, func([]byte, uint64) error { return nil }); err == nil {
			t.Errorf("%q was read", data)
		}
	}
}
