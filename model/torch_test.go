package model_test

import (
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/internal/testkit"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/nn"
	"github.com/aries-serpent/codexml/optim"
	"github.com/aries-serpent/codexml/tensor"
)

// The sizes of testdata/torch_common.py.
const (
	torchBatches, torchRows, torchTokens, torchSteps = 4, 4, 32, 50
	torchVocab                                       = 96
)

// torchConfigs are the models of testdata/*_torch.py.
func torchConfigs() map[string]model.Config {
	base := model.DefaultConfig()
	base.VocabSize, base.DModel, base.NHeads, base.NLayers, base.MaxSeqLen = torchVocab, 48, 4, 2, torchTokens
	gpt2, llama := base, base
	gpt2.Name, gpt2.RotaryTheta, gpt2.Bias, gpt2.Activation = "gpt2", 0, true, "gelu_tanh"
	llama.NKVHeads, llama.FFNMult, llama.Norm, llama.Activation = 2, 2.5, "rmsnorm", "swiglu"
	nanochat := base
	nanochat.NKVHeads, nanochat.Norm, nanochat.NormGain, nanochat.LayerNormEps, nanochat.Activation = 2, "rmsnorm", false, 1e-6, "relu2"
	nanochat.TieEmbeddings, nanochat.QKNorm, nanochat.EmbedNorm, nanochat.LogitSoftcap = false, true, true, 15
	return map[string]model.Config{"gpt2": gpt2, "llama": llama, "nanochat": nanochat}
}

// TestTorch trains from the weights and on the tokens of torch's runs, and demands
// their logits, gradients and losses: testdata/README.md describes the figures.
func TestTorch(t *testing.T) {
	for name, cfg := range torchConfigs() {
		t.Run(name, func(t *testing.T) {
			want := testkit.ReadFigures(t, "testdata/"+name+"_torch.txt")
			m := build(t, cfg)
			for _, p := range m.Params() {
				torchWeights(p)
			}
			c := newContext(t, m, 2, tensor.F32)
			c.Train, c.First, c.StepSlots = true, true, torchRows*torchTokens
			checkLogits(t, c, m, want)
			losses, norms := torchTrain(t, c, m, want)
			testkit.Close(t, "losses", losses, want.Row(t, "loss"), 0, 1e-5)
			testkit.Close(t, "norms of the gradient", norms, want.Row(t, "norm"), 0, 1e-4)
			checkFinal(t, m, want)
		})
	}
}

func checkLogits(t *testing.T, c *nn.Context, m model.Model, want testkit.Figures) {
	t.Helper()
	c.SetBatch(torchBatch(t, want, 0))
	logits := make([]float32, torchRows*torchTokens*torchVocab)
	m.Logits(c, tensor.FromF32(logits, torchRows*torchTokens, torchVocab))
	for _, at := range [][2]int{{0, 0}, {0, 1}, {1, 15}, {3, torchTokens - 1}} {
		row := fmt.Sprintf("logits/%d/%d", at[0], at[1])
		got := logits[(at[0]*torchTokens+at[1])*torchVocab:][:torchVocab]
		testkit.Close(t, row, got, want.Float32(t, row), 1e-5, 0)
	}
}

// torchTrain does all steps and checks the gradients of the first.
func torchTrain(t *testing.T, c *nn.Context, m model.Model, want testkit.Figures) (losses, norms []float64) {
	t.Helper()
	cfg := optim.DefaultConfig()
	cfg.Schedule.Name = "constant"
	o, err := optim.New(cfg, m.Params(), c.Pool, c.Gemm)
	if err != nil {
		t.Fatal(err)
	}
	each := make([]float32, torchRows*torchTokens)
	for step := range torchSteps {
		c.SetBatch(torchBatch(t, want, step%torchBatches))
		m.Loss(c, each, 1.0/torchRows/torchTokens, true)
		m.FinishGrads(c)
		if step == 0 {
			checkGradients(t, m, want)
		}
		sum := 0.0
		for _, l := range each {
			sum += float64(l)
		}
		norm, _ := o.GradNorm()
		o.Step(step, torchSteps, 1e-3, optim.ClipScale(norm, 1))
		losses, norms = append(losses, sum/float64(len(each))), append(norms, norm)
	}
	return losses, norms
}

func checkGradients(t *testing.T, m model.Model, want testkit.Figures) {
	t.Helper()
	for _, p := range m.Params() {
		row := want.Row(t, "grad/"+p.Name)
		sum := 0.0
		got := make([]float64, 0, len(row))
		for _, g := range p.Grad {
			sum += float64(g) * float64(g)
		}
		got = append(got, math.Sqrt(sum))
		for _, g := range p.Grad[:len(row)-1] {
			got = append(got, float64(g))
		}
		testkit.Close(t, "gradient of "+p.Name, got, row, 1e-6*row[0], 1e-5)
	}
}

func checkFinal(t *testing.T, m model.Model, want testkit.Figures) {
	t.Helper()
	for _, p := range m.Params() {
		if strings.HasSuffix(p.Name, "attn.qkv.bias") {
			continue // the gradient of the keys' bias is rounding noise
		}
		var sum, squares float64
		for _, w := range p.Data {
			sum += float64(w)
			squares += float64(w) * float64(w)
		}
		testkit.Close(t, "trained "+p.Name, []float64{sum, squares}, want.Row(t, "final/"+p.Name), 1e-3, 1e-5)
	}
}

// torchWeights fills a parameter by the formula of testdata/README.md.
func torchWeights(p *nn.Param) {
	salt := fnv.New32a()
	salt.Write([]byte(p.Name))
	scale, gain := 0.4, len(p.Shape) == 1 && !strings.HasSuffix(p.Name, ".bias")
	if gain {
		scale = 0.2
	} else if len(p.Shape) == 1 {
		scale = 0.1
	}
	testkit.Hash(p.Data, salt.Sum32(), scale)
	if gain {
		for i := range p.Data {
			p.Data[i]++
		}
	}
}

func torchBatch(t *testing.T, want testkit.Figures, batch int) *nn.Batch {
	t.Helper()
	b := &nn.Batch{Rows: torchRows, SeqLen: torchTokens}
	for r := range torchRows {
		stream := want.Int32(t, fmt.Sprintf("tokens/%d/%d", batch, r))
		b.Tokens = append(b.Tokens, stream[:torchTokens]...)
		b.Targets = append(b.Targets, stream[1:]...)
		b.Segments = append(b.Segments, nn.Segment{Start: int32(r * torchTokens), Len: torchTokens})
		b.Samples = append(b.Samples, int64(r))
	}
	return b
}
