package cli

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/aries-serpent/codexml/checkpoint"
	"github.com/aries-serpent/codexml/internal/testkit"
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
