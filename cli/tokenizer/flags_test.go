package tokenizer

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/tokenizer/trainer"
)

func testEnv(t *testing.T, in string) (*cmdenv.Env, *bytes.Buffer) {
	out := new(bytes.Buffer)
	return cmdenv.New(strings.NewReader(in), out, new(bytes.Buffer), func(string) (string, bool) { return "", false }, t.TempDir()), out
}

func run(cmd *cobra.Command, line string) error {
	cmd.SetArgs(strings.Fields(line))
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	return cmd.Execute()
}

// The command line reaches the options, over the config file.
func TestTrainFlags(t *testing.T) {
	env, _ := testEnv(t, "")
	file := "corpus_glob: one.txt\nvocab_size: 5\nnormalization_rule: null\nname: x\n"
	if err := os.WriteFile(filepath.Join(env.Dir, "c.yaml"), []byte(file), 0o644); err != nil {
		t.Fatal(err)
	}
	var got *trainer.Config
	cmd := func() *cobra.Command {
		return newTrain(env, func(_ context.Context, o *TrainOptions) error { got = o.Config; return nil })
	}
	if err := run(cmd(), "-c c.yaml --vocab-size 7 --memory 1.5GiB --model-type bpe"); err != nil {
		t.Fatal(err)
	}
	want := trainer.DefaultConfig()
	want.CorpusGlob, want.VocabSize, want.Name, want.MemoryLimit, want.ModelType, want.Workers = []string{"one.txt"}, 7, "x", 3<<29, "bpe", env.Threads
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("got %+v, want %+v", *got, want)
	}
	for _, line := range []string{"", "--corpus a --memory 1XB", "--corpus a --memory -1B", "-c none.yaml", "extra"} {
		if err := run(cmd(), line); err == nil {
			t.Errorf("%q was accepted", line)
		}
	}
}

// The first argument is the tokenizer, unless a flag names it.
func TestArguments(t *testing.T) {
	env, _ := testEnv(t, "")
	if err := os.WriteFile(filepath.Join(env.Dir, "t.json"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line, path string
		text       []string
	}{
		{"t.json", "t.json", []string{}}, {"t.json a b", "t.json", []string{"a", "b"}}, {"hello", "", []string{"hello"}},
		{"--tokenizer-path p.json a b", "p.json", []string{"a", "b"}}, {"", "", []string{}},
	} {
		err := run(newEncode(env, func(_ context.Context, o *EncodeOptions) error {
			if o.Tokenizer != c.path || !slices.Equal(o.Text, c.text) || o.AllowedSpecial != "all" {
				t.Errorf("%q: %+v", c.line, o)
			}
			return nil
		}), c.line)
		if err != nil {
			t.Errorf("%q: %v", c.line, err)
		}
	}
	err := run(newDecode(env, func(_ context.Context, o *DecodeOptions) error {
		if o.Tokenizer != "t.json" || !slices.Equal(o.IDs, []string{"1", "2"}) {
			t.Errorf("decode: %+v", o)
		}
		return nil
	}), "t.json 1 2")
	if err != nil {
		t.Error(err)
	}
}

func TestMatchDeep(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"a/**/*.txt", "a/x.txt", true}, {"a/**/*.txt", "a/b/c/x.txt", true}, {"a/**/*.txt", "a/b/x.go", false}, {"a/**", "a/b/c", true}, {"**/b/*", "a/b/c", true}, {"a/*/c", "a/b/d", false},
	} {
		if got := matchDeep(c.pattern, c.path); got != c.want {
			t.Errorf("%s, %s: got %v", c.pattern, c.path, got)
		}
	}
}

// Texts of a corpus: files, lines, parts that end with a line, JSONL records.
func TestCorpus(t *testing.T) {
	env, _ := testEnv(t, "from a pipe")
	for name, text := range map[string]string{"a.txt": "one\ntwo\r\nthree", "b.jsonl": "{\"text\":\"x\"}\n\n\"y\"\n", "bad.jsonl": "{\"text\":\"x\"}\n{}\n"} {
		if err := os.WriteFile(filepath.Join(env.Dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	read := func(glob string, lines bool, chunk int) ([]string, error) {
		c, err := findCorpus(env, []string{glob})
		if err != nil {
			return nil, err
		}
		c.lines, c.chunk = lines, chunk
		var out []string
		for doc := range c.documents() {
			out = append(out, string(doc))
		}
		return out, c.err
	}
	for _, c := range []struct {
		glob  string
		lines bool
		chunk int
		want  []string
	}{
		{"a.txt", false, 0, []string{"one\ntwo\r\nthree"}}, {"a.txt", true, 0, []string{"one", "two", "three"}}, {"a.txt", false, 5, []string{"one\ntwo\r\n", "three"}},
		{"b.jsonl", false, 0, []string{"x", "y"}}, {"[ab].*", true, 0, []string{"one", "two", "three", "x", "y"}}, {"-", false, 0, []string{"from a pipe"}},
	} {
		if got, err := read(c.glob, c.lines, c.chunk); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q %v, want %q", c.glob, got, err, c.want)
		}
	}
	if _, err := read("bad.jsonl", false, 0); err == nil || !strings.Contains(err.Error(), "bad.jsonl:2: ") {
		t.Errorf("a record without text: %v", err)
	}
	if _, err := read("none*", false, 0); cmdenv.ExitCode(err) != cmdenv.ExitBadInput {
		t.Errorf("no file: %v", err)
	}
}
