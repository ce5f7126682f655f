package tokenizer

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aries-serpent/codexml/tokenizer/regex"
	"github.com/aries-serpent/codexml/tokenizer/train"
)

// alphabet has one or two characters for everything that the pattern tells apart;
// original.py has the same.
var alphabet = []rune("'srela\u00e91\u00b2!\u20ac \n\u00a0\u3000")

// classRanges reads testdata/classes.txt: the ranges of each class.
func classRanges(tb testing.TB) map[string][][2]rune {
	f, err := os.Open("testdata/classes.txt")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	ranges := map[string][][2]rune{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		var r [2]rune
		var class string
		if _, err := fmt.Sscanf(lines.Text(), "%X..%X %s", &r[0], &r[1], &class); err != nil {
			tb.Fatalf("classes.txt: %q: %v", lines.Text(), err)
		}
		ranges[class] = append(ranges[class], r)
	}
	return ranges
}

// pieceEnd is where a piece ends by GPT-2's pattern.
var pieceEnd = regex.GPT2().Scanner()

func TestClassesAreTheOriginals(t *testing.T) {
	want := make([]string, utf8.MaxRune+1)
	for class, ranges := range classRanges(t) {
		for _, r := range ranges {
			for c := r[0]; c <= r[1]; c++ {
				want[c] = class
			}
		}
	}
	classes := map[string]*regex.Regexp{"L": regex.MustCompile(`\p{L}`), "N": regex.MustCompile(`\p{N}`), "S": regex.MustCompile(`\s`)}
	for c, class := range want {
		text := utf8.AppendRune(nil, rune(c))
		for name, re := range classes {
			if _, _, got := re.Find(text, 0); got != (name == class) {
				t.Fatalf("%U is of class %s: %v, want class %q", c, name, got, class)
			}
		}
	}
}

// pattern is GPT-2's regular expression, matched by Go's regexp, which lacks only
// the look-ahead: its alternative comes apart.
type pattern struct {
	before, after *regexp.Regexp // the alternatives before and after \s+(?!\S)
	spaces, solid *regexp.Regexp
}

func newPattern(tb testing.TB) pattern {
	class := map[string]string{}
	for name, ranges := range classRanges(tb) {
		for _, r := range ranges {
			class[name] += fmt.Sprintf(`\x{%X}-\x{%X}`, r[0], r[1])
		}
	}
	L, N, S := class["L"], class["N"], class["S"]
	return pattern{
		before: regexp.MustCompile(`^(?:'s|'t|'re|'ve|'m|'ll|'d| ?[` + L + `]+| ?[` + N + `]+| ?[^` + S + L + N + `]+)`),
		spaces: regexp.MustCompile(`^[` + S + `]+`),
		solid:  regexp.MustCompile(`^[^` + S + `]`),
		after:  regexp.MustCompile(`^[` + S + `]+`),
	}
}

// end returns the length of the first match in text.
func (p pattern) end(text []byte) int {
	if m := p.before.FindIndex(text); m != nil {
		return m[1]
	}
	spaces := p.spaces.FindIndex(text)
	for end := spaces[1]; end > 0; { // greedy, and giving back a character at a time
		if !p.solid.Match(text[end:]) {
			return end
		}
		_, size := utf8.DecodeLastRune(text[:end])
		end -= size
	}
	return p.after.FindIndex(text)[1]
}

// checkSplit compares the scanner with the pattern.
func (p pattern) checkSplit(tb testing.TB, text []byte) {
	for i := 0; i < len(text); {
		got, want := pieceEnd(text, i), i+p.end(text[i:])
		if got != want {
			tb.Fatalf("%q: the piece at %d is %q, want %q", text, i, text[i:got], text[i:want])
		}
		i = got
	}
}

// eachString calls f with all strings of n characters of the alphabet.
func eachString(n int, f func(text []byte)) {
	var fill func(text []byte, n int)
	fill = func(text []byte, n int) {
		if n == 0 {
			f(text)
			return
		}
		for _, r := range alphabet {
			fill(utf8.AppendRune(text, r), n-1)
		}
	}
	fill(make([]byte, 0, n*utf8.UTFMax), n)
}

func TestSplitEqualsThePattern(t *testing.T) {
	p := newPattern(t)
	for n := 1; n <= 3; n++ {
		eachString(n, func(text []byte) { p.checkSplit(t, text) })
	}
	rng := rand.New(rand.NewPCG(1, 2))
	more := append([]rune("tvmd\t\r\u2028x9\u0661@\U0001F600\U0001D400"), alphabet...)
	for range 3000 {
		var text []byte
		for range rng.IntN(30) {
			switch rng.IntN(30) {
			case 0:
				text = append(text, byte(rng.IntN(256))) // not always UTF-8
			case 1:
				text = utf8.AppendRune(text, rune(rng.IntN(utf8.MaxRune)))
			default:
				text = utf8.AppendRune(text, more[rng.IntN(len(more))])
			}
		}
		p.checkSplit(t, text)
	}
}

// All strings of up to five characters are split as the original splits them.
func TestSplitEqualsTheOriginal(t *testing.T) {
	want, err := os.ReadFile("testdata/split.sha256")
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	for n := 1; n <= 5; n++ {
		eachString(n, func(text []byte) {
			var ends []byte
			chars := byte(0) // the original counts characters
			for i := 0; i < len(text); {
				end := pieceEnd(text, i)
				chars += byte(utf8.RuneCount(text[i:end]))
				ends = append(ends, chars)
				i = end
			}
			h.Write(ends)
		})
	}
	if got := fmt.Sprintf("%x\n", h.Sum(nil)); got != string(want) {
		t.Errorf("hash of all splits: %swant %s", got, want)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("don't we'll \n\n  x\xff\xe2\x82 1\u00b2"))
	p := newPattern(f)
	f.Fuzz(func(t *testing.T, text []byte) { p.checkSplit(t, text) })
}

// A cut never changes the pieces.
func TestCutIsWhereAPieceEnds(t *testing.T) {
	for n := 2; n <= 4; n++ {
		eachString(n, func(text []byte) {
			at := train.CutAtSpace(text, 1)
			if at == len(text) {
				return
			}
			for i := 0; i != at; i = pieceEnd(text, i) {
				if i > at {
					t.Fatalf("%q: cut at %d, inside a piece", text, at)
				}
			}
			for i := 0; i < at; { // the left side alone
				end := pieceEnd(text[:at], i)
				if whole := pieceEnd(text, i); end != whole {
					t.Fatalf("%q, cut at %d: a piece ends at %d, in the whole at %d", text, at, end, whole)
				}
				i = end
			}
		})
	}
}
