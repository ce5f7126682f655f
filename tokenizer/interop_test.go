//go:build interop

package tokenizer

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aries-serpent/codexml/internal/testkit"
)

// pinned is the original that the committed files come from.
const pinned = "tokenizers==0.23.3"

// original runs original.py in dir.
func original(t *testing.T, python, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command(python, append([]string{"original.py"}, args...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
}

// The committed files are what the original says today. -update rewrites them.
func TestInteropCommittedFiles(t *testing.T) {
	python := testkit.Python(t, pinned)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	original(t, python, dir)
	for _, pattern := range []string{"classes.txt", "split.sha256", "train/*.json", "ids/*.jsonl"} {
		paths, err := fs.Glob(os.DirFS(dir), pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: no file, %v", pattern, err)
		}
		for _, path := range paths {
			got, err := os.ReadFile(filepath.Join(dir, path))
			if err != nil {
				t.Fatal(err)
			}
			testkit.Golden(t, filepath.Join("testdata", path), string(got))
		}
	}
}

// Tokenizers in use, the files that CODEXML_TOKENIZERS lists, make of every text what
// the original makes of it: ids, types, offsets, masks, windows and decoded text.
func TestInteropRealTokenizers(t *testing.T) {
	python := testkit.Python(t, pinned)
	list := filepath.SplitList(os.Getenv("CODEXML_TOKENIZERS"))
	if len(list) == 0 {
		t.Log("CODEXML_TOKENIZERS names no tokenizer.json: only the pipelines of testdata are compared")
		list = testkit.Cases(t, "testdata/pipelines", ".json")[:3]
	}
	texts := pipelineTexts(t)
	for _, path := range list {
		path, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		tok, err := Load(path)
		if err != nil {
			t.Error(err)
			continue
		}
		t.Logf("%s: loaded in %v", path, time.Since(start))
		cmd := exec.Command(python, "pipelines.py", "lines", path)
		cmd.Dir = "testdata"
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v", cmd, err)
		}
		want := strings.Split(strings.TrimSpace(string(out)), "\n")
		for i, line := range pipelineLines(tok.(*Pipeline), texts, true) {
			var theirs string
			if err := json.Unmarshal([]byte(want[i]), &theirs); err != nil {
				t.Fatal(err)
			}
			if i%4 != 3 && line != theirs {
				t.Errorf("%s: %q:\n got  %q\n want %q", path, texts[i/4], line, theirs)
			}
		}
	}
}

// goSource lists the files of the Go standard library.
func goSource(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	err = filepath.WalkDir(filepath.Join(strings.TrimSpace(string(out)), "src"), func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "vendor"):
			return filepath.SkipDir
		case !d.IsDir() && strings.HasSuffix(path, ".go"):
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// Trained on Go's standard library, ours and theirs are the same file, and give
// each source file the same ids.
func TestInteropGoSource(t *testing.T) {
	python := testkit.Python(t, pinned)
	paths := goSource(t)
	dir := t.TempDir()
	listing := filepath.Join(dir, "listing")
	if err := os.WriteFile(listing, []byte(strings.Join(paths, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	original(t, python, "testdata", "corpus", "4096", listing, dir)
	want, err := os.ReadFile(filepath.Join(dir, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}

	var texts []string
	size := 0
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
		size += len(text)
	}
	start := time.Now()
	trained, err := TrainBPE(t.Context(), documents(texts), TrainOptions{VocabSize: 4096})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files, %d bytes: trained in %v on %d threads", len(paths), size, time.Since(start), runtime.GOMAXPROCS(0))
	if !bytes.Equal(trained.(*Pipeline).file, want) {
		t.Errorf("the trained file differs from the original's, first in %q", firstOther(trained.(*Pipeline).file, want))
	}

	ids, err := os.ReadFile(filepath.Join(dir, "ids"))
	if err != nil {
		t.Fatal(err)
	}
	tok, err := Parse("original", want)
	if err != nil {
		t.Fatal(err)
	}
	var total int
	var spent time.Duration
	for i, text := range texts {
		theirs := make([]int32, binary.NativeEndian.Uint32(ids))
		if err := binary.Read(bytes.NewReader(ids[4:]), binary.NativeEndian, theirs); err != nil {
			t.Fatal(err)
		}
		ids = ids[4+4*len(theirs):]
		start := time.Now()
		ours := tok.Encode(nil, []byte(text))
		spent += time.Since(start)
		if !slices.Equal(ours, theirs) {
			t.Fatalf("%s: the ids differ", paths[i])
		}
		total += len(ours)
	}
	t.Logf("%d equal ids, encoded at %.0f MB/s on one thread", total, float64(size)/1e6/spent.Seconds())
}
