package config

import (
	"fmt"
	"slices"
)

// Change is a key whose value differs between two runs.
type Change struct {
	Key  string `json:"key"`
	From string `json:"from"` // as in the YAML
	To   string `json:"to"`
}

// String is "key: from -> to".
func (c Change) String() string { return fmt.Sprintf("%s: %s -> %s", c.Key, c.From, c.To) }

// Diff lists the keys whose values differ, in the order of the tree.
func Diff(from, to *Run) []Change {
	var changes []Change
	for _, f := range fields() {
		if f.section {
			continue
		}
		if a, b := scalarYAML(f.value(from)), scalarYAML(f.value(to)); a != b {
			changes = append(changes, Change{f.path, a, b})
		}
	}
	return changes
}

// Unpermitted lists the changes from a stored run to one that is to go on from
// it which no override asked for: giving a key is the permission to change it.
func Unpermitted(stored, next *Run) []Change {
	return slices.DeleteFunc(Diff(stored, next), func(c Change) bool {
		_, given := slices.BinarySearch(next.overridden, c.Key)
		return given
	})
}
