package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/aries-serpent/codexml/checkpoint"
	"github.com/aries-serpent/codexml/format/safetensors"
	"github.com/aries-serpent/codexml/internal/testkit"
	"github.com/aries-serpent/codexml/model"
	_ "github.com/aries-serpent/codexml/std"
)

// TestMain lets scripts run this test binary as codexml, its Main in a process of
// its own, and TestSignals as a command that waits.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"codexml": func() { os.Exit(Main()) }, waiter: waitForSignals, "codexml-offline": runOffline, "socket-offline": openSocketOffline})
}

// TestScript runs the scripts in testdata/script.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: testkit.Updating(),
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"checkpoints": saveCheckpoints,
			"tinymodel":   saveModel,
		},
	})
}

// saveCheckpoints is the script command "checkpoints RUN STEP...": a run folder
// with tiny checkpoints; the lower the step, the better.
func saveCheckpoints(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: checkpoints RUN STEP...")
	}
	store, err := checkpoint.New(filepath.Join(ts.MkAbs(args[0]), "checkpoints"), checkpoint.Options{BestK: 1, BestMetric: "val_loss"})
	ts.Check(err)
	for _, arg := range args[1:] {
		step, err := strconv.Atoi(arg)
		ts.Check(err)
		_, err = store.Save(checkpoint.State{
			Step:    step,
			Weights: []checkpoint.Tensor{{Name: "w", Shape: []int{2}, F32: []float32{1, float32(step)}}},
			Meta:    checkpoint.Meta{Metrics: map[string]float64{"val_loss": float64(step)}},
		})
		ts.Check(err)
	}
}

// saveModel is the script command "tinymodel FOLDER": a tiny Llama as transformers
// has it.
func saveModel(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: tinymodel FOLDER")
	}
	cfg := model.DefaultConfig()
	cfg.Name, cfg.Norm, cfg.Activation, cfg.VocabSize, cfg.DModel, cfg.NHeads, cfg.NLayers, cfg.MaxSeqLen = "llama", "rmsnorm", "swiglu", 40, 32, 2, 1, 64
	m, err := model.New(cfg, 1)
	ts.Check(err)
	arch, err := model.Architectures.Get(cfg.Name)
	ts.Check(err)
	export, err := arch.Export(m)
	ts.Check(err)
	config, err := json.Marshal(export.Config)
	ts.Check(err)
	header := make([]safetensors.Tensor, len(export.Tensors))
	for i, t := range export.Tensors {
		header[i] = safetensors.Tensor{Name: t.Name, DType: safetensors.F32, Shape: t.Shape}
	}
	var weights bytes.Buffer
	w, err := safetensors.NewWriter(&weights, header, nil)
	ts.Check(err)
	for _, t := range export.Tensors {
		ts.Check(checkpoint.WriteValues(w, t.Data))
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(os.WriteFile(filepath.Join(dir, "config.json"), config, 0o644))
	ts.Check(os.WriteFile(filepath.Join(dir, "model.safetensors"), weights.Bytes(), 0o644))
}
