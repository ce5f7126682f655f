package data

// shingleWords is the number of words in a shingle. Shingles of five words are rare
// enough that unrelated documents share few.
const shingleWords = 5

// Kinds of bytes: words are runs of letters, digits and underscores, where every
// character beyond ASCII counts as a letter, but one from U+3000 on (most writing
// without spaces) is a word of its own.
const (
	gap = iota
	letter
	wide // first byte of a character from U+3000 on
)

var kinds = func() (k [256]uint8) {
	for b := range k {
		switch {
		case b >= 0xE3:
			k[b] = wide
		case b >= 0x80, b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '_':
			k[b] = letter
		}
	}
	return k
}()

// Odd constants with bits all over: the fractions of the golden ratio and of roots.
const (
	prime1 = 0x9e3779b97f4a7c15
	prime2 = 0xc2b2ae3d27d4eb4f
	prime3 = 0x9fb21c651e98df25
)

// mix spreads every bit of x over all bits (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// shingler hashes the runs of shingleWords words of a stream of words, by a
// polynomial in the words' hashes that rolls.
type shingler struct {
	out  []uint64
	last [shingleWords]uint64
	sum  uint64
	n    int
}

// leaving is prime1^shingleWords, the factor of the word that leaves the run.
var leaving = func() uint64 {
	p := uint64(1)
	for range shingleWords {
		p *= prime1
	}
	return p
}()

func (s *shingler) word(h uint64) {
	h = mix(h)
	slot := &s.last[s.n%shingleWords]
	s.sum = s.sum*prime1 + h - *slot*leaving
	*slot = h
	if s.n++; s.n >= shingleWords {
		s.out = append(s.out, mix(s.sum))
	}
}

// end returns the shingles. Fewer words than a shingle has are one together.
func (s *shingler) end() []uint64 {
	if s.n < shingleWords {
		s.out = append(s.out, mix(s.sum^uint64(s.n)*prime2))
	}
	return s.out
}

// textShingles appends the hashes of the text's shingles to dst, in order, with
// repeats. Every text has one at least; what is between words does not count unless
// there are no words.
func textShingles(dst []uint64, text []byte) []uint64 {
	s := shingler{out: dst}
	for i := 0; i < len(text); {
		h := uint64(prime3)
		switch kinds[text[i]] {
		case gap:
			i++
			continue
		case wide:
			h, i = h^uint64(text[i]), i+1
			for n := 0; n < 3 && i < len(text) && text[i]&0xC0 == 0x80; n++ {
				h, i = h<<8^h>>56^uint64(text[i]), i+1
			}
		default:
			for i < len(text) && kinds[text[i]] == letter {
				h, i = (h^uint64(text[i]))*prime2, i+1
			}
		}
		s.word(h)
	}
	if s.n == 0 {
		for _, b := range text {
			s.sum = (s.sum ^ uint64(b)) * prime2
		}
	}
	return s.end()
}

// tokenShingles appends the hashes of a document's runs of tokens, as textShingles
// does with words.
func tokenShingles(dst []uint64, t *Tokens, doc int) []uint64 {
	s := shingler{out: dst}
	var buf [1024]int32
	for at, end := t.offset(doc), t.offset(doc+1); at < end; at += int64(len(buf)) {
		ids := buf[:min(int64(len(buf)), end-at)]
		t.read(ids, at)
		for _, id := range ids {
			s.word(uint64(id))
		}
	}
	return s.end()
}
