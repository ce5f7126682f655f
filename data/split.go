package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

// Share is how much of the documents' bytes a side of a split gets: the smaller of
// a ratio of all and a number of bytes (0: no bound). A ratio of 0 is none at all.
type Share struct {
	Ratio    float64
	MaxBytes int64
}

// SplitOptions say how to split.
type SplitOptions struct {
	Seed             uint64
	Validation, Test Share
	Similarity       float64 // documents that are at least so similar stay on one side; 0 is 0.8
	Threads          int     // 0: all; does not reach the result
}

// Splits are documents by use. Each side keeps the order they came in.
type Splits struct {
	Train, Validation, Test []Document
	Groups                  int // of documents that had to stay together, single ones included
	Duplicates              int // documents that are identical or near-identical to one before them
}

const (
	// fullEnough is the part of its bytes at which a side stops looking for groups
	// that still fit: what is left would only go to small ones.
	fullEnough = 0.95
	// largestGroup is the part of a side that one group may fill, if there are
	// smaller ones: a large file or family of files would stand for all.
	largestGroup = 0.125
)

// Split divides documents into training, validation and test data. Groups of
// documents that chains of near-identical pairs connect stay together. Groups come
// in the order of SHA-256(seed, SHA-256(text)), smallest of the group, so that the same
// documents in another order split the same way, and more documents move few.
// Test is filled first, then validation, passing over groups that would not fit.
func Split(docs []Document, o SplitOptions) (*Splits, error) {
	if len(docs) == 0 {
		return nil, fmt.Errorf("split data: %w: there are no documents", ErrEmpty)
	}
	if o.Similarity == 0 {
		o.Similarity = 0.8
	}
	found := findSimilar(textItems(docs), o.Similarity, threads(o.Threads))
	groups := groupsInOrder(docs, found, o.Seed)
	sides := 1
	for _, share := range []Share{o.Test, o.Validation} {
		if share.Ratio > 0 {
			sides++
		}
	}
	if len(groups) < sides {
		return nil, fmt.Errorf("split data: %d documents in %d groups of near-identical ones can't be split into %d parts: give more data, "+
			"validation data of its own (data.val_path, data.test_path), or a ratio of 0 in data.split_ratios", len(docs), len(groups), sides)
	}
	s := &Splits{Groups: len(groups), Duplicates: len(found.links)}
	total := textBytes(docs)
	test, groups := take(groups, o.Test, total, sides-1)
	validation, groups := take(groups, o.Validation, total, 1)
	s.Test, s.Validation, s.Train = collect(docs, test), collect(docs, validation), collect(docs, groups)
	return s, nil
}

// group is a set of documents that stay together.
type group struct {
	docs  []int
	bytes int64
	key   [sha256.Size]byte // its place in the seeded order
}

func groupsInOrder(docs []Document, found *similar, seed uint64) []group {
	var groups []group
	for _, members := range found.groups() {
		g := group{docs: members}
		for n, i := range members {
			g.bytes += int64(len(docs[i].Text))
			message := append(binary.LittleEndian.AppendUint64(nil, seed), found.digests[i][:]...)
			if key := sha256.Sum256(message); n == 0 || bytes.Compare(key[:], g.key[:]) < 0 {
				g.key = key
			}
		}
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b group) int { return bytes.Compare(a.key[:], b.key[:]) })
	return groups
}

// take moves groups into a side until it has its share, leaving spare groups at
// least. If not even one fits, the side gets the smallest.
func take(groups []group, share Share, total int64, spare int) (side, rest []group) {
	if share.Ratio <= 0 {
		return nil, groups
	}
	limit := share.Ratio * float64(total)
	if share.MaxBytes > 0 {
		limit = min(limit, float64(share.MaxBytes))
	}
	size := 0.0
	for _, largest := range []float64{largestGroup * limit, limit} {
		rest = nil
		for _, g := range groups {
			n := float64(g.bytes)
			full := size >= fullEnough*limit || len(groups)-len(side) <= spare
			if full || n > largest || size+n > limit {
				rest = append(rest, g)
				continue
			}
			side = append(side, g)
			size += n
		}
		if len(side) > 0 {
			return side, rest
		}
	}
	at := 0
	for i, g := range rest {
		if g.bytes < rest[at].bytes {
			at = i
		}
	}
	smallest := rest[at]
	return []group{smallest}, slices.Delete(rest, at, at+1)
}

// collect returns the documents of groups in the order they came in.
func collect(docs []Document, groups []group) []Document {
	var members []int
	for _, g := range groups {
		members = append(members, g.docs...)
	}
	slices.Sort(members)
	side := make([]Document, len(members))
	for i, m := range members {
		side[i] = docs[m]
	}
	return side
}
