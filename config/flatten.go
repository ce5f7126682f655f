package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// given is a value for a key, as it was written.
type given struct {
	place   Place
	written string // the name that was used for the key
	node    *node
}

// layer holds what a file or an override gives, by full names of keys.
type layer map[string]given

// flattener turns the tree of one layer into full names, resolving aliases.
type flattener struct {
	layer    layer
	problems Problems
	notes    []Note
}

func (f *flattener) bad(place Place, key, format string, args ...any) {
	f.problems = append(f.problems, Problem{place, key, fmt.Sprintf(format, args...)})
}

// mapping takes the entries of m, which stands at path; written is the path that
// the user wrote.
func (f *flattener) mapping(m *node, path, written string) {
	for _, e := range m.entries {
		f.entry(e, path, join(written, e.key))
	}
}

func (f *flattener) entry(e entry, prefix, written string) {
	path := join(prefix, e.key)
	if rule, ok := findFixed(path); ok {
		f.check(rule, e, written)
		return
	}
	target, ok := resolvePath(path)
	if !ok {
		f.unknown(e, path, written)
		return
	}
	field, isField := byPath()[target]
	if isField && !field.section {
		f.set(target, given{e.place, written, e.value})
		return
	}
	switch name, path := target+".name", target+".path"; {
	case e.value.kind == kindMap:
		f.mapping(e.value, target, written)
	case e.value.kind == kindNull:
	case e.value.kind == kindString && byPath()[path].path != "" && isPath(e.value.text):
		f.set(path, given{e.place, written, e.value})
	case e.value.kind == kindString && byPath()[name].path != "":
		f.set(name, given{e.place, written, e.value})
	default:
		f.bad(e.value.place, written, "want a mapping of keys, got %s", e.value.describe())
	}
}

// resolvePath finds the key, section or group that path stands for.
func resolvePath(path string) (target string, ok bool) {
	if _, ok := byPath()[path]; ok {
		return path, true
	}
	if target, ok := aliases[path]; ok {
		return target, true
	}
	short := bare(path)
	if target, ok := aliases[short]; ok {
		return target, true
	}
	if _, ok := byPath()["training."+path]; ok {
		return "training." + path, true
	}
	if _, ok := byPath()[short]; ok {
		return short, true
	}
	return short, groups()[short]
}

func findFixed(path string) (fixedKey, bool) {
	if rule, ok := fixed[path]; ok {
		return rule, true
	}
	rule, ok := fixed[bare(path)]
	return rule, ok
}

// check holds a value against the only way in which codexml does the thing.
func (f *flattener) check(rule fixedKey, e entry, written string) {
	accept := strings.Fields(rule.accept)
	if e.value.kind == kindNull || e.value.kind < kindList && slices.Contains(accept, strings.ToLower(e.value.text)) {
		return
	}
	want := strings.Join(append(accept, "nothing"), " or ")
	f.bad(e.value.place, written, "want %s, got %s: %s", want, e.value.describe(), rule.why)
}

// set gives target a value. The same key under two names must have the same value.
func (f *flattener) set(target string, g given) {
	if before, ok := f.layer[target]; ok {
		if !same(before.node, g.node) {
			f.bad(g.place, target, "given twice with different values: %s = %s here, %s = %s at %s: remove one",
				g.written, g.node.describe(), before.written, before.node.describe(), before.place)
		}
		return
	}
	if g.written != target {
		f.notes = append(f.notes, Note{g.place, g.written + " is read as " + target})
	}
	if word, ok := words[target][g.node.text]; ok && g.node.kind == kindString {
		f.notes = append(f.notes, Note{g.node.place, fmt.Sprintf("%s: %s is read as %s", target, g.node.text, word)})
		translated := *g.node
		translated.text = word
		g.node = &translated
	}
	// A value of the wrong type is refused even where a later layer replaces it.
	if message := assign(reflect.New(byPath()[target].typ).Elem(), g.node); message != "" {
		f.bad(g.node.place, target, "%s", message)
		return
	}
	f.layer[target] = g
}

func (f *flattener) unknown(e entry, path, written string) {
	if near := suggest(path); near != "" {
		f.bad(e.place, "", "unknown key %s, did you mean %s?", written, near)
		return
	}
	f.bad(e.place, "", "unknown key %s: 'codexml config docs' lists all keys", written)
}

// same says whether two values are equal as written.
func same(a, b *node) bool {
	return a.kind == b.kind && a.text == b.text && slices.EqualFunc(a.items, b.items, same) &&
		slices.EqualFunc(a.entries, b.entries, func(x, y entry) bool { return x.key == y.key && same(x.value, y.value) })
}

// isPath says whether a value that stands for a section, as in model=runs/gpt2, names
// files.
func isPath(text string) bool {
	return strings.ContainsAny(text, `/\`) || strings.HasSuffix(text, ".gguf")
}
