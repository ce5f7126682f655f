package regex

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"testing"
)

func TestMatchesAreTiktokens(t *testing.T) {
	f, err := os.Open("testdata/rust.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var pattern string
		var cases [][]string
		if err := json.Unmarshal(lines.Bytes(), &[]any{&pattern, &cases}); err != nil {
			t.Fatalf("rust.jsonl: %s: %v", lines.Text(), err)
		}
		re, err := CompileRust(pattern)
		if (cases == nil) != (err != nil) {
			t.Errorf("%q: error %v, the original refuses it: %v", pattern, err, cases == nil)
		}
		if err != nil {
			continue
		}
		for _, c := range cases {
			if got := pieces(re, c[0]); !slices.Equal(got, c[1:]) {
				t.Errorf("%q in %q\n got  %q\n want %q", pattern, c[0], got, c[1:])
				break
			}
		}
	}
}

// pieces returns what re matches in text.
func pieces(re *Regexp, text string) []string {
	out := []string{}
	matches := re.AppendMatches(nil, []byte(text))
	for i := 0; i < len(matches); i += 2 {
		if matches[i] < matches[i+1] {
			out = append(out, text[matches[i]:matches[i+1]])
		}
	}
	return out
}
