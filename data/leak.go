package data

import (
	"errors"
	"fmt"
	"strings"
)

// ErrLeak is wrapped when text is on two sides of a split.
var ErrLeak = errors.New("data leaks between training and evaluation")

// leaksShown bounds the pairs that an error lists.
const leaksShown = 5

// Side is a part of a split by its name.
type Side struct {
	Name      string
	Documents []Document
}

// CheckLeaks refuses sides that share a document: an identical one, or one whose
// similarity (as in Split) is at least the given one.
func CheckLeaks(similarity float64, sides ...Side) error {
	var docs []Document
	var side []string
	for _, s := range sides {
		for _, d := range s.Documents {
			docs = append(docs, d)
			side = append(side, s.Name)
		}
	}
	return leaks(textItems(docs), similarity, side, func(i int32) string { return docs[i].Name })
}

// leaks reports links between items of different sides. If any pair is similar
// across sides then some link is across, since a link's chain connects the pair.
func leaks(in items, similarity float64, side []string, name func(i int32) string) error {
	var shown []string
	n := 0
	for _, l := range findSimilar(in, similarity, threads(0)).links {
		if side[l.a] == side[l.b] {
			continue
		}
		if n++; n <= leaksShown {
			shown = append(shown, fmt.Sprintf("%s of %s and %s of %s (similarity %.2f)", name(l.a), side[l.a], name(l.b), side[l.b], l.similarity))
		}
	}
	if n == 0 {
		return nil
	}
	if n > leaksShown {
		shown = append(shown, fmt.Sprintf("and %d more", n-leaksShown))
	}
	return fmt.Errorf("%w: %s: remove them from one side, or leave out val_path and test_path to have the data split without leaks", ErrLeak, strings.Join(shown, "; "))
}
