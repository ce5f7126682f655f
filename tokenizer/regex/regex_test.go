package regex

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// original is a line of testdata/oniguruma.jsonl.
type original struct {
	pattern string
	refused bool
	cases   []originalCase
}

type originalCase struct {
	text  string
	spans []int // in characters
}

// originals reads what Oniguruma matched.
func originals(tb testing.TB) (list []original) {
	tb.Helper()
	f, err := os.Open("testdata/oniguruma.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		list = append(list, parseOriginal(tb, lines.Bytes()))
	}
	return list
}

func parseOriginal(tb testing.TB, line []byte) (o original) {
	tb.Helper()
	var cases [][]any
	if err := json.Unmarshal(line, &[]any{&o.pattern, &cases}); err != nil {
		tb.Fatalf("oniguruma.jsonl: %s: %v", line, err)
	}
	o.refused = cases == nil
	for _, c := range cases {
		oc := originalCase{text: c[0].(string)}
		for _, place := range c[1:] {
			oc.spans = append(oc.spans, int(place.(float64)))
		}
		o.cases = append(o.cases, oc)
	}
	return o
}

// spans returns the matches of re in text as the original gives them.
func spans(re *Regexp, text string) []int {
	var out []int
	matches := re.AppendMatches(nil, []byte(text))
	for i := 0; i < len(matches); i += 2 {
		if matches[i] < matches[i+1] {
			out = append(out, utf8.RuneCountInString(text[:matches[i]]), utf8.RuneCountInString(text[:matches[i+1]]))
		}
	}
	return out
}

func TestMatchesAreOnigurumas(t *testing.T) {
	for _, o := range originals(t) {
		re, err := Compile(o.pattern)
		if o.refused != (err != nil) {
			t.Errorf("%q: error %v, the original refuses it: %v", o.pattern, err, o.refused)
		}
		if err != nil {
			continue
		}
		for _, c := range o.cases {
			if got := spans(re, c.text); !slices.Equal(got, c.spans) {
				t.Errorf("%q in %q\n got  %v\n want %v", o.pattern, c.text, got, c.spans)
				break
			}
		}
	}
}

func TestRejectsWhatIsNotSupported(t *testing.T) {
	reject := func(pattern, want string) {
		t.Helper()
		if _, err := Compile(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80q: error %v, want one with %q", pattern, err, want)
		}
	}
	reject(`a\X`, `at byte 1: \X, a grapheme, is not supported`)
	reject(`(a)\1`, `at byte 3: a reference to a group`)
	reject(`a(?~b)`, `at byte 3: the group (?~ is not supported`)
	reject(`(?i:ss)`, `"ss" without regard to case`)
	reject(`\p{Klingon}`, `the property "Klingon" is not supported`)
	reject(`(?<=a+)b`, "look-behind for more than 255 characters")
	reject(strings.Repeat("(", 300), "more than 200 groups")
	reject(strings.Repeat("[", 300), "more than 200 groups")
	reject(`(?:(?:ab){1000}){1000}`, "the pattern is too large")
	reject(strings.Repeat("(?:a*)*", 20), "more than 8 loops")
	reject(strings.Repeat("a", maxPattern+1), "more than the 65536")
	reject("\xff", "not valid UTF-8")
}

func TestInvalidBytesAreOther(t *testing.T) {
	find := func(pattern, text string, want ...int32) {
		t.Helper()
		if got := MustCompile(pattern).AppendMatches(nil, []byte(text)); !slices.Equal(got, want) {
			t.Errorf("%q in %q: %v, want %v", pattern, text, got, want)
		}
	}
	find(`[^\s\p{L}]+`, "a\xff\xe2\x82 b", 1, 4)
	find(`.`, "\xe2\x82\xac\xe2", 0, 3, 3, 4)
	find(`\p{So}|\x{FFFD}`, "\xff\ufffd", 1, 4)
	find(`(?<=[^a]{2})a`, "\xe2\x82a", 2, 3)
	find(`[^a]*a`, "\xff\xffa", 0, 3)
	find(`(?:[^b]*)[^a]b`, "a\xe2\x82b", 0, 4)
}

// Patterns that take exponential or quadratic time without a memory of failures.
func TestTimeIsBounded(t *testing.T) {
	text := []byte(strings.Repeat("a", 1<<14))
	for _, pattern := range []string{`(?:a|a)*b`, `(?:a*)*b`, `(?:a?){20}a{20}b`, `a*a*a*b`, `a*b|c`, `(?:a|aa)+$b`, `(?:a+)+b`, `(?:(?:a|b)*c|a)*d`, `(?<=(?:a|a){1,9}b)a`, `a*?a*?b`} {
		if m := MustCompile(pattern).AppendMatches(nil, text); m != nil {
			t.Errorf("%q matches at %v", pattern, m[:2])
		}
	}
	if m := MustCompile(`(?:a|a)*`).AppendMatches(nil, text); !slices.Equal(m, []int32{0, 1 << 14}) {
		t.Errorf("(?:a|a)* matches at %v", m)
	}
	if m := MustCompile(`a*b|a`).AppendMatches(nil, text); len(m) != 2<<14 {
		t.Errorf("a*b|a matches %d times", len(m)/2)
	}
}

// With failures remembered from the first step the matches are the same.
func TestMemoryOfFailuresChangesNothing(t *testing.T) {
	for _, o := range originals(t) {
		re, err := Compile(o.pattern)
		if err != nil {
			continue
		}
		for _, c := range o.cases {
			text := []byte(c.text)
			for from := range len(text) + 1 {
				var m machine
				start, end, ok := m.find(re.prog, text, from)
				var r machine
				r.begin(re.prog, text)
				r.steps = 1 << 60
				if s, e, k := r.search(from); s != start || e != end || k != ok {
					t.Fatalf("%q in %q from %d: %d to %d, with memory %d to %d", o.pattern, text, from, start, end, s, e)
				}
			}
		}
	}
}

func TestFindAllocatesNothing(t *testing.T) {
	re := MustCompile(`(?>a|b)+c|(?:ab*?)+(?=d)|\w+`)
	text := []byte("ababababd abac foo bar")
	if n := testing.AllocsPerRun(100, func() { re.Find(text, 3) }); n != 0 {
		t.Errorf("Find allocates %v times", n)
	}
}
