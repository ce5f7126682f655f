package data

import (
	"crypto/sha256"
	"slices"

	"github.com/aries-serpent/codexml/internal/par"
)

// bucketReach bounds the pairs compared in a bucket of many documents that are
// alike in one band and yet not similar: each is compared with so many before it.
const bucketReach = 128

// items are what similarity is about: texts, or documents of tokens.
type items struct {
	n        int
	bytes    func(i int) []byte
	shingles func(dst []uint64, i int) []uint64
}

func textItems(docs []Document) items {
	return items{
		n:        len(docs),
		bytes:    func(i int) []byte { return docs[i].Text },
		shingles: func(dst []uint64, i int) []uint64 { return textShingles(dst, docs[i].Text) },
	}
}

// link joins two items that are similar.
type link struct {
	a, b       int32
	similarity float64
}

// similar is a partition of items: those that chains of similar pairs connect are
// in one group.
type similar struct {
	digests [][sha256.Size]byte // of the items' bytes
	parent  []int32             // towards the group's first item
	links   []link              // that made the groups: one fewer per group than items
}

// findSimilar groups items whose shingles have a Jaccard similarity of at least
// threshold. Pairs are proposed by MinHash and verified on the sets themselves.
func findSimilar(in items, threshold float64, threads int) *similar {
	s := &similar{digests: make([][sha256.Size]byte, in.n), parent: make([]int32, in.n)}
	pool := par.New(threads)
	defer pool.Close()
	signatures := make([]signature, in.n)
	scratch := make([][]uint64, threads)
	pool.For(in.n, 16, func(worker, lo, hi int) {
		for i := lo; i < hi; i++ {
			s.digests[i] = sha256.Sum256(in.bytes(i))
			scratch[worker] = in.shingles(scratch[worker][:0], i)
			signatures[i].sign(scratch[worker])
		}
	})
	distinct := s.joinIdentical()
	v := verifier{in: in, signatures: signatures, threshold: threshold, sets: map[int32][]uint64{}}
	for _, band := range candidates(signatures, distinct, pool) {
		for len(band) > 0 {
			n := 1
			for n < len(band) && band[n].key == band[0].key {
				n++
			}
			s.joinBucket(band[:n], &v)
			band = band[n:]
		}
	}
	return s
}

// joinIdentical makes every item its own group, joins equal ones, and returns the
// first of each.
func (s *similar) joinIdentical() (distinct []int32) {
	first := make(map[[sha256.Size]byte]int32, len(s.digests))
	for i := range s.digests {
		item := int32(i)
		s.parent[i] = item
		if j, ok := first[s.digests[i]]; ok {
			s.join(j, item, 1)
			continue
		}
		first[s.digests[i]] = item
		distinct = append(distinct, item)
	}
	return distinct
}

// joinBucket compares the items of a bucket that are not in one group yet.
func (s *similar) joinBucket(bucket []keyed, v *verifier) {
	if !slices.ContainsFunc(bucket, func(k keyed) bool { return s.root(k.item) != s.root(bucket[0].item) }) {
		return
	}
	for j := range bucket {
		for i := max(0, j-bucketReach); i < j; i++ {
			a, b := bucket[i].item, bucket[j].item
			if s.root(a) == s.root(b) {
				continue
			}
			if similarity, ok := v.similarity(a, b); ok {
				s.join(a, b, similarity)
			}
		}
	}
}

// root is the first item of a group.
func (s *similar) root(i int32) int32 {
	for s.parent[i] != i {
		s.parent[i] = s.parent[s.parent[i]]
		i = s.parent[i]
	}
	return i
}

func (s *similar) join(a, b int32, similarity float64) {
	s.links = append(s.links, link{a, b, similarity})
	a, b = s.root(a), s.root(b)
	s.parent[max(a, b)] = min(a, b)
}

// groups lists the groups in the order of their first items, each in order.
func (s *similar) groups() [][]int {
	at := make(map[int32]int)
	var groups [][]int
	for i := range s.parent {
		r := s.root(int32(i))
		g, ok := at[r]
		if !ok {
			g = len(groups)
			at[r] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

// verifier computes similarities, keeping the sets it has made.
type verifier struct {
	in         items
	signatures []signature
	threshold  float64
	sets       map[int32][]uint64
}

// similarity is the Jaccard similarity of two items, if it reaches the threshold.
func (v *verifier) similarity(a, b int32) (float64, bool) {
	// So far below, by four standard deviations at least, the estimate decides.
	if float64(v.signatures[a].estimate(&v.signatures[b])) < (v.threshold-0.17)*permutations {
		return 0, false
	}
	x, y := v.set(a), v.set(b)
	if float64(min(len(x), len(y))) < v.threshold*float64(max(len(x), len(y))) {
		return 0, false
	}
	j := jaccard(x, y)
	return j, j >= v.threshold
}

func (v *verifier) set(i int32) []uint64 {
	set, ok := v.sets[i]
	if !ok {
		set = shingleSet(v.in.shingles(nil, int(i)))
		v.sets[i] = set
	}
	return set
}

// shingleSet sorts shingles and drops repeats, in place.
func shingleSet(shingles []uint64) []uint64 {
	slices.Sort(shingles)
	return slices.Clip(slices.Compact(shingles))
}

// jaccard is the size of the intersection of two sorted sets over that of their union.
func jaccard(x, y []uint64) float64 {
	both := 0
	for i, j := 0, 0; i < len(x) && j < len(y); {
		switch {
		case x[i] < y[j]:
			i++
		case x[i] > y[j]:
			j++
		default:
			both, i, j = both+1, i+1, j+1
		}
	}
	return float64(both) / float64(len(x)+len(y)-both)
}
