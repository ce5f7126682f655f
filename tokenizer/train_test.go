package tokenizer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// documents yields texts, each in the buffer of the one before.
func documents(texts []string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var buffer []byte
		for _, text := range texts {
			buffer = append(buffer[:0], text...)
			if !yield(buffer) {
				return
			}
			clear(buffer)
		}
	}
}

// corpus reads a corpus of testdata/train and the number of pieces to learn.
func corpus(tb testing.TB, name string) (docs iter.Seq[[]byte], size int) {
	tb.Helper()
	_, digits, _ := strings.Cut(name, "-")
	size, err := strconv.Atoi(digits)
	if err != nil {
		tb.Fatal(err)
	}
	return documents(readLines[string](tb, filepath.Join("testdata", "train", name+".jsonl"))), size
}

// The files are equal byte for byte: pieces, merges, and how they are written.
func TestTrainBPEEqualsTheOriginal(t *testing.T) {
	for _, name := range names(t) {
		docs, size := corpus(t, name)
		want, err := os.ReadFile(filepath.Join("testdata", "train", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		for threads := range 4 {
			tok, err := TrainBPE(t.Context(), docs, TrainOptions{VocabSize: size, Threads: threads})
			if err != nil {
				t.Fatal(err)
			}
			if got := tok.(*Pipeline).file; !bytes.Equal(got, want) {
				t.Fatalf("%s with %d threads differs from the original, first in the line of %q, want %q", name, threads,
					firstOther(got, want), firstOther(want, got))
			}
		}
	}
}

// firstOther returns the first line of a that is not in b.
func firstOther(a, b []byte) []byte {
	lines := bytes.Split(b, []byte("\n"))
	for i, line := range bytes.Split(a, []byte("\n")) {
		if i >= len(lines) || !bytes.Equal(line, lines[i]) {
			return line
		}
	}
	return nil
}

func TestTrainBPERejects(t *testing.T) {
	docs := documents([]string{"some\ntext\ntext"})
	for _, c := range []struct {
		docs iter.Seq[[]byte]
		opts TrainOptions
		want string
	}{
		{docs, TrainOptions{}, "vocabulary size is 0, want 260 (the bytes and 4 special tokens) to 16777216"},
		{docs, TrainOptions{VocabSize: 259}, "vocabulary size is 259"},
		{docs, TrainOptions{VocabSize: 1 << 30}, "vocabulary size is 1073741824"},
		{docs, TrainOptions{VocabSize: 300, Threads: -1}, "threads is -1, want at least 1"},
		{docs, TrainOptions{VocabSize: 300, Specials: []string{""}}, "a special token is empty"},
		{docs, TrainOptions{VocabSize: 300, Specials: []string{"[A]", "[A]"}}, `the special token "[A]" is given twice`},
		{docs, TrainOptions{VocabSize: 300, Specials: []string{"\xff"}}, "is not UTF-8"},
		{docs, TrainOptions{VocabSize: 300, Specials: []string{"\u0120"}}, "is the writing of byte 0x20"},
		{docs, TrainOptions{VocabSize: 300, Specials: []string{"text"}}, `the text makes the special token "text" a piece`},
		{documents(nil), TrainOptions{VocabSize: 300}, "the documents hold no text"},
		{documents([]string{"", ""}), TrainOptions{VocabSize: 300}, "the documents hold no text"},
	} {
		_, err := TrainBPE(t.Context(), c.docs, c.opts)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "train tokenizer: ") {
			t.Errorf("%+v:\n got  %v\n want %s", c.opts, err, c.want)
		}
	}
}

func TestTrainBPEWithOtherSpecials(t *testing.T) {
	docs := documents([]string{"the theatre"})
	for _, specials := range [][]string{{}, {"<s>", "[EOS]"}} {
		tok, err := TrainBPE(t.Context(), docs, TrainOptions{VocabSize: 262, Specials: specials})
		if err != nil {
			t.Fatal(err)
		}
		if n := tok.VocabSize(); n != 262 {
			t.Errorf("%d pieces, want 262", n)
		}
		if id, ok := tok.EOS(); ok != (len(specials) == 2) || ok && id != 1 {
			t.Errorf("specials %q: EOS is %d, %v", specials, id, ok)
		}
		if again, err := Parse("trained", tok.(*Pipeline).file); err != nil || again.VocabSize() != 262 {
			t.Errorf("specials %q: the file is not read back: %v", specials, err)
		}
	}
}

func TestTrainBPEStopsWhenToldTo(t *testing.T) {
	docs, size := corpus(t, "go-700")
	ctx, cancel := context.WithCancel(t.Context())
	reading := func(yield func([]byte) bool) {
		for doc := range docs {
			cancel()
			if !yield(doc) {
				return
			}
		}
	}
	if _, err := TrainBPE(ctx, reading, TrainOptions{VocabSize: size}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while reading: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	merging := TrainOptions{VocabSize: size, Progress: func(done, total int) {
		if done == 5 {
			cancel()
		}
	}}
	if _, err := TrainBPE(ctx, docs, merging); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while merging: %v", err)
	}
}

func TestTrainBPETellsItsProgress(t *testing.T) {
	docs, size := corpus(t, "go-700")
	last, want := -1, size-260
	progress := func(done, total int) {
		if done < last || done > total || total != want {
			t.Errorf("progress %d of %d after %d, want a total of %d", done, total, last, want)
		}
		last = done
	}
	if _, err := TrainBPE(t.Context(), docs, TrainOptions{VocabSize: size, Progress: progress}); err != nil {
		t.Fatal(err)
	}
	if last != want {
		t.Errorf("the last progress is %d, want %d", last, want)
	}
}

func BenchmarkTrainBPE(b *testing.B) {
	docs, size := corpus(b, "go-700")
	for b.Loop() {
		if _, err := TrainBPE(b.Context(), docs, TrainOptions{VocabSize: size}); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleTrainBPE() {
	docs := func(yield func([]byte) bool) {
		yield([]byte("the theatre is there, then and there"))
	}
	tok, err := TrainBPE(context.Background(), docs, TrainOptions{VocabSize: 264})
	if err != nil {
		fmt.Println(err)
		return
	}
	ids := tok.Encode(nil, []byte("there"))
	for _, id := range ids {
		fmt.Printf("%d %q\n", id, tok.Piece(id))
	}
	fmt.Printf("%s\n", tok.Decode(nil, ids))
	// Output:
	// 261 "the"
	// 263 "re"
	// there
}
