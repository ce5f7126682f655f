// Package hfcache finds models that are on this machine already: by path, by the
// environment, in the folders for offline models, and in the cache that the programs
// of Hugging Face fill. It opens no socket and writes nothing. Commands use it, and
// hand in the environment as a lookup function. Its results depend on that and on
// the files alone; it is safe for concurrent use.
package hfcache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// ErrNotFound is wrapped where a model is in none of the places.
var ErrNotFound = errors.New("the model is not on this machine")

// Finder knows where to look.
type Finder struct {
	// Lookup reads the environment.
	Lookup func(name string) (string, bool)
	// Dir is the working folder, against which relative paths resolve.
	Dir string
	// Home is the user's folder; empty if there is none.
	Home string
}

// Model is a model that was found.
type Model struct {
	Name string
	// Path is a folder that has a config.json, or a GGUF file.
	Path string
	// From says which place it is in.
	From string
	// Revision is the commit of a model of the cache.
	Revision string
}

// Find finds a model: a path, a name such as gpt2, or org/name. revision is a
// branch, a tag or a commit of the cache, "" is main. The places, first to last:
//
//  1. the path itself
//  2. the variable CODEX_ML_<NAME>_PATH (CODEX_ML_GPT2_PATH for gpt2 and gpt2-offline)
//  3. CODEX_ML_OFFLINE_MODELS_DIR/<name>
//  4. artifacts/models/<name> in the working folder
//  5. the cache of Hugging Face: HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME/hub,
//     XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub: the first that is set
func (f Finder) Find(name, revision string) (Model, error) {
	s := &search{name: name}
	if path := f.resolve(name); name != "" && exists(path) {
		return s.at(path, "path")
	}
	s.looked = append(s.looked, f.resolve(name))
	if !validName(name) {
		return Model{}, s.notFound("name a folder, a .gguf file, or a model as NAME or ORG/NAME")
	}
	if revision == "" {
		for _, place := range f.folders(name) {
			if exists(place.path) {
				return s.at(place.path, place.from)
			}
			s.looked = append(s.looked, place.describe())
		}
	}
	return f.inCache(s, revision)
}

type place struct{ path, from, note string }

func (p place) describe() string { return p.path + p.note }

// folders are the places before the cache.
func (f Finder) folders(name string) (out []place) {
	short := strings.TrimSuffix(name, "-offline")
	if variable := variableOf(short); f.has(variable) {
		out = append(out, place{f.env(variable), variable, " (" + variable + ")"})
	} else {
		out = append(out, place{"", variable, variable + " (not set)"})
	}
	const offline = "CODEX_ML_OFFLINE_MODELS_DIR"
	subs := []string{short}
	if _, last, ok := strings.Cut(short, "/"); ok {
		subs = append(subs, last)
	}
	for _, sub := range subs {
		if f.has(offline) {
			out = append(out, place{filepath.Join(f.env(offline), sub), offline, " (" + offline + ")"})
		}
	}
	if !f.has(offline) {
		out = append(out, place{"", offline, offline + " (not set)"})
	}
	for _, sub := range subs {
		out = append(out, place{filepath.Join(f.Dir, "artifacts", "models", sub), "artifacts/models", ""})
	}
	return out
}

// variableOf is the variable that names a model's path.
func variableOf(name string) string {
	name = name[strings.LastIndex(name, "/")+1:]
	return "CODEX_ML_" + regexp.MustCompile(`[^A-Z0-9]+`).ReplaceAllString(strings.ToUpper(name), "_") + "_PATH"
}

func (f Finder) has(variable string) bool {
	v, ok := f.Lookup(variable)
	return ok && v != ""
}

// env is a path in the environment.
func (f Finder) env(variable string) string {
	v, _ := f.Lookup(variable)
	return f.resolve(v)
}

// resolve makes a path absolute; ~ is the user's folder.
func (f Finder) resolve(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok && f.Home != "" {
		return filepath.Join(f.Home, rest)
	}
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(f.Dir, path)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return path != "" && err == nil
}

var namePart = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// validName says whether a name can be a model's: it leads out of no folder.
func validName(name string) bool {
	parts := strings.Split(name, "/")
	return len(parts) <= 2 && !slices.ContainsFunc(parts, func(p string) bool {
		return !namePart.MatchString(p) || strings.Contains(p, "--") || strings.Contains(p, "..")
	})
}

// search is one call of Find.
type search struct {
	name   string
	looked []string
}

// at is the model in a folder, or the file.
func (s *search) at(path, from string) (Model, error) {
	m := Model{Name: s.name, Path: path, From: from}
	info, err := os.Stat(path)
	if err != nil {
		return m, err
	}
	if !info.IsDir() || exists(filepath.Join(path, "config.json")) {
		return m, nil
	}
	files, err := filepath.Glob(filepath.Join(globQuote(path), "*.gguf"))
	if err != nil {
		return m, err
	}
	files = firstParts(files)
	switch len(files) {
	case 0:
		return m, fmt.Errorf("find model %s: %s has no config.json and no .gguf file: it is no model, or not all of it was fetched", s.name, path)
	case 1:
		m.Path = files[0]
		return m, nil
	}
	for i, file := range files {
		files[i] = filepath.Base(file)
	}
	return m, fmt.Errorf("find model %s: %s has several models, name one by its path: %s", s.name, path, strings.Join(files, ", "))
}

// globQuote quotes what has a meaning in patterns.
func globQuote(path string) string {
	return regexp.MustCompile(`[][*?\\]`).ReplaceAllStringFunc(path, func(c string) string {
		if filepath.Separator == '\\' { // there is no quoting on such systems
			return c
		}
		return `\` + c
	})
}

var laterPart = regexp.MustCompile(`-(\d{5})-of-\d{5}\.gguf$`)

// firstParts leaves out all but the first parts of split files.
func firstParts(files []string) []string {
	return slices.DeleteFunc(files, func(file string) bool {
		m := laterPart.FindStringSubmatch(file)
		return m != nil && m[1] != "00001"
	})
}

func (s *search) notFound(fix string) error {
	return fmt.Errorf("find model %q: %w; looked at:\n  %s\n%s", s.name, ErrNotFound, strings.Join(s.looked, "\n  "), fix)
}
