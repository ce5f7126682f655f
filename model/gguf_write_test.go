package model_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/format/gguf"
	"github.com/aries-serpent/codexml/internal/testkit"
	"github.com/aries-serpent/codexml/model"
)

// exportGGUF writes a model as a file of float32.
func exportGGUF(t *testing.T, m model.Model) string {
	t.Helper()
	entries, list, err := model.ExportGGUF(m)
	if err != nil {
		t.Fatal(err)
	}
	tensors := make([]gguf.Tensor, len(list))
	for i, x := range list {
		tensors[i] = gguf.Tensor{Name: x.Name, Shape: x.Shape, Type: gguf.F32}
	}
	var file bytes.Buffer
	w, err := gguf.NewWriter(&file, entries, tensors)
	for i := 0; i < len(list) && err == nil; i++ {
		data, _ := binary.Append(nil, binary.LittleEndian, list[i].Data)
		err = w.WriteTensor(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.gguf")
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// sameAsGGUF demands that a model is the same after a way through a file.
func sameAsGGUF(t *testing.T, m model.Model) {
	t.Helper()
	again, _ := open(t, exportGGUF(t, m), model.LoadOptions{})
	want, got := m.Config(), again.Config()
	if got.Name != want.Name || got.VocabSize != want.VocabSize || got.MaxSeqLen != want.MaxSeqLen || got.RopeType != want.RopeType || got.RopeFactor != want.RopeFactor {
		t.Errorf("got %+v, want %+v", got, want)
	}
	testkit.SameBits(t, "logits", ggufLogits(t, again), ggufLogits(t, m))
}

func TestExportGGUF(t *testing.T) {
	for name, c := range ggufCases() {
		t.Run(name, func(t *testing.T) { sameAsGGUF(t, ggufModel(t, c.cfg)) })
	}
	for _, name := range []string{"llama", "llama-linear", "llama-tied-bias", "llama-yarn", "mistral", "gpt2"} {
		t.Run("folder "+name, func(t *testing.T) {
			m, _ := open(t, pretrainedFolder(t, name), model.LoadOptions{})
			sameAsGGUF(t, m)
		})
	}
	t.Run("llama3", func(t *testing.T) {
		sameAsGGUF(t, ggufModel(t, func(c *model.Config) {
			c.Name, c.HeadSize, c.RotaryTheta = "llama", 32, 5e5
			c.RopeType, c.RopeFactor, c.RopeOriginalLen, c.RopeLowFreqFactor, c.RopeHighFreqFactor = "llama3", 32, 8192, 1, 4
		}))
	})
}

// TestExportGGUFRejects demands that what a file cannot say is named.
func TestExportGGUFRejects(t *testing.T) {
	for want, change := range map[string]func(c *model.Config){
		"model.layer_pattern: a GGUF file cannot say ggs": func(c *model.Config) {
			c.Name, c.QKVBias, c.NLayers, c.SlidingWindow, c.LayerPattern = "qwen2", true, 3, 9, "ggs"
		},
		"model.rope_type: a GGUF file cannot say dynamic": func(c *model.Config) {
			c.Name, c.RopeType, c.RopeFactor, c.RopeOriginalLen = "llama", "dynamic", 2, 32
		},
		"model.activation: a GGUF file cannot say geglu (llama.cpp would take swiglu)": func(c *model.Config) { c.Name, c.Activation = "llama", "geglu" },
		"model.name decoder: llama.cpp has no such architecture":                       func(c *model.Config) {},
	} {
		if _, _, err := model.ExportGGUF(ggufModel(t, change)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
