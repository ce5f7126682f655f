package hfcache

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	commit = "0123456789abcdef0123456789abcdef01234567"
	other  = "fedcba9876543210fedcba9876543210fedcba98"
)

// world is a folder with files, and an environment.
type world struct {
	testing.TB
	dir string
	env map[string]string
}

func newWorld(tb testing.TB, files ...string) *world {
	w := &world{tb, tb.TempDir(), map[string]string{}}
	for _, f := range files {
		name, text, _ := strings.Cut(f, "=")
		path := filepath.Join(w.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return w
}

func (w *world) finder() Finder {
	return Finder{Lookup: func(name string) (string, bool) { v, ok := w.env[name]; return v, ok }, Dir: w.dir, Home: filepath.Join(w.dir, "home")}
}

// finds checks that a name leads to a path below the world's folder.
func (w *world) finds(name, revision, want, from string) {
	w.Helper()
	m, err := w.finder().Find(name, revision)
	if err != nil || m.Path != filepath.Join(w.dir, filepath.FromSlash(want)) || m.From != from {
		w.Errorf("%s %s: %s from %s, %v; want %s from %s", name, revision, m.Path, m.From, err, want, from)
	}
}

// fails checks that the error has all of these.
func (w *world) fails(name, revision string, want ...string) {
	w.Helper()
	_, err := w.finder().Find(name, revision)
	for _, text := range want {
		if err == nil || !strings.Contains(err.Error(), filepath.FromSlash(text)) {
			w.Errorf("%s %s: got %v, want ...%s", name, revision, err, text)
		}
	}
}

func TestOrder(t *testing.T) {
	w := newWorld(t, "gpt2/config.json", "own/config.json", "off/gpt2/config.json", "off/TinyLlama/config.json", "artifacts/models/gpt2/config.json",
		"home/.cache/huggingface/hub/models--gpt2/refs/main="+commit, "home/.cache/huggingface/hub/models--gpt2/snapshots/"+commit+"/config.json")
	w.finds("gpt2", "", "gpt2", "path")
	if err := os.RemoveAll(filepath.Join(w.dir, "gpt2")); err != nil {
		t.Fatal(err)
	}
	w.env["CODEX_ML_GPT2_PATH"], w.env["CODEX_ML_OFFLINE_MODELS_DIR"] = "own", filepath.Join(w.dir, "off")
	w.finds("gpt2", "", "own", "CODEX_ML_GPT2_PATH")
	w.finds("gpt2-offline", "", "own", "CODEX_ML_GPT2_PATH")
	w.finds("org/TinyLlama", "", "off/TinyLlama", "CODEX_ML_OFFLINE_MODELS_DIR")
	delete(w.env, "CODEX_ML_GPT2_PATH")
	w.finds("gpt2", "", "off/gpt2", "CODEX_ML_OFFLINE_MODELS_DIR")
	delete(w.env, "CODEX_ML_OFFLINE_MODELS_DIR")
	w.finds("gpt2", "", "artifacts/models/gpt2", "artifacts/models")
	w.finds("gpt2", "main", "home/.cache/huggingface/hub/models--gpt2/snapshots/"+commit, "HF_HOME (not set)")
	if err := os.RemoveAll(filepath.Join(w.dir, "artifacts")); err != nil {
		t.Fatal(err)
	}
	w.finds("gpt2", "", "home/.cache/huggingface/hub/models--gpt2/snapshots/"+commit, "HF_HOME (not set)")
	w.fails("gpt3", "", "not on this machine", w.dir+"/gpt3", "CODEX_ML_GPT3_PATH (not set)", "CODEX_ML_OFFLINE_MODELS_DIR (not set)", "artifacts/models/gpt3", "hub/models--gpt3 (HF_HOME (not set))")
	if _, err := w.finder().Find("gpt3", ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("%v is no ErrNotFound", err)
	}
}

func TestCache(t *testing.T) {
	const repo = "models--org--m.1/"
	w := newWorld(t, "hub/"+repo+"refs/main="+commit+"\n", "hub/"+repo+"refs/pr/1="+other, "hub/"+repo+"refs/gone="+strings.Repeat("0", 40), "hub/"+repo+"refs/evil=../../..",
		"hub/"+repo+"snapshots/"+commit+"/config.json", "hub/"+repo+"snapshots/"+other+"/m.gguf")
	w.env["HF_HOME"] = w.dir
	w.finds("org/m.1", "", "hub/"+repo+"snapshots/"+commit, "HF_HOME")
	w.finds("org/m.1", "pr/1", "hub/"+repo+"snapshots/"+other+"/m.gguf", "HF_HOME")
	w.finds("org/m.1", other, "hub/"+repo+"snapshots/"+other+"/m.gguf", "HF_HOME")
	w.finds("org/m.1", other[:8], "hub/"+repo+"snapshots/"+other+"/m.gguf", "HF_HOME")
	w.fails("org/m.1", "gone", "refs/gone (says 0000", "the revisions "+commit+", "+other)
	w.fails("org/m.1", "evil", "refs/evil (says ../../..")
	w.fails("org/m.1", "../../x", "no revision")
	w.fails("org/m.1", "v9", "refs/v9", "snapshots/v9")
	w.env["HF_HUB_CACHE"] = filepath.Join(w.dir, "empty")
	w.fails("org/m.1", "", "empty/models--org--m.1 (HF_HUB_CACHE)")
	for _, bad := range []string{"../x", "a/b/c", "a--b", "", "/nowhere"} {
		w.fails(bad, "", "name a folder")
	}
}

func TestFolders(t *testing.T) {
	w := newWorld(t, "none/readme.md", "one/m-00001-of-00002.gguf", "one/m-00002-of-00002.gguf", "two/a.gguf", "two/b.gguf", "a[b]/m.gguf", "file.gguf")
	w.finds("one", "", "one/m-00001-of-00002.gguf", "path")
	w.finds("a[b]", "", "a[b]/m.gguf", "path")
	w.finds("file.gguf", "", "file.gguf", "path")
	w.finds("./one", "", "one/m-00001-of-00002.gguf", "path")
	w.fails("none", "", "no config.json and no .gguf")
	w.fails("two", "", "name one by its path: a.gguf, b.gguf")
}

func TestList(t *testing.T) {
	w := newWorld(t, "off/x/config.json", "off/y.gguf", "off/notes.txt", "off/broken/readme", "artifacts/models/gpt2/config.json", "hub/models--org--m/snapshots/"+commit+"/config.json",
		"hub/models--bad/snapshots/"+other+"/readme")
	w.env["HF_HOME"], w.env["CODEX_ML_OFFLINE_MODELS_DIR"] = w.dir, "off"
	var got []string
	for _, m := range w.finder().List() {
		got = append(got, m.Name+" "+m.From)
	}
	if want := "x CODEX_ML_OFFLINE_MODELS_DIR, y.gguf CODEX_ML_OFFLINE_MODELS_DIR, gpt2 artifacts/models, org/m HF_HOME"; strings.Join(got, ", ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
