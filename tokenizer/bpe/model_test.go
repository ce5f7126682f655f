package bpe

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// tiny is a model over the bytes with the merges that left and right spell.
func tiny(tb testing.TB, pairs ...[2]string) *Model {
	tb.Helper()
	vocab := NewVocabulary(NumBytes+len(pairs), 1<<12)
	for _, b := range ByteOrder {
		vocab.Add(AppendWritten(nil, []byte{b}))
	}
	var merges []Merge
	for _, p := range pairs {
		vocab.Add([]byte(p[0] + p[1]))
		var ids [3]int32
		for i, piece := range []string{p[0], p[1], p[0] + p[1]} {
			id, ok := vocab.ID([]byte(piece))
			if !ok {
				tb.Fatalf("no piece %q", piece)
			}
			ids[i] = id
		}
		merges = append(merges, Merge{ids[0], ids[1], ids[2]})
	}
	m, err := New(Config{Vocabulary: vocab, Merges: merges, ByteLevel: true, Unknown: -1})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// slowMerge merges a piece by the definition of BPE.
func slowMerge(tok *Model, piece []byte) []int32 {
	var ids []int32
	for _, b := range piece {
		ids = append(ids, tok.bytes[b])
	}
	for {
		at, best, made := 0, int32(noRank), int32(0)
		for i := range len(ids) - 1 {
			if rank, id := tok.pairs.rank(ids[i], ids[i+1]); rank < best {
				at, best, made = i, rank, id
			}
		}
		if best == noRank {
			return ids
		}
		ids = slices.Replace(ids, at, at+2, made)
	}
}

func TestMergesByRank(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	m := tiny(t, [2]string{"a", "b"}, [2]string{"b", "a"}, [2]string{"a", "a"}, [2]string{"aa", "aa"}, [2]string{"ab", "ab"},
		[2]string{"b", "b"}, [2]string{"aa", "b"}, [2]string{"t", "c"}, [2]string{"abab", "aa"}, [2]string{"c", "c"}, [2]string{"cc", "c"})
	for n := 1; n < 3*shortPiece; n++ {
		piece := make([]byte, n)
		for i := range piece {
			piece[i] = "aaabbct"[rng.IntN(7)]
		}
		want := slowMerge(m, piece)
		if n <= shortPiece {
			if got := m.appendShort(nil, piece); !slices.Equal(got, want) {
				t.Fatalf("ids of %q\n got  %v\n want %v", piece, got, want)
			}
		}
		s := new(scratch)
		s.spell(m, piece)
		s.merge(m)
		var got []int32
		for i := s.first(); i >= 0; i = s.parts[i].next {
			got = append(got, s.parts[i].id)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("ids of %q by the heap\n got  %v\n want %v", piece, got, want)
		}
		for range 2 { // without and with what the cache has learned
			if got := m.AppendIDs(nil, piece); !slices.Equal(got, want) {
				t.Fatalf("ids of %q by the cache\n got  %v\n want %v", piece, got, want)
			}
		}
	}
}
