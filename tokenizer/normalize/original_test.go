package normalize

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// subjects are the normalisers of testdata/original.py.
func subjects(t testing.TB) map[string]Normalizer {
	t.Helper()
	charsmap, err := BuildCharsmap("nmt_nfkc_cf")
	if err != nil {
		t.Fatal(err)
	}
	return subjectsWith(t, charsmap)
}

func subjectsWith(t testing.TB, charsmap []byte) map[string]Normalizer {
	t.Helper()
	precompiled, err := NewPrecompiled(charsmap)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]Normalizer{
		"NFC": NFC, "NFD": NFD, "NFKC": NFKC, "NFKD": NFKD, "Lowercase": Lowercase{}, "Strip": Strip{true, true},
		"StripLeft": Strip{Left: true}, "StripRight": Strip{Right: true}, "StripAccents": StripAccents{},
		"Nmt": Nmt{}, "Prepend": Prepend("\u2581x"), "PrependNothing": Prepend(""), "ByteLevel": ByteLevel{},
		"Replace": Replace{Literal(" "), "\u2581"}, "ReplaceWithNothing": Replace{Literal("a"), ""}, "ReplaceNothing": Replace{Literal(""), "_"},
		"ReplaceLonger": Replace{Literal("e\u0301"), "xyz"},
		"Bert":          Bert{true, true, true, true}, "BertClean": Bert{CleanText: true}, "BertChinese": Bert{ChineseChars: true}, "BertAccents": Bert{StripAccents: true},
		"Precompiled": precompiled,
		"Sequence":    Sequence{NFKD, StripAccents{}, Lowercase{}, Replace{Literal("s"), "ss"}, Strip{true, true}, NFC, Prepend("\u2581")},
		"Albert":      Sequence{Replace{Literal("``"), `"`}, NFKD, StripAccents{}, Lowercase{}, precompiled},
	}
}

// Every code point, after an x, becomes what the original makes of it.
func TestEveryCodePoint(t *testing.T) {
	all := subjects(t)
	checkSums(t, "codepoints.sha256", 0, func(name string) func(dst, src []byte) []byte { return all[name].Append })
}

func TestEveryCodePointSentencePiece(t *testing.T) {
	checkSums(t, "spm.sha256", 1, func(name string) func(dst, src []byte) []byte {
		charsmap, err := BuildCharsmap(name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewSentencePiece(SentencePieceConfig{Charsmap: charsmap})
		if err != nil {
			t.Fatal(err)
		}
		return s.Append
	})
}

func checkSums(t *testing.T, file string, first rune, subject func(name string) func(dst, src []byte) []byte) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		want, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		f := subject(name)
		h := sha256.New()
		var out []byte
		for r := first; r <= unicode.MaxRune; r++ {
			if 0xD800 <= r && r < 0xE000 {
				continue
			}
			var buf [8]byte
			out = append(f(out, utf8.AppendRune(append(buf[:0], 'x'), r)), '\n')
			if len(out) > 1<<16 {
				h.Write(out)
				out = out[:0]
			}
		}
		h.Write(out)
		if got := fmt.Sprintf("%x", h.Sum(nil)); got != want {
			t.Errorf("%s: the text of some code points differs from the original's", name)
		}
	}
}

// Texts and alignments equal the original's.
func TestCases(t *testing.T) {
	all := subjects(t)
	used := map[string]bool{}
	eachLine(t, "cases.jsonl", func(line []byte) {
		var name, in, want string
		var spans [][2]int
		parse(t, line, &name, &in, &want, &spans)
		used[name] = true
		n := all[name]
		if got := string(n.Append([]byte("before"), []byte(in))); got != "before"+want {
			t.Errorf("%s of %q: got %q, want %q", name, in, got, "before"+want)
			return
		}
		var a Aligned
		a.Reset([]byte(in), 0)
		n.Align(&a)
		if string(a.Text) != want {
			t.Errorf("%s of %q: aligned %q, want %q", name, in, a.Text, want)
		}
		if spans != nil {
			if got := inCharacters(in, &a); fmt.Sprint(got) != fmt.Sprint(spans) {
				t.Errorf("%s of %q to %q: spans\n%v, want\n%v", name, in, a.Text, got, spans)
			}
		}
	})
	for name := range all {
		if !used[name] {
			t.Errorf("no case for %s", name)
		}
	}
}

// inCharacters gives the span of each character of a.Text, in characters of in.
func inCharacters(in string, a *Aligned) [][2]int {
	out := [][2]int{}
	for i := 0; i < len(a.Text); i += charLen(a.Text[i:]) {
		s := a.Spans[i]
		out = append(out, [2]int{utf8.RuneCountInString(in[:s.Start]), utf8.RuneCountInString(in[:s.End])})
	}
	return out
}

func TestCasesSentencePiece(t *testing.T) {
	maps := map[string][]byte{}
	eachLine(t, "spm.jsonl", func(line []byte) {
		var rule, options, in, want string
		var offsets []int
		parse(t, line, &rule, &options, &in, &want, &offsets)
		if _, ok := maps[rule]; !ok {
			m, err := BuildCharsmap(rule)
			if err != nil {
				t.Fatal(err)
			}
			maps[rule] = m
		}
		config := SentencePieceConfig{Charsmap: maps[rule], EscapeWhitespaces: true, AddDummyPrefix: strings.Contains(options, "prefix"),
			RemoveExtraWhitespaces: strings.Contains(options, "extra"), WhitespaceAsSuffix: strings.Contains(options, "suffix")}
		if strings.Contains(options, "symbols") {
			config.UserDefined = []string{"Ab", "A", "\ufb01x"}
		}
		s, err := NewSentencePiece(config)
		if err != nil {
			t.Fatal(err)
		}
		got, at := s.AppendOffsets(nil, nil, []byte(in))
		if string(got) != want || string(s.Append(nil, []byte(in))) != want {
			t.Errorf("%s with %s of %q: got %q, want %q", rule, options, in, got, want)
			return
		}
		if len(at) == 0 { // the original's answer to Python always has an end
			at = []int32{0}
		}
		// The original counts in characters, on both sides.
		chars := []int{}
		for i := 0; i < len(at); i++ {
			if i == len(got) || utf8.RuneStart(got[i]) {
				chars = append(chars, utf8.RuneCountInString(in[:at[i]]))
			}
		}
		if fmt.Sprint(chars) != fmt.Sprint(offsets) {
			t.Errorf("%s with %s of %q: offsets %v, want %v", rule, options, in, chars, offsets)
		}
		checkAgreement(t, s, []byte(in))
	})
}

func eachLine(t *testing.T, file string, f func(line []byte)) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		f(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// parse reads a JSON array into its places.
func parse(t *testing.T, line []byte, places ...any) {
	t.Helper()
	if err := json.Unmarshal(line, &places); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
}

// checkAgreement checks that both methods give one text, that every byte has a span
// inside the original, and that bytes of a character have the same one.
func checkAgreement(t *testing.T, n Normalizer, in []byte) {
	t.Helper()
	want := n.Append(nil, in)
	var a Aligned
	a.Reset(in, 7)
	n.Align(&a)
	if !bytes.Equal(a.Text, want) {
		t.Fatalf("%T of %q: aligned %q, want %q", n, in, a.Text, want)
	}
	if len(a.Spans) != len(a.Text) {
		t.Fatalf("%T of %q: %d spans of %d bytes", n, in, len(a.Spans), len(a.Text))
	}
	for i, s := range a.Spans {
		if s.Start < 7 || s.End < s.Start || int(s.End) > 7+len(in) {
			t.Fatalf("%T of %q: span %d is %v", n, in, i, s)
		}
		if i > 0 && !utf8.RuneStart(a.Text[i]) && utf8.Valid(in) && s != a.Spans[i-1] {
			t.Fatalf("%T of %q: the character at byte %d has two spans", n, in, i)
		}
	}
}
