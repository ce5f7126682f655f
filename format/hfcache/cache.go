package hfcache

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Cache is the folder of Hugging Face's cache and the variable that says so; empty if
// the environment leads to none.
func (f Finder) Cache() (path, from string) {
	for _, variable := range []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"} {
		if f.has(variable) {
			return f.env(variable), variable
		}
	}
	if f.has("HF_HOME") {
		return filepath.Join(f.env("HF_HOME"), "hub"), "HF_HOME"
	}
	if f.has("XDG_CACHE_HOME") {
		return filepath.Join(f.env("XDG_CACHE_HOME"), "huggingface", "hub"), "XDG_CACHE_HOME"
	}
	if f.Home != "" {
		return filepath.Join(f.Home, ".cache", "huggingface", "hub"), "HF_HOME (not set)"
	}
	return "", ""
}

const (
	folderPrefix = "models--"
	fix          = "Name a folder that has a config.json or a .gguf file, put the model into one of these places, or set the variable."
)

// inCache finds a model in the cache: refs/<revision> holds the commit, and
// snapshots/<commit> the files.
func (f Finder) inCache(s *search, revision string) (Model, error) {
	cache, from := f.Cache()
	if cache == "" {
		s.looked = append(s.looked, "HF_HOME (not set, and there is no home folder)")
		return Model{}, s.notFound(fix)
	}
	repo := filepath.Join(cache, folderPrefix+strings.ReplaceAll(s.name, "/", "--"))
	if !exists(repo) {
		s.looked = append(s.looked, repo+" ("+from+")")
		return Model{}, s.notFound(fix)
	}
	if revision == "" {
		revision = "main"
	}
	commit, looked := commitOf(repo, revision)
	if commit == "" {
		s.looked = append(s.looked, looked...)
		return Model{}, s.notFound("Of this model the cache has " + describe(revisions(repo)) + ": name one as the revision.")
	}
	m, err := s.at(filepath.Join(repo, "snapshots", commit), from)
	m.Revision = commit
	return m, err
}

var commitName = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

// commitOf finds the commit of a revision; looked is where it was not.
func commitOf(repo, revision string) (commit string, looked []string) {
	if !filepath.IsLocal(revision) {
		return "", []string{revision + " (no revision)"}
	}
	ref := filepath.Join(repo, "refs", filepath.FromSlash(revision))
	if data, err := os.ReadFile(ref); err == nil {
		commit = strings.TrimSpace(string(data))
		if snapshot := filepath.Join(repo, "snapshots", commit); commitName.MatchString(commit) && exists(snapshot) {
			return commit, nil
		}
		return "", []string{ref + " (says " + commit[:min(len(commit), 64)] + ", which is not there)"}
	}
	snapshots := filepath.Join(repo, "snapshots")
	if commitName.MatchString(revision) {
		var found []string
		for _, r := range revisions(repo) {
			if strings.HasPrefix(r, revision) {
				found = append(found, r)
			}
		}
		if len(found) == 1 {
			return found[0], nil
		}
	}
	return "", []string{ref, filepath.Join(snapshots, filepath.FromSlash(revision))}
}

// revisions lists the commits that the cache has of a model.
func revisions(repo string) (out []string) {
	entries, _ := os.ReadDir(filepath.Join(repo, "snapshots")) // none if it cannot be read
	for _, e := range entries {
		if commitName.MatchString(e.Name()) {
			out = append(out, e.Name())
		}
	}
	return out
}

func describe(revisions []string) string {
	if len(revisions) == 0 {
		return "no revision"
	}
	return "the revisions " + strings.Join(revisions, ", ")
}

// List finds all models: of the folder for offline models, of artifacts/models and
// of the cache, each revision, in that order, sorted by name.
func (f Finder) List() []Model {
	var out []Model
	add := func(folder, from string) {
		entries, _ := os.ReadDir(folder) // a place that is not there has none
		for _, e := range entries {
			path := filepath.Join(folder, e.Name())
			if m, err := (&search{name: e.Name()}).at(path, from); err == nil && (m.Path != path || isModel(path)) {
				out = append(out, m)
			}
		}
	}
	if f.has("CODEX_ML_OFFLINE_MODELS_DIR") {
		add(f.env("CODEX_ML_OFFLINE_MODELS_DIR"), "CODEX_ML_OFFLINE_MODELS_DIR")
	}
	add(filepath.Join(f.Dir, "artifacts", "models"), "artifacts/models")
	cache, from := f.Cache()
	if cache == "" {
		return out
	}
	repos, _ := filepath.Glob(filepath.Join(globQuote(cache), folderPrefix+"*"))
	slices.Sort(repos)
	for _, repo := range repos {
		name := strings.ReplaceAll(strings.TrimPrefix(filepath.Base(repo), folderPrefix), "--", "/")
		for _, commit := range revisions(repo) {
			if m, err := (&search{name: name}).at(filepath.Join(repo, "snapshots", commit), from); err == nil {
				m.Revision = commit
				out = append(out, m)
			}
		}
	}
	return out
}

// isModel says whether a path is a folder, or a file with a model's suffix.
func isModel(path string) bool {
	info, err := os.Stat(path)
	return err == nil && (info.IsDir() || strings.HasSuffix(path, ".gguf"))
}
