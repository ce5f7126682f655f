package train

import (
	"bytes"
	"iter"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/tokenizer/internal/heap"
)

// byBlanks cuts text before every blank.
func byBlanks(text []byte, each func(piece []byte)) {
	for len(text) > 0 {
		end := 1 + bytes.IndexByte(text[1:], ' ')
		if end == 0 {
			end = len(text)
		}
		each(text[:end])
		text = text[end:]
	}
}

// cutAtBlank goes with byBlanks.
func cutAtBlank(text []byte, size int) int {
	if size >= len(text) {
		return len(text)
	}
	if i := bytes.IndexByte(text[size:], ' '); i >= 0 && size+i > 0 {
		return size + i
	}
	return len(text)
}

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

// A document that is cut, and documents that share a chunk, count as they are.
func TestCountingDoesNotDependOnChunks(t *testing.T) {
	text := strings.Repeat("some  words\tof a text\n\n", 3*chunkSize/23) + strings.Repeat("x", chunkSize) + strings.Repeat("\u00e9!", 9)
	small := strings.Repeat("a", 100)
	texts := []string{text, "", small, small, "", text}
	want := newWordTable()
	for _, text := range texts {
		want.addText([]byte(text), byBlanks)
	}
	for threads := 1; threads <= 3; threads++ {
		got, err := countWords(t.Context(), documents(texts), &Options{Threads: threads, Split: byBlanks, Cut: cutAtBlank, Memory: 1 << 30})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.entries) != len(want.entries) {
			t.Fatalf("%d threads: %d different pieces, want %d", threads, len(got.entries), len(want.entries))
		}
		for i := range want.entries {
			e := want.entries[i]
			got.add(want.word(&e), e.hash, -e.count)
		}
		for i := range got.entries {
			if e := &got.entries[i]; e.count != 0 {
				t.Errorf("%d threads: %q was counted %d times too often", threads, got.word(e), int64(e.count))
			}
		}
	}
}

func TestCandidatesComeInOrder(t *testing.T) {
	var queue []candidate
	for i := range 500 {
		heap.Push(&queue, candidate{count: int64(i * 7919 % 13), pair: uint64(i)})
	}
	last := heap.Pop(&queue)
	for len(queue) > 0 {
		next := heap.Pop(&queue)
		if !last.Before(next) {
			t.Fatalf("%+v came before %+v", last, next)
		}
		last = next
	}
}
