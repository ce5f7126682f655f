package regex

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"unicode/utf8"
)

// knownPatterns are of the forms that have scanners.
var knownPatterns = []string{
	`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
	`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
	`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
	`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
	`'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{N}\p{L}]?+\p{L}+|\p{N}+|(?: )?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s`,
	`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
	`'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`,
	`\p{N}{1,3}`,
	`[^\s]+|\s+`,
}

// checkScanner compares the scanner with the general engine at every place of text.
func checkScanner(tb testing.TB, re *Regexp, text []byte) {
	tb.Helper()
	for i := 0; i < len(text); i += charSize(text, i) {
		want, ok := re.matchAt(text, i)
		if !ok {
			want = i
		}
		if got := re.Scanner()(text, i); got != want {
			tb.Fatalf("%q in %q: the piece at %d ends at %d, want %d", re, text, i, got, want)
		}
	}
	general := &Regexp{prog: re.prog}
	general.scratch.New = re.scratch.New
	got, ok := re.Cover(nil, text)
	want, covers := general.Cover(nil, text)
	if ok != covers || ok && !slices.Equal(got, want) {
		tb.Fatalf("%q in %q: cover %v %v, want %v %v", re, text, got, ok, want, covers)
	}
	if got, want := re.Ends(nil, text), general.Ends(nil, text); !slices.Equal(got, want) {
		tb.Fatalf("%q in %q: ends %v, want %v", re, text, got, want)
	}
}

func TestScannersAreTheGeneralEngine(t *testing.T) {
	alphabet := []rune("'''sStTrReElLvVdDmM aAbB12\u00b2!-/  \n\r\t\u00e9\u00c9\u0301\u0903\u01c5\u02b0\u4e2d\u017f\u00a0\u3000\u2167\u0663\U0001f600")
	rng := rand.New(rand.NewPCG(1, 2))
	for _, pattern := range knownPatterns {
		re := MustCompile(pattern)
		if re.known == nil {
			t.Errorf("%q has no scanner", pattern)
			continue
		}
		for range 1500 {
			var text []byte
			for range rng.IntN(24) {
				switch rng.IntN(40) {
				case 0:
					text = append(text, byte(rng.IntN(256))) // not always UTF-8
				case 1:
					text = utf8.AppendRune(text, rune(rng.IntN(utf8.MaxRune)))
				case 2:
					text = append(text, "Internationalisations"[rng.IntN(8):]...)
				default:
					text = utf8.AppendRune(text, alphabet[rng.IntN(len(alphabet))])
				}
			}
			checkScanner(t, re, text)
		}
	}
}

// What has other meanings than the known forms is left to the general engine.
func TestOtherPatternsHaveNoScanner(t *testing.T) {
	for _, pattern := range []string{
		`'s|'t|'re|'ve|'m|'ll|'q| ?\p{L}+`, `[^\n]?+[a-z]+`, `\s++(?!\S)`, `\s+(?!a)`, `a*b`, `a+?`, `\s*\p{L}+`, `(?<=a)b+`, `\w+\b`,
	} {
		if re := MustCompile(pattern); re.known != nil {
			t.Errorf("%q has a scanner", pattern)
		}
	}
	re, err := CompileRust(`'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s`)
	if err != nil || re.known == nil {
		t.Errorf("tiktoken's cl100k has no scanner: %v", err)
	}
}

func FuzzScanner(f *testing.F) {
	f.Add([]byte("don't WE'LL \n\n  x\xff\xe2\x82 1\u00b2 HTTPServer\u0301s"))
	var list []*Regexp
	for _, pattern := range knownPatterns {
		list = append(list, MustCompile(pattern))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, re := range list {
			checkScanner(t, re, text)
		}
	})
}

func FuzzCompile(f *testing.F) {
	for _, o := range originals(f) {
		f.Add(o.pattern, "foo 's 12\n")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		for _, d := range []dialect{oniguruma, rust} {
			if re, err := compile(pattern, d); err == nil {
				re.AppendMatches(nil, []byte(text))
			}
		}
	})
}

func BenchmarkEnds(b *testing.B) {
	text := benchText(b)
	for _, pattern := range knownPatterns[:6] {
		re := MustCompile(pattern)
		general := &Regexp{prog: re.prog}
		general.scratch.New = re.scratch.New
		for name, re := range map[string]*Regexp{"scanner": re, "general": general} {
			b.Run(name, func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				var ends []int32
				for b.Loop() {
					ends = re.Ends(ends[:0], text)
				}
			})
		}
	}
}

// benchText is source text of this package.
func benchText(tb testing.TB) []byte {
	text, err := os.ReadFile("machine.go")
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		MustCompile(knownPatterns[1])
	}
}
