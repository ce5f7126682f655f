package trainer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/tokenizer/train"
)

func mustRun(t *testing.T, c Config) (folder string) {
	t.Helper()
	c.OutDir = filepath.Join(t.TempDir(), "artifacts", "tokenizers") // is made
	p, err := MakePlan(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), p, Env{Command: []string{"codexml", "tokenizer", "train"}}); err != nil {
		t.Fatal(err)
	}
	return c.Folder()
}

// pieces reads the vocabulary of a tokenizer.json in the order of ids.
func pieces(t *testing.T, folder string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Model struct{ Vocab map[string]int }
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	list := make([]string, len(file.Model.Vocab))
	for piece, id := range file.Model.Vocab {
		list[id] = piece
	}
	return list
}

func TestWordModelsEqualTheOriginals(t *testing.T) {
	data, err := os.ReadFile("testdata/pieces.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string][]string
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	c := DefaultConfig()
	c.CorpusGlob, c.ModelType, c.VocabSize = []string{"testdata/corpus.txt"}, "wordpiece", 140
	got := pieces(t, mustRun(t, c))
	slices.Sort(got)
	if !slices.Equal(got, want["wordpiece"]) {
		t.Errorf("WordPiece:\n got  %q\n want %q", got, want["wordpiece"])
	}
	c.ModelType, c.VocabSize, c.MinFrequency = "wordlevel", 40, 2
	if got := pieces(t, mustRun(t, c)); !slices.Equal(got, want["wordlevel"]) {
		t.Errorf("WordLevel:\n got  %q\n want %q", got, want["wordlevel"])
	}
}

// The file is the original's, byte for byte, for any chunk, worker and limit.
func TestBPEFileIsTheOriginals(t *testing.T) {
	want, err := os.ReadFile("../testdata/train/go-700.json")
	if err != nil {
		t.Fatal(err)
	}
	texts, err := os.Open("../testdata/train/go-700.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer texts.Close()
	var lines bytes.Buffer
	in := bufio.NewScanner(texts)
	for in.Buffer(nil, 1<<20); in.Scan(); {
		lines.WriteString(`{"text": ` + in.Text() + "}\n")
	}
	path := filepath.Join(t.TempDir(), "corpus.jsonl")
	if err := os.WriteFile(path, lines.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, chunk := range []int{0, 100} {
		c := DefaultConfig()
		c.CorpusGlob, c.ModelType, c.NormalizationRule, c.VocabSize, c.StreamChunkSize = []string{path}, "bpe", "none", 700, chunk
		c.MemoryLimit = 8 << 20
		got, err := os.ReadFile(filepath.Join(mustRun(t, c), "tokenizer.json"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			i := 0
			for i < min(len(got), len(want)) && got[i] == want[i] {
				i++
			}
			t.Errorf("chunk %d: the file differs at %d: %.80q, want %.80q", chunk, i, got[i:], want[i:])
		}
	}
}

// A file in parts gives what the whole gives, and \r\n counts as \n.
func TestStreamingChangesNothing(t *testing.T) {
	text := strings.Repeat("some words, 12 of them;\r\n\r\n  and\tmore \u00e9\u00e8 text\r\n", 200)
	path := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var want []byte
	for _, chunk := range []int{1 << 20, 1, 7, 64} {
		var got []byte
		c := &corpus{files: []File{{Path: path}}, chunk: chunk, cut: train.CutAtSpace, onRead: func(int64) {}}
		for part := range c.documents() {
			got = append(got, part...)
		}
		if c.err != nil {
			t.Fatal(c.err)
		}
		if want == nil {
			want = []byte(strings.ReplaceAll(text, "\r\n", "\n"))
		}
		if !bytes.Equal(got, want) {
			t.Errorf("chunk %d: %d bytes, want %d", chunk, len(got), len(want))
		}
	}
}

func TestUnigramFolder(t *testing.T) {
	c := DefaultConfig()
	c.CorpusGlob, c.VocabSize = []string{"testdata/**/corp*.txt"}, 150
	folder := mustRun(t, c)
	for _, name := range []string{"tokenizer.json", "spm.model", "spm.vocab", "manifest.json"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPlanRejects(t *testing.T) {
	for want, change := range map[string]func(c *Config){
		`model_type is "x", want unigram`: func(c *Config) { c.ModelType = "x" },
		"corpus_glob is empty":            func(c *Config) { c.CorpusGlob = nil },
		"no file matches none":            func(c *Config) { c.CorpusGlob = []string{"none*"} },
		"testdata is a folder":            func(c *Config) { c.CorpusGlob = []string{"testdata"} },
		"vocab_size is 0":                 func(c *Config) { c.VocabSize = 0 },
		"character_coverage is 2":         func(c *Config) { c.CharacterCoverage = 2 },
		`normalization_rule is "bert"`:    func(c *Config) { c.NormalizationRule = "bert" },
		`padding is "no"`:                 func(c *Config) { c.Padding = "no" },
		`name is "a/b"`:                   func(c *Config) { c.Name = "a/b" },
		"are not for unigram":             func(c *Config) { c.MinFrequency = 2 },
	} {
		c := DefaultConfig()
		c.CorpusGlob = []string{"testdata/corpus.txt"}
		change(&c)
		if _, err := MakePlan(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestRunRefusesAFolderThatIsThere(t *testing.T) {
	c := DefaultConfig()
	c.CorpusGlob, c.ModelType, c.VocabSize, c.OutDir = []string{"testdata/corpus.txt"}, "bpe", 300, t.TempDir()
	for i := range 3 {
		p, err := MakePlan(c)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Run(t.Context(), p, Env{Force: i == 2})
		if (err != nil) != (i == 1) {
			t.Errorf("run %d: %v", i, err)
		}
	}
}
