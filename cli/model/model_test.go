package model

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/format/gguf"
	"github.com/aries-serpent/codexml/format/safetensors"
	"github.com/aries-serpent/codexml/internal/fsatomic"
	"github.com/aries-serpent/codexml/model"
	_ "github.com/aries-serpent/codexml/std"
)

// tiny is a Llama whose matrices have rows of 32 and 64 elements.
func tiny(tb testing.TB) (model.Model, model.Architecture) {
	tb.Helper()
	cfg := model.DefaultConfig()
	cfg.Name, cfg.Norm, cfg.Activation, cfg.VocabSize, cfg.DModel, cfg.NHeads, cfg.NKVHeads, cfg.NLayers, cfg.FFNMult, cfg.MaxSeqLen = "llama", "rmsnorm", "swiglu", 40, 32, 2, 1, 2, 2, 64
	m, err := model.New(cfg, 1)
	if err != nil {
		tb.Fatal(err)
	}
	arch, err := model.Architectures.Get("llama")
	if err != nil {
		tb.Fatal(err)
	}
	return m, arch
}

// tinyFolder writes it as transformers has it.
func tinyFolder(tb testing.TB, dir string) {
	tb.Helper()
	m, arch := tiny(tb)
	e, err := arch.Export(m)
	if err != nil {
		tb.Fatal(err)
	}
	config, err := json.Marshal(e.Config)
	if err != nil {
		tb.Fatal(err)
	}
	list := make([]numbers, len(e.Tensors))
	for i, t := range e.Tensors {
		list[i] = numbers{safetensors.Tensor{Name: t.Name, DType: safetensors.F32, Shape: t.Shape}, func(dst []float32) error { copy(dst, t.Data); return nil }}
	}
	if err := writeFolder(&Converted{Out: dir, Types: map[string]int{}}, []document{textOf("config.json", config)}, list); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "README.md"), []byte("---\nlanguage: en\nlicense: \"mit\"\n---\n# tiny\n"), 0o644); err != nil {
		tb.Fatal(err)
	}
}

// tinyGGUF writes it as llama.cpp has it.
func tinyGGUF(tb testing.TB, path string) {
	tb.Helper()
	m, arch := tiny(tb)
	cfg := m.Config()
	var tensors []gguf.Tensor
	for _, t := range model.ExportWeights(m, arch.GGUF.Weights(cfg)) {
		data := make([]byte, 4*len(t.Data))
		if err := gguf.Quantize(data, gguf.F32, t.Data); err != nil {
			tb.Fatal(err)
		}
		tensors = append(tensors, gguf.Tensor{Name: t.Name, Shape: t.Shape, Type: gguf.F32, Data: data})
	}
	size := func(key string, n int) gguf.KeyValue { return gguf.KeyValue{Key: "llama." + key, Value: uint32(n)} }
	entries := []gguf.KeyValue{
		{Key: "general.architecture", Value: "llama"}, {Key: "general.license", Value: "mit"}, {Key: "general.file_type", Value: uint32(0)}, size("context_length", 64), size("embedding_length", 32),
		size("block_count", 2), size("feed_forward_length", 64), size("attention.head_count", 2), size("attention.head_count_kv", 1),
		{Key: "llama.attention.layer_norm_rms_epsilon", Value: float32(cfg.LayerNormEps)}, {Key: "tokenizer.ggml.eos_token_id", Value: uint32(3)},
		{Key: "tokenizer.ggml.model", Value: "gpt2"}, {Key: "tokenizer.ggml.pre", Value: "smollm"}, {Key: "tokenizer.ggml.merges", Value: []string{"a b"}},
		{Key: "tokenizer.ggml.tokens", Value: []string{"a", "b", "ab", "<end>"}}, {Key: "tokenizer.ggml.token_type", Value: []int32{1, 1, 1, 3}},
	}
	err := fsatomic.WriteFile(path, 0o644, func(w io.Writer) error {
		out, err := gguf.NewWriter(w, entries, tensors)
		for i := 0; i < len(tensors) && err == nil; i++ {
			err = out.WriteTensor(tensors[i].Data)
		}
		if err == nil {
			err = out.Close()
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// bench runs the commands in a folder.
type bench struct {
	testing.TB
	dir string
	env map[string]string
}

func newBench(tb testing.TB) *bench { return &bench{tb, tb.TempDir(), map[string]string{}} }

// run runs one command and returns its output.
func (b *bench) run(line string) (out string, err error) {
	var stdout bytes.Buffer
	env := cmdenv.New(strings.NewReader(""), &stdout, new(bytes.Buffer), func(name string) (string, bool) { v, ok := b.env[name]; return v, ok }, b.dir)
	defer env.Close()
	words := strings.Fields(line)
	if words[len(words)-1] == "--json" {
		env.JSON, words = true, words[:len(words)-1]
	}
	cmd := New(env)
	cmd.SetArgs(words)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(context.Background())
	return stdout.String(), err
}

func (b *bench) ok(line string, want ...string) {
	b.Helper()
	out, err := b.run(line)
	if err != nil {
		b.Fatalf("%s: %v", line, err)
	}
	for _, text := range want {
		if !strings.Contains(out, text) {
			b.Errorf("%s: %q has no %q", line, out, text)
		}
	}
}

func (b *bench) fails(line string, code int, want string) {
	b.Helper()
	if _, err := b.run(line); err == nil || cmdenv.ExitCode(err) != code || !strings.Contains(err.Error(), want) {
		b.Errorf("%s: got %v (code %d), want ...%s (code %d)", line, err, cmdenv.ExitCode(err), want, code)
	}
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// weights are all numbers of a model's files, by name.
func (b *bench) weights(name string) map[string][]float32 {
	b.Helper()
	p, err := model.Open(b.path(name))
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	out := map[string][]float32{}
	for _, name := range p.Source.Names() {
		t, _ := p.Source.Find(name)
		n := 1
		for _, dim := range t.Shape {
			n *= dim
		}
		out[name] = make([]float32, n)
		if err := t.Read(out[name]); err != nil {
			b.Fatal(err)
		}
	}
	return out
}

func TestShow(t *testing.T) {
	b := newBench(t)
	tinyFolder(t, b.path("tiny"))
	tinyGGUF(t, b.path("tiny.gguf"))
	for _, name := range []string{"tiny", "tiny.gguf"} {
		b.ok("show "+name, "architecture  llama", "2 layers, width 32, 2 heads (1 of keys and values), 40 tokens", "licence       mit", "LoRA on 4-bit weights", "sha256", "fits")
		b.ok("show "+name+" --json", `"architecture":"llama"`, `"parameters":19872`, `"types":{"F32":79488}`, `"licence":"mit"`)
	}
	b.fails("show gone", cmdenv.ExitBadInput, "CODEX_ML_GONE_PATH (not set)")
	b.fails("show", cmdenv.ExitBadInput, "MODEL is missing")
}

func TestList(t *testing.T) {
	b := newBench(t)
	b.ok("list", "no models")
	b.ok("list --json", `{"models":[]}`)
	commit := strings.Repeat("ab", 20)
	if err := os.MkdirAll(b.path("hf/hub/models--org--tiny/snapshots"), 0o755); err != nil {
		t.Fatal(err)
	}
	tinyFolder(t, b.path("hf/hub/models--org--tiny/snapshots/"+commit))
	if err := os.MkdirAll(b.path("hf/hub/models--org--tiny/refs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.path("hf/hub/models--org--tiny/refs/main"), []byte(commit), 0o644); err != nil {
		t.Fatal(err)
	}
	b.env["HF_HOME"] = "hf"
	b.ok("list", "org/tiny", "abababab")
	b.ok("show org/tiny --json", `"from":"HF_HOME"`, commit)
	b.ok("show org/tiny --revision abababab --json", commit)
}

func TestVerify(t *testing.T) {
	b := newBench(t)
	tinyFolder(t, b.path("tiny"))
	b.ok("verify tiny", "llama, 20 tensors, all numbers finite")
	path := b.path("tiny/model.safetensors")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := append(append([]byte(nil), data[:len(data)-4]...), 0, 0, 0x80, 0x7f)
	if err := os.WriteFile(path, damaged, 0o644); err != nil {
		t.Fatal(err)
	}
	b.fails("verify tiny", cmdenv.ExitFailed, "is damaged: 1 problems")
	if out, _ := b.run("verify tiny"); !strings.Contains(out, "element ") || !strings.Contains(out, "is +Inf") {
		t.Errorf("%s", out)
	}
	if err := os.WriteFile(path, data[:len(data)-4], 0o644); err != nil {
		t.Fatal(err)
	}
	b.fails("verify tiny", cmdenv.ExitBadInput, "bytes of data")
	// A file of the cache has another hash than its name.
	blob := b.path(strings.Repeat("0", 64))
	if err := os.WriteFile(blob, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(blob, path); err != nil {
		t.Skip(err)
	}
	b.fails("verify tiny", cmdenv.ExitFailed, "is damaged")
}

func TestConvertFolder(t *testing.T) {
	b := newBench(t)
	tinyFolder(t, b.path("tiny"))
	b.ok("convert tiny --out half --type bf16 --json", `"types":{"BF16":20}`)
	b.ok("convert half --out again", "again")
	b.ok("show half", "BF16", "mit")
	if got, want := fmt.Sprint(b.weights("again")), fmt.Sprint(b.weights("half")); got != want {
		t.Error("a copy has other numbers")
	}
	b.fails("convert tiny --out half", cmdenv.ExitBadInput, "--force")
	b.fails("convert tiny --out tiny --force", cmdenv.ExitBadInput, "is the model itself")
	b.ok("convert tiny --out half --force", "half")
	if got, want := fmt.Sprint(b.weights("half")), fmt.Sprint(b.weights("tiny")); got != want {
		t.Error("a copy has other numbers")
	}
	b.fails("convert tiny", cmdenv.ExitBadInput, "--out is missing")
	b.fails("convert tiny --out x --type Q8_0", cmdenv.ExitBadInput, "want F32, F16 or BF16")
	b.fails("convert tiny --out x.gguf", cmdenv.ExitBadInput, "the folder has no tokenizer.json")
}

func TestConvertGGUF(t *testing.T) {
	b := newBench(t)
	tinyFolder(t, b.path("tiny"))
	tinyGGUF(t, b.path("tiny.gguf"))
	b.ok("convert tiny.gguf --out folder", "folder")
	if got, want := fmt.Sprint(b.weights("folder")), fmt.Sprint(b.weights("tiny")); got != want {
		t.Error("the file as a folder has other numbers than the folder")
	}
	if text, err := os.ReadFile(b.path("folder/tokenizer.json")); err != nil || !strings.Contains(string(text), `"content":"<end>"`) {
		t.Errorf("tokenizer.json: %s, %v", text, err)
	}
	b.ok("convert folder --out back.gguf", "back.gguf")
	if got, want := fmt.Sprint(b.weights("back.gguf")), fmt.Sprint(b.weights("tiny.gguf")); got != want {
		t.Error("the folder as a file has other numbers than the file")
	}
	b.ok("convert back.gguf --out folder2", "folder2")
	for _, name := range []string{"config.json", "tokenizer_config.json", "model.safetensors"} {
		x, errX := os.ReadFile(b.path("folder/" + name))
		y, errY := os.ReadFile(b.path("folder2/" + name))
		if errX != nil || errY != nil || !bytes.Equal(x, y) {
			t.Errorf("%s changes on the way to GGUF and back: %v %v", name, errX, errY)
		}
	}
	b.ok("convert tiny.gguf --out same.gguf", "same.gguf")
	if got, want := fmt.Sprint(b.weights("same.gguf")), fmt.Sprint(b.weights("tiny.gguf")); got != want {
		t.Error("a copy has other numbers")
	}
	for name, want := range map[string]string{"F16": `"types":{"F16":15,"F32":5}`, "q8_0": `"types":{"F32":5,"Q8_0":15}`, "Q4_1": `"types":{"F32":5,"Q4_1":15}`, "Q4_K": `"types":{"F32":5,"Q8_0":15}`} {
		file := name + ".gguf"
		b.ok("convert tiny.gguf --out "+file+" --type "+name+" --json", want)
		b.ok("verify "+file, "all numbers finite")
		b.ok("show "+file, "licence       mit")
	}
	f, err := gguf.Open(b.path("Q4_1.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.Int("general.file_type"); n != 3 || err != nil {
		t.Errorf("file type %d, %v", n, err)
	}
	if n, err := f.Int("tokenizer.ggml.eos_token_id"); n != 3 || err != nil {
		t.Errorf("eos %d, %v", n, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	b.fails("convert tiny.gguf --out x.gguf --type Q2_K", cmdenv.ExitBadInput, "want one of F32 F16 Q4_0")
	if entries, err := os.ReadDir(b.dir); err != nil || strings.Contains(fmt.Sprint(entries), "x.gguf") {
		t.Errorf("left over: %v %v", entries, err)
	}
}

// TestFlags demands that the command line reaches the options.
func TestFlags(t *testing.T) {
	for _, c := range []struct {
		make func(*cmdenv.Env, func(context.Context, *Options) error) *cobra.Command
		line string
		want Options
	}{
		{newList, "", Options{}}, {newShow, "m --revision r", Options{Name: "m", Revision: "r"}}, {newVerify, "m", Options{Name: "m"}},
		{newConvert, "m --out o --type F16 --force --revision r", Options{Name: "m", Out: "o", Type: "F16", Force: true, Revision: "r"}},
	} {
		var got Options
		env := cmdenv.New(strings.NewReader(""), new(bytes.Buffer), new(bytes.Buffer), func(string) (string, bool) { return "", false }, t.TempDir())
		cmd := c.make(env, func(_ context.Context, o *Options) error { got = *o; return nil })
		cmd.SetArgs(strings.Fields(c.line))
		err := cmd.Execute()
		if got.Env = nil; err != nil || got != c.want {
			t.Errorf("%q: got %+v %v, want %+v", c.line, got, err, c.want)
		}
	}
}
