package rules

import (
	"fmt"
	"slices"
	"strings"
)

// Module is the path of codexml's module.
const Module = "github.com/aries-serpent/codexml"

// room is a folder with one purpose: the package there and those below it that
// are no rooms of their own. Inside a room imports are free.
type room struct {
	path  string   // below the module; a last element * makes every folder there a room
	level int      // may import rooms of lower levels
	after []string // rooms of the same level that it may import too
	only  []string
	never []string
}

// testOnly are the rooms that only tests import.
const testOnly = -1

// rooms is the layer table of docs/architecture.md. It may name rooms that do not
// exist yet; one that it lacks fails.
var rooms = []room{
	{path: "", level: 0},
	{path: "internal/cpu", level: 0},
	{path: "internal/par", level: 0},
	{path: "internal/rng", level: 0},
	{path: "internal/fsatomic", level: 0},
	{path: "internal/jsonscan", level: 0},
	{path: "internal/mmap", level: 0},
	{path: "internal/half", level: 0},
	{path: "internal/shards", level: 0, after: []string{"internal/jsonscan"}},
	{path: "plugin", level: 0},
	{path: "internal/kernel", level: 1},
	{path: "format/*", level: 1},
	{path: "tensor", level: 2},
	{path: "tokenizer", level: 2},
	{path: "track", level: 2},
	{path: "safety", level: 2},
	{path: "provenance", level: 2},
	{path: "nn", level: 3, never: []string{"internal/fsatomic", "format/*", "plugin"}},
	{path: "data", level: 3, never: []string{"tensor"}},
	{path: "optim", level: 4},
	{path: "model", level: 4},
	{path: "model/*", level: 4, after: []string{"model"}},
	{path: "model/modeltest", level: testOnly},
	{path: "lora", level: 5},
	{path: "checkpoint", level: 5, never: []string{"nn", "model", "optim"}},
	{path: "generate", level: 5, never: []string{"tokenizer"}},
	{path: "eval", level: 6},
	{path: "serve", level: 6},
	{path: "train", level: 7},
	{path: "train/proof", level: 7, after: []string{"train"}},
	{path: "config", level: 8},
	{path: "web", level: 8, only: []string{"track", "plugin", "internal/fsatomic", "internal/jsonscan", "format/*"}},
	{path: "std", level: 9},
	{path: "cli/*", level: 9, after: []string{"cli/cmdenv", "cli/runs"}},
	{path: "cli/runs", level: 9, after: []string{"cli/cmdenv"}},
	{path: "cli/cmdenv", level: 9},
	{path: "cli", level: 10},
	{path: "cmd/*", level: 11},
	{path: "bench/*", level: 11},
	{path: "internal/testkit", level: testOnly},
	{path: "internal/rules", level: testOnly},
}

// roomOf finds the room of a package and its path with the * filled in: the room
// whose path goes deepest, and a name rather than a *.
func roomOf(pkg string) (r room, path string, ok bool) {
	rel := strings.TrimPrefix(strings.TrimPrefix(pkg, Module), "/")
	best := -1
	for _, c := range rooms {
		at, covers := cover(c.path, rel)
		score := 2 * strings.Count(at, "/")
		if at == c.path {
			score++
		}
		if covers && score > best {
			best, r, path = score, c, at
		}
	}
	return r, path, best >= 0
}

// cover says whether a room's path covers rel, and which folder is the room then.
// The module's root is a room of one package.
func cover(path, rel string) (at string, ok bool) {
	if path == "" {
		return "", rel == ""
	}
	want, have := strings.Split(path, "/"), strings.Split(rel, "/")
	if len(have) < len(want) {
		return "", false
	}
	for i, w := range want {
		if w != have[i] && !(w == "*" && i == len(want)-1) {
			return "", false
		}
	}
	return strings.Join(have[:len(want)], "/"), true
}

// CheckImports reports the imports of package pkg, outside its tests, that the
// layer table forbids.
func CheckImports(pkg string, imports []string) []string {
	from, fromPath, ok := roomOf(pkg)
	if !ok {
		return []string{pkg + ": is in no room of internal/rules/layers.go: give it a level there and in docs/architecture.md"}
	}
	var problems []string
	for _, to := range imports {
		if to != Module && !strings.HasPrefix(to, Module+"/") {
			continue
		}
		target, targetPath, ok := roomOf(to)
		if !ok || targetPath == fromPath {
			continue // a room that is not in the table is reported for itself
		}
		if why := forbidden(from, target, targetPath); why != "" {
			problems = append(problems, fmt.Sprintf("%s: imports %s: %s", pkg, to, why))
		}
	}
	return problems
}

// forbidden says why a room may not import another, "" if it may.
func forbidden(from, target room, targetPath string) string {
	matches := func(path string) bool { _, ok := cover(path, targetPath); return ok }
	switch {
	case from.level == testOnly:
		return "" // its importers are tests, and those are exempt
	case target.level == testOnly:
		return "only tests import that"
	case slices.ContainsFunc(from.never, matches):
		return from.path + " never imports that"
	case from.only != nil && !slices.ContainsFunc(from.only, matches):
		return fmt.Sprintf("%s imports nothing of the project but %s", from.path, strings.Join(from.only, ", "))
	case target.level < from.level || slices.Contains(from.after, targetPath):
		return ""
	case target.level == from.level:
		return fmt.Sprintf("both are of level %d, and no arrow leads from one to the other", from.level)
	}
	return fmt.Sprintf("level %d imports level %d: imports point downward only", from.level, target.level)
}
