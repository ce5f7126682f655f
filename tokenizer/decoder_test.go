package tokenizer

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// checkDecoder decodes ids one by one: all together must be what Decode gives, and
// no part may end inside a character of that.
func checkDecoder(t *testing.T, tok Tokenizer, ids []int32) {
	t.Helper()
	want := tok.Decode(nil, ids)
	ends := map[int]bool{0: true} // of the characters
	for i := 0; i < len(want); {
		_, size := utf8.DecodeRune(want[i:])
		i += size
		ends[i] = true
	}
	d := NewDecoder(tok)
	var got []byte
	for i, id := range ids {
		got = d.Append(got, id)
		if !ends[len(got)] {
			t.Fatalf("after %d ids of %v the text ends inside a character: %q", i+1, ids, got)
		}
		if held := len(tok.Decode(nil, ids[:i+1])) - len(got); held >= utf8.UTFMax {
			t.Fatalf("after %d ids %d bytes are held back", i+1, held)
		}
	}
	if got = d.Flush(got); !bytes.Equal(got, want) {
		t.Fatalf("one by one %v gives %q, want %q", ids, got, want)
	}
	if more := d.Flush(nil); len(more) != 0 {
		t.Fatalf("a second Flush gives %q", more)
	}
}

func TestDecoderNeverSplitsACharacter(t *testing.T) {
	bytesOnly := load(t, "small-4096") // whose pieces are mostly single bytes
	unicode := load(t, "unicode-900")
	for _, text := range readLines[string](t, "testdata/strings.jsonl") {
		checkDecoder(t, bytesOnly, bytesOnly.Encode(nil, []byte(text)))
		checkDecoder(t, unicode, unicode.Encode(nil, []byte(text)))
	}
	for _, text := range []string{"\xff\xe2\x82", "\xe2\x28\xa1", "\xf0\x9f\x98", "\x80\x80\x80\x80", "a\xc3", "\xed\xa0\x80", "\xf5\x80"} {
		checkDecoder(t, bytesOnly, bytesOnly.Encode(nil, []byte(text)))
	}
}

func TestDecoderGivesCharactersAsTheyAreComplete(t *testing.T) {
	tok := load(t, "small-4096")
	d := NewDecoder(tok)
	var got []string
	for _, id := range tok.Encode(nil, []byte("a\u20ac\xe2b")) {
		got = append(got, string(d.Append(nil, id)))
	}
	want := []string{"a", "", "", "\u20ac", "", "\xe2b"}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("after id %d: %q, want %q", i, got[i], want[i])
		}
	}
}

func FuzzDecoder(f *testing.F) {
	f.Add([]byte("\xf0\x9f\x98\x80 a\xff"))
	tok := load(f, "unicode-900")
	f.Fuzz(func(t *testing.T, data []byte) {
		ids := make([]int32, len(data))
		for i, b := range data {
			ids[i] = int32(b) * 3
		}
		checkDecoder(t, tok, ids)
	})
}
