package spmtrain

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/aries-serpent/codexml/internal/rng"
	"github.com/aries-serpent/codexml/tokenizer/internal/heap"
	"github.com/aries-serpent/codexml/tokenizer/internal/trie"
	"github.com/aries-serpent/codexml/tokenizer/normalize"
	"github.com/aries-serpent/codexml/tokenizer/train"
)

// corpus is what training looks at: texts that no piece crosses the ends of, and how
// often each occurs.
type corpus struct {
	texts    [][]byte // sorted
	counts   []int64
	required []char // characters that get a piece, the most frequent first
}

// char is a character and how often it occurs.
type char struct {
	r     rune
	count int64
}

// cutter cuts sentences into words, or takes them whole.
type cutter struct {
	config     *Config
	normalizer *normalize.SentencePiece
	symbols    *trie.Trie
	workers    sync.Pool // of *worker
}

// load reads the corpus.
func (c *Config) load(ctx context.Context, sentences iter.Seq[[]byte], metas map[int32]meta) (*corpus, error) {
	n := c.Normalizer
	var keys []trie.Key
	for _, m := range metas {
		keys = append(keys, trie.Key{Text: m.text})
	}
	normalizer, err := normalize.NewSentencePiece(normalize.SentencePieceConfig{
		Charsmap: n.PrecompiledCharsmap, AddDummyPrefix: n.AddDummyPrefix, RemoveExtraWhitespaces: n.RemoveExtraWhitespaces,
		EscapeWhitespaces: true, WhitespaceAsSuffix: c.Trainer.TreatWhitespaceAsSuffix,
	})
	if err != nil {
		return nil, err
	}
	cutter := &cutter{config: c, normalizer: normalizer, symbols: trie.New(keys)}
	cutter.workers.New = func() any { return new(worker) }
	words, err := train.Count(ctx, c.selected(sentences), train.Counting{
		Split: cutter.split, Threads: c.Threads, Memory: c.Memory, TempDir: c.TempDir, MinWordCount: c.MinWordCount,
	})
	if err != nil {
		return nil, err
	}
	return c.cover(words, len(metas))
}

// selected leaves out what training does not look at, and draws sentences if that
// is asked for.
func (c *Config) selected(sentences iter.Seq[[]byte]) iter.Seq[[]byte] {
	mark := []byte(string(unknownMark))
	fit := func(yield func([]byte) bool) {
		for s := range sentences {
			if len(s) == 0 || len(s) > int(c.Trainer.MaxSentenceLength) || bytes.Contains(s, mark) {
				continue
			}
			if !yield(s) {
				return
			}
		}
	}
	size := c.Trainer.InputSentenceSize
	switch {
	case size == 0:
		return fit
	case c.Trainer.ShuffleInputSentence:
		return c.drawn(fit, size)
	}
	return func(yield func([]byte) bool) {
		n := uint64(0)
		for s := range fit {
			if n++; !yield(s) || n == size {
				return
			}
		}
	}
}

// ticket is a sentence and its number in the draw.
type ticket struct {
	number, index uint64
	sentence      []byte
}

// Before implements heap.Ordered: the ticket that is thrown away first.
func (t ticket) Before(u ticket) bool {
	return t.number > u.number || t.number == u.number && t.index > u.index
}

// drawn yields the size sentences with the lowest random numbers.
func (c *Config) drawn(sentences iter.Seq[[]byte], size uint64) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		key := rng.Key{Seed: c.Seed, Stream: rng.StreamData}
		var kept []ticket
		index := uint64(0)
		for s := range sentences {
			t := ticket{rng.Uint64(key, index), index, nil}
			index++
			if uint64(len(kept)) == size {
				if !kept[0].Before(t) {
					continue
				}
				heap.Pop(&kept)
			}
			t.sentence = bytes.Clone(s)
			heap.Push(&kept, t)
		}
		slices.SortFunc(kept, func(a, b ticket) int { return cmp.Compare(a.index, b.index) })
		for _, t := range kept {
			if !yield(t.sentence) {
				return
			}
		}
	}
}

// worker is what one goroutine works with.
type worker struct{ normalized, replaced []byte }

// split calls each with the words of a sentence, or with the sentence.
func (c *cutter) split(sentence []byte, each func(word []byte)) {
	w := c.workers.Get().(*worker)
	defer c.workers.Put(w)
	w.normalized = c.normalizer.Append(w.normalized[:0], sentence)
	text := c.replace(w)
	t := &c.config.Trainer
	if d := t.PretokenizationDelimiter; d != "" {
		text = bytes.ReplaceAll(text, []byte(d), []byte{boundary})
	}
	for len(text) > 0 {
		n := len(text)
		if t.SplitByWhitespace {
			n = wordLen(text, t.TreatWhitespaceAsSuffix, t.AllowWhitespaceOnlyPieces)
		}
		each(text[:n])
		text = text[n:]
	}
}

// replace puts a boundary where a meta piece is.
func (c *cutter) replace(w *worker) []byte {
	text := w.normalized
	w.replaced = w.replaced[:0]
	copied := 0
	for i := 0; i < len(text); {
		n, _ := c.symbols.Longest(text[i:])
		if n == 0 {
			i++ // no symbol begins in the middle of a character
			continue
		}
		w.replaced = append(append(w.replaced, text[copied:i]...), boundary)
		i += n
		copied = i
	}
	if copied == 0 {
		return text
	}
	w.replaced = append(w.replaced, text[copied:]...)
	return w.replaced
}

// wordLen is the length of the first word of text with the space before it or, as
// a suffix, behind it. Spaces that follow one another belong to one word if pieces
// may be of spaces alone.
func wordLen(text []byte, suffix, spaces bool) int {
	i := 0
	skip := func(want bool) {
		for i < len(text) && bytes.HasPrefix(text[i:], []byte(space)) == want {
			if want {
				i += len(space)
				if !spaces {
					return
				}
			} else {
				_, n := utf8.DecodeRune(text[i:])
				i += n
			}
		}
	}
	if suffix {
		skip(false)
		skip(true)
		return i
	}
	skip(true)
	skip(false)
	return i
}

// cover finds the characters that get a piece and cuts the words where others are.
func (c *Config) cover(words iter.Seq2[[]byte, int64], metas int) (*corpus, error) {
	counts := map[rune]int64{}
	total := int64(0)
	for word, n := range words {
		for _, r := range string(word) {
			if r != 0 && r != ' ' {
				counts[r] += n
				total += n
			}
		}
	}
	if total == 0 {
		return nil, errors.New("the corpus has no sentence to train on: all are empty or longer than max_sentence_length")
	}
	forced := map[rune]bool{}
	for _, r := range c.Trainer.RequiredChars {
		if r != 0 {
			forced[r] = true
			counts[r] += 0
		}
	}
	chars := make([]char, 0, len(counts))
	for r, n := range counts {
		chars = append(chars, char{r, n})
	}
	slices.SortFunc(chars, func(a, b char) int {
		switch {
		case forced[a.r] != forced[b.r]:
			return map[bool]int{true: -1, false: 1}[forced[a.r]]
		case a.count != b.count:
			return cmp.Compare(b.count, a.count)
		}
		return cmp.Compare(a.r, b.r)
	})
	covered := int64(0)
	out := &corpus{}
	kept := map[rune]bool{}
	for _, ch := range chars {
		if float32(float64(covered)/float64(total)) >= c.Trainer.CharacterCoverage {
			break
		}
		covered += ch.count
		if ch.r != boundary && ch.r != unknownMark {
			kept[ch.r] = true
			out.required = append(out.required, ch)
		}
	}
	if need := len(out.required) + metas; need > int(c.Trainer.VocabSize) {
		return nil, fmt.Errorf("vocab_size is %d, but there are %d characters and %d pieces that the options ask for: want at least %d, or a lower character_coverage",
			c.Trainer.VocabSize, len(out.required), metas, need)
	}
	slices.SortFunc(out.required, func(a, b char) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.r, b.r))
	})
	out.cut(words, kept)
	return out, nil
}

// cut fills texts with the parts of words between characters that are not kept.
func (out *corpus) cut(words iter.Seq2[[]byte, int64], kept map[rune]bool) {
	parts := map[string]int64{}
	for word, n := range words {
		start := 0
		for i, r := range string(word) {
			if kept[r] {
				continue
			}
			if start < i {
				parts[string(word[start:i])] += n
			}
			_, size := utf8.DecodeRune(word[i:])
			start = i + size
		}
		if start < len(word) {
			parts[string(word[start:])] += n
		}
	}
	out.texts = make([][]byte, 0, len(parts))
	for text := range parts {
		out.texts = append(out.texts, []byte(text))
	}
	slices.SortFunc(out.texts, bytes.Compare)
	out.counts = make([]int64, len(out.texts))
	for i, text := range out.texts {
		out.counts[i] = parts[string(text)]
	}
}
