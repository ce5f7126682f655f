package regex

import (
	"testing"
	"unicode/utf8"
)

// The numbers of characters that match, of all 1,112,064 that UTF-8 can write, counted
// with tokenizers 0.23.3 and with tiktoken 0.14.0.
func TestClassesHaveTheOriginalsSizes(t *testing.T) {
	count := func(re *Regexp) (n int) {
		var buf [utf8.UTFMax]byte
		for r := rune(0); r <= utf8.MaxRune; r++ {
			if !utf8.ValidRune(r) {
				continue
			}
			if _, ok := re.matchAt(buf[:utf8.EncodeRune(buf[:], r)], 0); ok {
				n++
			}
		}
		return n
	}
	both := map[string]int{
		`\p{L}`: 141028, `\p{M}`: 2501, `\p{N}`: 1911, `\p{P}`: 855, `\p{S}`: 8514, `\p{Z}`: 19, `\p{C}`: 957236, `\p{Cn}`: 819533,
		`\s`: 25, `\d`: 760, `\h`: 22,
	}
	for pattern, want := range both {
		for d, name := range []string{"Oniguruma", "Rust"} {
			re, err := compile(pattern, dialect(d))
			if err != nil {
				t.Fatal(err)
			}
			if got := count(re); got != want {
				t.Errorf("%s of %s has %d characters, want %d", pattern, name, got, want)
			}
		}
	}
	for pattern, want := range map[string]int{
		`\w`: 144671, `[[:punct:]]`: 9369, `[[:graph:]]`: 292447, `[[:print:]]`: 292464, `[[:blank:]]`: 18, `[[:alnum:]]`: 143519,
		`(?i:s)`: 3, `(?i:k)`: 3,
	} {
		if got := count(MustCompile(pattern)); got != want {
			t.Errorf("%s has %d characters, want %d", pattern, got, want)
		}
	}
	re, err := CompileRust(`\w`)
	if err != nil {
		t.Fatal(err)
	}
	if got := count(re); got != 144667 {
		t.Errorf("Rust's \\w has %d characters, want 144667", got)
	}
}
