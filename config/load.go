package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/aries-serpent/codexml/model"
)

// Load reads the run in the file path, or the default one if path is empty, and
// applies overrides of the form key=value in their order. The value is YAML; the
// key is a full name or an alias; a leading + changes nothing, since every key
// exists. The notes say which names and values were read as others.
//
// A configuration that is refused gives Problems, a file that cannot be read
// another error.
func Load(path string, overrides []string) (*Run, []Note, error) {
	if path == "" {
		return Parse("", nil, overrides)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read config: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read config: %w", err)
	}
	return Parse(path, data, overrides)
}

// Parse is Load with the file's contents; name stands for the file in messages.
func Parse(name string, data []byte, overrides []string) (*Run, []Note, error) {
	l := loader{values: layer{}}
	l.file(name, data)
	for i, text := range overrides {
		l.override(text, i+1)
	}
	r := l.run()
	l.validate(r)
	if len(l.problems) > 0 {
		slices.SortStableFunc(l.problems, func(a, b Problem) int { return a.Place.before(b.Place) })
		return nil, l.notes, l.problems
	}
	return r, l.notes, nil
}

// loader gathers the layers of a run.
type loader struct {
	values     layer // of all layers, later ones over earlier ones
	overridden map[string]bool
	problems   Problems
	notes      []Note
}

func (l *loader) failed(err error) {
	var problems Problems
	if !errors.As(err, &problems) {
		panic("config: an error without a place: " + err.Error())
	}
	l.problems = append(l.problems, problems...)
}

func (l *loader) file(name string, data []byte) {
	root, err := parse(string(bytes.TrimPrefix(data, []byte("\ufeff"))), Place{File: name})
	if err != nil {
		l.failed(err)
		return
	}
	if root.kind != kindMap && root.kind != kindNull {
		l.problems = append(l.problems, Problem{root.place, "", "want a mapping of keys, got " + root.describe()})
		return
	}
	l.notes = append(l.notes, migrate(root, &l.problems)...)
	l.add(root)
}

// override applies one key=value, as a layer of its own.
func (l *loader) override(text string, order int) {
	place := Place{Override: text, order: order}
	key, value, ok := strings.Cut(strings.TrimPrefix(text, "+"), "=")
	if !ok || key == "" {
		l.problems = append(l.problems, Problem{place, "", "want key=value, such as training.seed=7"})
		return
	}
	leaf, err := parse(value, place)
	if err != nil {
		l.failed(err)
		return
	}
	root := leaf
	parts := strings.Split(key, ".")
	if len(parts) > maxDepth {
		l.problems = append(l.problems, Problem{place, "", fmt.Sprintf("want at most %d parts in a key, got %d", maxDepth, len(parts))})
		return
	}
	for _, part := range slices.Backward(parts) {
		root = &node{place: place, kind: kindMap, entries: []entry{{part, place, root}}}
	}
	for path := range l.add(root) {
		if l.overridden == nil {
			l.overridden = map[string]bool{}
		}
		l.overridden[path] = true
	}
}

// add flattens a layer, puts it over the earlier ones and returns it.
func (l *loader) add(root *node) layer {
	f := flattener{layer: layer{}}
	f.mapping(root, "", "")
	l.problems = append(l.problems, f.problems...)
	l.notes = append(l.notes, f.notes...)
	maps.Copy(l.values, f.layer)
	return f.layer
}

// run makes the typed tree of the values.
func (l *loader) run() *Run {
	r := Default()
	l.preset(r)
	for _, f := range fields() {
		if g, ok := l.values[f.path]; ok {
			assign(f.value(r), g.node) // checked when its layer was added
		}
	}
	r.overridden = slices.Sorted(maps.Keys(l.overridden))
	return r
}

// preset fills the model from the preset that is named, before the keys beside
// it are set.
func (l *loader) preset(r *Run) {
	const key = "model.preset"
	g, ok := l.values[key]
	if !ok || g.node.kind != kindString || g.node.text == "" {
		return
	}
	preset, ok := model.Presets()[g.node.text]
	if !ok {
		names := slices.Sorted(maps.Keys(model.Presets()))
		l.problems = append(l.problems, Problem{g.node.place, key, fmt.Sprintf("want one of %s, got %q", strings.Join(names, ", "), g.node.text)})
		return
	}
	r.Model = preset
}

// validate adds what the sections find wrong, with the places of the keys that
// they name. A key that already has a problem needs no second one.
func (l *loader) validate(r *Run) {
	bad := map[string]bool{}
	for _, p := range l.problems {
		bad[p.Key] = true
	}
	for _, err := range flatErrors(r.Validate()) {
		key, message, _ := strings.Cut(err.Error(), ": ")
		path, _, _ := strings.Cut(key, "[") // betas[0]
		if bad[path] {
			continue
		}
		l.problems = append(l.problems, Problem{l.place(path), key, message})
	}
}

// place is where path was given, or for a section the first of its keys.
func (l *loader) place(path string) Place {
	for _, f := range fields() {
		if g, ok := l.values[f.path]; ok && (f.path == path || strings.HasPrefix(f.path, path+".")) {
			return g.place
		}
	}
	return Place{}
}

// flatErrors takes joined errors apart.
func flatErrors(err error) []error {
	if err == nil {
		return nil
	}
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range many.Unwrap() {
		all = append(all, flatErrors(e)...)
	}
	return all
}
