package model_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/format/safetensors"
	"github.com/aries-serpent/codexml/internal/testkit"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/nn"
	_ "github.com/aries-serpent/codexml/std"
	"github.com/aries-serpent/codexml/tensor"
)

// The sizes of testdata/models_torch.py.
const pretrainedRows, pretrainedTokens, pretrainedVocab = 2, 40, 96

// pretrained lists the cases of testdata/models.
func pretrained(t *testing.T) []string {
	paths, err := filepath.Glob("testdata/models/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatal("testdata/models is empty", err)
	}
	var names []string
	for _, p := range paths {
		names = append(names, strings.TrimSuffix(filepath.Base(p), ".json"))
	}
	return names
}

// pretrainedFolder writes the case's config.json and weights, by the formula of
// testdata/README.md, as a folder of transformers.
func pretrainedFolder(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/models/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	fields, err := model.ParseFields("config.json", text)
	if err != nil {
		t.Fatal(err)
	}
	kind := fields.Text("model_type", "")
	for _, e := range model.Architectures.List() {
		if e.Value.HuggingFace.Type != kind {
			continue
		}
		m, err := model.New(e.Value.HuggingFace.Config(fields), 1)
		if err != nil {
			t.Fatal(err)
		}
		export, err := e.Value.Export(m)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range export.Tensors {
			export.Tensors[i].Data = pretrainedWeights(x, strings.HasPrefix(kind, "gemma"))
		}
		export.Config = map[string]any{}
		if err := json.Unmarshal(text, &export.Config); err != nil {
			t.Fatal(err)
		}
		return writeExport(t, export)
	}
	t.Fatalf("no architecture reads model_type %q", kind)
	return ""
}

func pretrainedWeights(x model.ExportTensor, gainLess1 bool) []float32 {
	data := make([]float32, len(x.Data))
	salt, scale := fnv.New32a(), 0.4
	salt.Write([]byte(x.Name))
	gain := len(x.Shape) == 1 && !strings.HasSuffix(x.Name, ".bias")
	if gain {
		scale = 0.2
	} else if len(x.Shape) == 1 {
		scale = 0.1
	}
	testkit.Hash(data, salt.Sum32(), scale)
	for i := range data {
		if gain {
			data[i]++
		}
		if gain && gainLess1 {
			data[i]--
		}
	}
	return data
}

func open(t *testing.T, path string, o model.LoadOptions) (model.Model, *model.Pretrained) {
	t.Helper()
	p, err := model.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	m, err := p.Load(o)
	if err != nil {
		t.Fatal(err)
	}
	return m, p
}

// TestPretrained opens a folder of every architecture and demands what transformers
// computes: logits, loss, gradients, greedy tokens. What is exported again must be
// the file's weights.
func TestPretrained(t *testing.T) {
	for _, name := range pretrained(t) {
		t.Run(name, func(t *testing.T) {
			want := testkit.ReadFigures(t, "testdata/models/"+name+".txt")
			m, p := open(t, pretrainedFolder(t, name), model.LoadOptions{Train: true})
			c, v := newContext(t, m, 2, tensor.F32), pretrainedVocab
			b := pretrainedBatch(t, want)
			c.SetBatch(b)
			logits := make([]float32, b.Slots()*v)
			m.Logits(c, tensor.FromF32(logits, b.Slots(), v))
			for _, at := range [][2]int{{0, 0}, {0, 1}, {1, 17}, {1, pretrainedTokens - 1}} {
				row := fmt.Sprintf("logits/%d/%d", at[0], at[1])
				testkit.Close(t, row, logits[(at[0]*pretrainedTokens+at[1])*v:][:v], want.Float32(t, row), 1e-4, 0)
			}
			checkPretrainedGradients(t, c, m, b, want.Row(t, "loss")[0], func(tensor string) []float64 { return want.Row(t, "grad/"+tensor) })
			checkRoundTrip(t, m, p)
			testkit.SameBits(t, "greedy tokens", greedy(m, c, b.Tokens[:20], 12), want.Int32(t, "greedy"))
		})
	}
}

func pretrainedBatch(t *testing.T, want testkit.Figures) *nn.Batch {
	b := &nn.Batch{Rows: pretrainedRows, SeqLen: pretrainedTokens}
	for r := range pretrainedRows {
		stream := want.Int32(t, fmt.Sprintf("tokens/%d", r))
		b.Tokens, b.Targets = append(b.Tokens, stream[:pretrainedTokens]...), append(b.Targets, stream[1:]...)
		b.Segments = append(b.Segments, nn.Segment{Start: int32(r * pretrainedTokens), Len: pretrainedTokens})
		b.Samples = append(b.Samples, int64(r))
	}
	return b
}

// checkPretrainedGradients compares the gradients of one step under the names of
// transformers: they are exported as if they were weights.
func checkPretrainedGradients(t *testing.T, c *nn.Context, m model.Model, b *nn.Batch, loss float64, gradients func(tensor string) []float64) {
	t.Helper()
	c.First, c.StepSlots = true, b.Slots()
	losses, sum := make([]float32, b.Slots()), 0.0
	m.Loss(c, losses, 1/float32(b.Slots()), true)
	m.FinishGrads(c)
	for _, l := range losses {
		sum += float64(l)
	}
	testkit.Close(t, "loss", []float64{sum / float64(b.Slots())}, []float64{loss}, 0, 1e-5)
	for _, p := range m.Params() {
		p.Data, p.Grad = p.Grad, p.Data
	}
	for _, x := range export(t, m).Tensors {
		row := gradients(x.Name)
		got := []float64{0}
		for _, g := range x.Data {
			if strings.HasPrefix(m.Config().Name, "gemma") && len(x.Shape) == 1 {
				g++ // the export took 1 off
			}
			got[0] += float64(g) * float64(g)
			got = append(got, float64(g))
		}
		got[0] = math.Sqrt(got[0])
		testkit.Close(t, "gradient of "+x.Name, got[:len(row)], row, 1e-6+2e-5*row[0], 1e-3)
	}
	for _, p := range m.Params() {
		p.Data, p.Grad = p.Grad, p.Data
	}
}

func export(t *testing.T, m model.Model) *model.Export {
	t.Helper()
	arch, err := model.Architectures.Get(m.Config().Name)
	if err != nil {
		t.Fatal(err)
	}
	e, err := arch.Export(m)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// checkRoundTrip opens what is exported of a model and wants the same model.
func checkRoundTrip(t *testing.T, m model.Model, p *model.Pretrained) {
	t.Helper()
	again, q := open(t, writeExport(t, export(t, m)), model.LoadOptions{})
	if !slices.Equal(p.Source.Names(), q.Source.Names()) {
		t.Errorf("exported tensors: got %v, want %v", q.Source.Names(), p.Source.Names())
	}
	if got, want := again.Config(), m.Config(); got != want {
		t.Errorf("configuration of the export: got %+v, want %+v", got, want)
	}
	for i, x := range again.Params() {
		if x.Grad != nil {
			t.Errorf("%s has a gradient though nothing is to be trained", x.Name)
		}
		testkit.Close(t, x.Name, x.Data, m.Params()[i].Data, 1e-7, 0)
	}
}

func greedy(m model.Model, c *nn.Context, prompt []int32, n int) []int32 {
	s, logits := m.NewState(c.DType, len(prompt)+n), make([]float32, m.Config().VocabSize)
	var out []int32
	for next := prompt; len(out) < n; next = out[len(out)-1:] {
		m.Decode(c, s, next, logits)
		best := 0
		for i, x := range logits {
			if x > logits[best] {
				best = i
			}
		}
		out = append(out, int32(best))
	}
	return out
}

// writeExport writes the folder that transformers opens.
func writeExport(t *testing.T, e *model.Export) string {
	t.Helper()
	folder := t.TempDir()
	config, err := json.Marshal(e.Config)
	if err != nil {
		t.Fatal(err)
	}
	var tensors []safetensors.Tensor
	data := map[string][]float32{}
	for _, x := range e.Tensors {
		tensors = append(tensors, safetensors.Tensor{Name: x.Name, DType: safetensors.F32, Shape: x.Shape})
		data[x.Name] = x.Data
	}
	safetensors.Sort(tensors)
	var file bytes.Buffer
	w, err := safetensors.NewWriter(&file, tensors, map[string]string{"format": "pt"})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range tensors {
		if err := binary.Write(w, binary.LittleEndian, data[x.Name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"config.json": config, "model.safetensors": file.Bytes()} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// rewriteConfig changes a folder's config.json.
func rewriteConfig(t *testing.T, dir string, change func(dir string, config map[string]any) map[string]any) {
	t.Helper()
	path, config := filepath.Join(dir, "config.json"), map[string]any{}
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &config)
	}
	if err == nil {
		data, err = json.Marshal(change(dir, config))
	}
	if err == nil {
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
