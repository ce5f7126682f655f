//go:build interop

package sentencepiece

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aries-serpent/codexml/internal/rng"
	"github.com/aries-serpent/codexml/internal/testkit"
)

// pinned is the original that the committed files come from.
const pinned = "sentencepiece==0.2.3"

// original runs original.py in dir.
func original(t *testing.T, python, dir string, args ...string) string {
	t.Helper()
	script, err := filepath.Abs("testdata/original.py")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, append([]string{script}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return string(out)
}

// The committed files are what the original says today. -update rewrites them.
func TestInteropCommittedFiles(t *testing.T) {
	python := testkit.Python(t, pinned)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	original(t, python, dir)
	models, err := filepath.Glob(filepath.Join(dir, "*.model.b64"))
	if err != nil || len(models) == 0 {
		t.Fatalf("no models: %v", err)
	}
	for _, model := range models {
		path := strings.TrimSuffix(filepath.Base(model), ".model.b64") + ".jsonl"
		got, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		testkit.Golden(t, filepath.Join("testdata", path), string(got))
	}
}

// compare encodes texts with the original and here.
func compare(t *testing.T, python, model string, texts [][]byte) {
	t.Helper()
	dir := t.TempDir()
	var in []byte
	for _, text := range texts {
		in = binary.LittleEndian.AppendUint32(in, uint32(len(text)))
		in = append(in, text...)
	}
	if err := os.WriteFile(filepath.Join(dir, "in"), in, 0o644); err != nil {
		t.Fatal(err)
	}
	original(t, python, dir, "encode", model, "in", "out")
	want := readLines[expected](t, filepath.Join(dir, "out"))
	tok, err := Load(model)
	if err != nil {
		t.Fatal(err)
	}
	differ, ids := 0, 0
	for i, text := range texts {
		if !check(t, tok, text, want[i]) {
			if differ++; differ > 5 {
				t.Fatal("too many differences")
			}
		}
		ids += len(want[i].IDs)
	}
	t.Logf("%s: %d texts, %d bytes, %d ids: %d differ", filepath.Base(model), len(texts), len(in), ids, differ)
	file, err := os.ReadFile(model)
	if err != nil {
		t.Fatal(err)
	}
	if got := tok.Model().Append(nil); !bytes.Equal(got, file) {
		t.Errorf("%s: written again it has %d bytes, want the same %d", filepath.Base(model), len(got), len(file))
	}
}

// unicodeTexts are all characters, and random strings of characters of one block or
// of all, with bytes that are no UTF-8.
func unicodeTexts() [][]byte {
	var texts [][]byte
	for block := rune(0); block < utf8.MaxRune; block += 64 {
		var all []byte
		for r := block; r < block+64; r++ {
			all = utf8.AppendRune(all, r)
		}
		texts = append(texts, all)
	}
	random := rng.Key{Seed: 7}
	at := uint64(0)
	next := func(n int) int { at++; return int(rng.Uint64(random, at) % uint64(n)) }
	starts := []rune{0x20, 0x41, 0xC0, 0x300, 0x400, 0x5D0, 0x620, 0x905, 0xE01, 0x1100, 0x1E00, 0x2000, 0x2100, 0x2150, 0x3040, 0x30A0, 0x4E00, 0xAC00, 0xFB00, 0xFE00, 0xFF00, 0x1D400, 0x1F600, 0xE0100}
	for i := range 4000 {
		var text []byte
		for range next(60) {
			switch c := next(20); {
			case c == 0:
				text = append(text, ' ')
			case c == 1:
				text = append(text, byte(next(256)))
			case c == 2:
				text = utf8.AppendRune(text, rune(0x300+next(0x70)))
			default:
				text = utf8.AppendRune(text, starts[(i+c/19*next(100))%len(starts)]+rune(next(80)))
			}
		}
		texts = append(texts, text)
	}
	return texts
}

// sources are files of Go's standard library, whole and in lines, and a megabyte
// without a space.
func sources(t *testing.T) (files, lines [][]byte) {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "src")
	for _, pattern := range []string{"net/http/*.go", "fmt/*.go", "unicode/*.go", "go/types/*.go", "strings/*.go", "regexp/*.go"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, text)
			lines = append(lines, bytes.Split(text, []byte("\n"))...)
		}
	}
	return files, lines
}

func TestInterop(t *testing.T) {
	python := testkit.Python(t, pinned)
	files, lines := sources(t)
	dir := t.TempDir()
	corpus := filepath.Join(dir, "corpus")
	if err := os.WriteFile(corpus, bytes.Join(lines, []byte("\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	whole := bytes.ReplaceAll(bytes.Join(files, nil), []byte(" "), nil)
	texts := append(unicodeTexts(), files...)
	texts = append(texts, whole[:1<<20], bytes.Repeat([]byte("\u3042"), 1<<18))
	texts = append(texts, lines[:20000]...)
	variants := [][]string{
		{"model_type=unigram", "vocab_size=4000", "normalization_rule_name=nmt_nfkc"},
		{"model_type=unigram", "vocab_size=1000", "normalization_rule_name=nmt_nfkc_cf", "byte_fallback=true", `user_defined_symbols=["func","\n"]`, "remove_extra_whitespaces=false"},
		{"model_type=unigram", "vocab_size=2000", "normalization_rule_name=nfkc", "split_by_whitespace=false", "input_sentence_size=20000"},
		{"model_type=bpe", "vocab_size=4000", "normalization_rule_name=nmt_nfkc"},
		{"model_type=bpe", "vocab_size=2000", "byte_fallback=true", "allow_whitespace_only_pieces=true", "remove_extra_whitespaces=false", `user_defined_symbols=["func"]`},
		{"model_type=char", "vocab_size=200", "normalization_rule_name=nfkc_cf"},
		{"model_type=word", "vocab_size=2000", "normalization_rule_name=nmt_nfkc"},
	}
	for i, options := range variants {
		model := filepath.Join(dir, strconv.Itoa(i)+".model")
		original(t, python, dir, append([]string{"train", model, "corpus=" + corpus}, options...)...)
		t.Run(fmt.Sprint(options), func(t *testing.T) { compare(t, python, model, texts) })
	}
	// models of others, such as those in sentencepiece's source package
	more, err := filepath.Glob(filepath.Join(os.Getenv("CODEXML_SENTENCEPIECE_MODELS"), "*.model"))
	if err != nil {
		t.Fatal(err)
	}
	for _, model := range more {
		t.Run(filepath.Base(model), func(t *testing.T) { compare(t, python, model, texts) })
	}
}
