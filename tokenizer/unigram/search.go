package unigram

import (
	"math"

	"github.com/aries-serpent/codexml/tokenizer/internal/parts"
	"github.com/aries-serpent/codexml/tokenizer/internal/trie"
)

// place is what the best path to an end of a piece looks like.
type place[F float32 | float64] struct {
	score F
	from  int32 // where the path's last piece begins, -1: no path ends here
	id    int32 // of the path's last piece, -1: an unknown character
}

// tooLarge is where SentencePiece brings its sums back to 0.
const tooLarge = 100000

// search finds the best path through text from a sum of start, as the originals
// do it: pieces that begin at a character are found from the shortest to the
// longest, and of two equal sums the first counts. places has room for len(text)+1.
// It returns the sum at the end.
func search[F float32 | float64](m *Model, scores []F, places []place[F], start F, text []byte) F {
	places = places[:len(text)+1]
	for i := range places {
		places[i].from = -1
	}
	places[0].score = start
	resets := m.rules == SentencePiece
	unknown := F(m.unknown)
	farthest := 0
	for at := 0; at < len(text); {
		sum := places[at].score
		if resets && (sum < -tooLarge || sum > tooLarge) {
			for i := at; i <= farthest; i++ {
				if i == at || places[i].from >= 0 {
					places[i].score -= sum
				}
			}
			sum = 0
		}
		char := min(parts.CharLen(text[at]), len(text)-at)
		single := false
		node := trie.Root
		for i := at; i < len(text); i++ {
			if node = m.trie.Next(node, text[i]); node == trie.None {
				break
			}
			id := m.trie.Value(node)
			if id == trie.None {
				continue
			}
			end := i + 1
			farthest = max(farthest, end)
			single = single || end-at == char
			if p, score := &places[end], sum+scores[id]; p.from < 0 || score > p.score {
				*p = place[F]{score, int32(at), id}
			}
		}
		if !single {
			end := at + char
			farthest = max(farthest, end)
			if p, score := &places[end], sum+unknown; p.from < 0 || score > p.score {
				*p = place[F]{score, int32(at), -1}
			}
		}
		at += char
	}
	return places[len(text)].score
}

// measured is what is known of the best path through a text from a sum of 0.
type measured struct {
	steps  int     // no path has more pieces
	margin float64 // by how much every choice on the path was better than the next best
	bound  float64 // no sum was larger, either sign
}

// measure is search in float64 from 0 that also says how sure the path is.
func (m *Model) measure(s *scratch, text []byte) measured {
	places := s.places64(len(text) + 1)
	gaps := s.gaps[:len(text)+1]
	for i := range places {
		places[i].from = -1
		gaps[i] = math.MaxFloat64
	}
	places[0].score = 0
	var r measured
	put := func(end, at int, id int32, score float64) {
		p := &places[end]
		switch {
		case p.from < 0:
			*p = place[float64]{score, int32(at), id}
		case score > p.score:
			gaps[end] = score - p.score
			*p = place[float64]{score, int32(at), id}
		default:
			gaps[end] = min(gaps[end], p.score-score)
		}
		r.bound = max(r.bound, math.Abs(score))
	}
	for at := 0; at < len(text); r.steps++ {
		sum := places[at].score
		char := min(parts.CharLen(text[at]), len(text)-at)
		single := false
		node := trie.Root
		for i := at; i < len(text); i++ {
			if node = m.trie.Next(node, text[i]); node == trie.None {
				break
			}
			if id := m.trie.Value(node); id != trie.None {
				single = single || i+1-at == char
				put(i+1, at, id, sum+m.scores[id])
			}
		}
		if !single {
			put(at+char, at, -1, sum+m.unknown)
		}
		at += char
	}
	r.margin = math.MaxFloat64
	for at := len(text); at > 0; at = int(places[at].from) {
		r.margin = min(r.margin, gaps[at])
	}
	return r
}
