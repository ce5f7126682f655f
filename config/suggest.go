package config

import (
	"maps"
	"slices"
)

// suggest gives the full name of the key that path, which is none, most likely
// meant, or "".
func suggest(path string) string {
	var siblings, others, elsewhere []string
	for _, f := range fields() {
		switch {
		case parent(f.path) == parent(path):
			siblings = append(siblings, f.path)
		case last(f.path) == last(path):
			elsewhere = append(elsewhere, f.path)
		case !f.section:
			others = append(others, f.path)
		}
	}
	if near := nearestLast(path, siblings); near != "" {
		return near
	}
	if len(elsewhere) > 0 {
		return elsewhere[0]
	}
	// A short word in the wrong section is near to too many.
	const long = 6
	if near := nearestLast(path, others); near != "" && len(last(path)) >= long {
		return near
	}
	if old := Nearest(bare(path), slices.Sorted(maps.Keys(aliases))); old != "" {
		return aliases[old]
	}
	return Nearest(bare(path), slices.Sorted(maps.Keys(fixed)))
}

// nearestLast is Nearest by the last part of the names.
func nearestLast(path string, candidates []string) string {
	names := make([]string, len(candidates))
	for i, c := range candidates {
		names[i] = last(c)
	}
	if near := Nearest(last(path), names); near != "" {
		return candidates[slices.Index(names, near)]
	}
	return ""
}

// Nearest gives the candidate that word most likely meant: the first one with
// the fewest edits, if those are at most a third of the word; else "".
func Nearest(word string, candidates []string) string {
	const longest = 64 // nobody means a name by more
	if len(word) > longest {
		return ""
	}
	best, fewest := "", max(1, len(word)/3)+1
	for _, c := range candidates {
		if d := distance(word, c); d < fewest {
			best, fewest = c, d
		}
	}
	return best
}

// distance counts the edits between a and b: letters inserted, left out,
// replaced, or swapped with their neighbour.
func distance(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	before, above, row := rows[0], rows[1], rows[2]
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := above[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(replace, above[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
