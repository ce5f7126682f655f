package train

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/aries-serpent/codexml/tokenizer/bpe"
)

// eachChar calls f with the characters of a word: runes, or bytes as the runes that
// they are written as.
func eachChar(word []byte, byteLevel bool, f func(c rune, first, last bool)) {
	for i := 0; i < len(word); {
		c, size := rune(0), 1
		if byteLevel {
			c = bpe.RuneOf(word[i])
		} else {
			c, size = utf8.DecodeRune(word[i:])
		}
		f(c, i == 0, i+size == len(word))
		i += size
	}
}

// alphabet returns the characters that become pieces, in order.
func alphabet(words *wordTable, opts *Options) []rune {
	counts := make(map[rune]uint64)
	if opts.ByteLevel {
		for b, n := range words.byteCounts() {
			if n > 0 {
				counts[bpe.RuneOf(byte(b))] = n
			}
		}
	} else {
		for i := range words.entries {
			e := &words.entries[i]
			eachChar(words.word(e), false, func(c rune, _, _ bool) { counts[c] += e.count })
		}
	}
	for _, c := range opts.InitialAlphabet {
		counts[c] = math.MaxUint64
	}
	kept := slices.Sorted(maps.Keys(counts))
	if most := opts.LimitAlphabet; most > 0 && len(kept) > most {
		slices.SortStableFunc(kept, func(a, b rune) int { return cmp.Compare(counts[b], counts[a]) })
		kept = kept[:most]
		slices.Sort(kept)
	}
	return kept
}

// byteCounts returns how often each byte is in the text.
func (w *wordTable) byteCounts() *[bpe.NumBytes]uint64 {
	counts := new([bpe.NumBytes]uint64)
	for i := range w.entries {
		e := &w.entries[i]
		for _, b := range w.word(e) {
			counts[b] += e.count
		}
	}
	return counts
}

// charForm is a character with what is written around it.
type charForm struct {
	char           rune
	prefix, suffix bool
}

// spell makes the vocabulary of special tokens and characters, and spells the words
// that have a pair. Characters outside the alphabet are left out.
func (l *learner) spell(words *wordTable) error {
	opts := &l.opts
	kept := alphabet(words, opts)
	forms := make(map[charForm]int32)
	for _, c := range kept {
		forms[charForm{char: c}] = -1
	}
	if opts.Prefix != "" || opts.Suffix != "" {
		l.findForms(words, forms)
	}
	order := slices.SortedFunc(maps.Keys(forms), func(a, b charForm) int {
		return cmp.Or(cmp.Compare(b2i(a.prefix || a.suffix), b2i(b.prefix || b.suffix)), cmp.Compare(a.char, b.char),
			cmp.Compare(b2i(a.prefix), b2i(b.prefix)), cmp.Compare(b2i(a.suffix), b2i(b.suffix)))
	})
	size := max(opts.VocabSize, len(opts.Specials)+len(order))
	l.vocab = bpe.NewVocabulary(size, 8*size)
	for _, s := range opts.Specials {
		l.vocab.Add([]byte(s))
	}
	for _, f := range order {
		written := []byte(f.write(opts))
		if id, ok := l.vocab.ID(written); ok && int(id) < len(opts.Specials) {
			return fmt.Errorf("the text makes the special token %q a piece: give it a name that text can't have, such as [%s]", written, written)
		}
		l.vocab.Add(written)
		forms[f], _ = l.vocab.ID(written)
	}
	l.lengths = make([]int32, l.vocab.Size(), size)
	for i := range l.lengths {
		l.lengths[i] = 1
	}
	l.spellWords(words, forms)
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// write is how a form is written.
func (f charForm) write(opts *Options) string {
	s := string(f.char)
	if f.prefix {
		s = opts.Prefix + s
	}
	if f.suffix {
		s += opts.Suffix
	}
	return s
}

// form is how a character stands in a word.
func (l *learner) form(c rune, first, last bool) charForm {
	return charForm{c, !first && l.opts.Prefix != "", last && l.opts.Suffix != ""}
}

// findForms adds the forms in which characters of the alphabet stand in the words.
func (l *learner) findForms(words *wordTable, forms map[charForm]int32) {
	for i := range words.entries {
		eachChar(words.word(&words.entries[i]), l.opts.ByteLevel, func(c rune, first, last bool) {
			if _, ok := forms[charForm{char: c}]; ok {
				forms[l.form(c, first, last)] = -1
			}
		})
	}
}

// spellWords spells the words that have a pair as ids.
func (l *learner) spellWords(words *wordTable, forms map[charForm]int32) {
	l.words = make([]span, 0, len(words.entries))
	l.counts = make([]int64, 0, len(words.entries))
	l.symbols = make([]int32, 0, len(words.text))
	var bytes [bpe.NumBytes]int32
	plain := l.opts.ByteLevel && l.opts.Prefix == "" && l.opts.Suffix == ""
	for b := range bytes {
		id, ok := forms[charForm{char: bpe.RuneOf(byte(b))}]
		if bytes[b] = id; !ok {
			bytes[b] = -1
		}
	}
	for i := range words.entries {
		e := &words.entries[i]
		start := len(l.symbols)
		if plain {
			for _, b := range words.word(e) {
				if id := bytes[b]; id >= 0 {
					l.symbols = append(l.symbols, id)
				}
			}
		} else {
			eachChar(words.word(e), l.opts.ByteLevel, func(c rune, first, last bool) {
				if _, ok := forms[charForm{char: c}]; ok {
					l.symbols = append(l.symbols, forms[l.form(c, first, last)])
				}
			})
		}
		if n := len(l.symbols) - start; n > 1 {
			l.words = append(l.words, span{uint32(start), uint32(n)})
			l.counts = append(l.counts, int64(e.count))
		} else {
			l.symbols = l.symbols[:start]
		}
	}
}
