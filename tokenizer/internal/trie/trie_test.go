package trie

import (
	"fmt"
	"slices"
	"testing"
)

// Every key is found, everything else is not, in sets of every shape.
func TestTrie(t *testing.T) {
	sets := map[string][]string{
		"empty":    {},
		"one":      {"a"},
		"prefixes": {"a", "ab", "abc", "abd", "b", "\xff", "\x00", "\x00\x00"},
		"bytes":    {},
		"many":     {},
	}
	for c := range 256 {
		sets["bytes"] = append(sets["bytes"], string([]byte{byte(c)}), string([]byte{byte(c), byte(c * 7)}))
	}
	for i := range 8000 {
		sets["many"] = append(sets["many"], fmt.Sprintf("%x", i*i*2654435761))
	}
	for name, set := range sets {
		var keys []Key
		values := map[string]int32{}
		for i, s := range set {
			keys = append(keys, Key{Text: s, Value: int32(i)})
			if _, ok := values[s]; !ok {
				values[s] = int32(i)
			}
		}
		trie := New(keys)
		for s, v := range values {
			if got := trie.Find([]byte(s)); got != v {
				t.Fatalf("%s: Find(%q) is %d, want %d", name, s, got, v)
			}
			for c := range 256 {
				other := s + string([]byte{byte(c)})
				want, ok := values[other]
				if !ok {
					want = None
				}
				if got := trie.Find([]byte(other)); got != want {
					t.Fatalf("%s: Find(%q) is %d, want %d", name, other, got, want)
				}
			}
		}
	}
}

func TestLongest(t *testing.T) {
	trie := New([]Key{{Text: "a", Value: 1}, {Text: "abc", Value: 2}, {Text: "abcd", Value: 3}})
	for text, want := range map[string][]int{"": {0, -1}, "b": {0, -1}, "ab": {1, 1}, "abce": {3, 2}, "abcde": {4, 3}} {
		length, value := trie.Longest([]byte(text))
		if got := []int{length, int(value)}; !slices.Equal(got, want) {
			t.Errorf("Longest(%q) is %v, want %v", text, got, want)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	var keys []Key
	for i := range 200000 {
		keys = append(keys, Key{Text: fmt.Sprintf("%x", uint32(i*i)*2654435761), Value: int32(i)})
	}
	for b.Loop() {
		New(slices.Clone(keys))
	}
}
