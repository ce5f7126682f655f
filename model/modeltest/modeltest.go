package modeltest

import (
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/nn"
)

// Configs returns tiny models that together use every choice of model.Config.
func Configs() map[string]model.Config {
	base := model.DefaultConfig()
	base.VocabSize, base.DModel, base.NHeads, base.NLayers, base.MaxSeqLen, base.InitStd = 37, 24, 3, 2, 320, 0.15
	with := func(change func(c *model.Config)) model.Config {
		c := base
		change(&c)
		return c
	}
	return map[string]model.Config{
		"decoder": base,
		"gpt2": with(func(c *model.Config) {
			c.Name, c.Bias, c.RotaryTheta, c.Activation = "gpt2", true, 0, "gelu_tanh"
		}),
		"llama": with(func(c *model.Config) {
			c.DModel, c.NHeads, c.NKVHeads, c.Norm, c.Activation, c.TieEmbeddings = 32, 4, 2, "rmsnorm", "swiglu", false
		}),
		"qwen3": with(func(c *model.Config) {
			c.DModel, c.NHeads, c.NKVHeads, c.Norm, c.Activation, c.QKNorm = 32, 4, 1, "rmsnorm", "geglu", true
		}),
		"nanochat": with(func(c *model.Config) {
			c.Norm, c.NormGain, c.Activation, c.QKNorm, c.EmbedNorm, c.TieEmbeddings, c.LogitSoftcap = "rmsnorm", false, "relu2", true, true, false, 2
		}),
		"mistral": with(func(c *model.Config) {
			c.NHeads, c.NKVHeads, c.HeadSize, c.FFNDim, c.Norm, c.Activation, c.TieEmbeddings, c.SlidingWindow = 4, 2, 10, 51, "rmsnorm", "swiglu", false, 7
		}),
		"qwen2": with(func(c *model.Config) {
			c.NHeads, c.NKVHeads, c.Norm, c.Activation, c.QKVBias, c.SlidingWindow, c.LayerPattern = 4, 2, "rmsnorm", "swiglu", true, 150, "gs"
			c.RopeType, c.RopeFactor, c.RopeOriginalLen, c.RopeBetaFast, c.RopeBetaSlow = "yarn", 4, 64, 32, 1
		}),
		"llama3": with(func(c *model.Config) {
			c.Norm, c.Activation, c.AttnOutBias, c.MLPBias = "rmsnorm", "swiglu", true, true
			c.RopeType, c.RopeFactor, c.RopeOriginalLen, c.RopeLowFreqFactor, c.RopeHighFreqFactor = "llama3", 8, 64, 1, 4
		}),
		"gemma2": with(func(c *model.Config) {
			c.NHeads, c.NKVHeads, c.HeadSize, c.Norm, c.Activation, c.PostNorms, c.EmbedScale = 4, 2, 8, "rmsnorm", "geglu", true, 4.9
			c.AttnScale, c.AttnSoftcap, c.LogitSoftcap, c.SlidingWindow, c.LayerPattern = 0.4, 1.5, 3, 5, "sg"
		}),
		"gemma3": with(func(c *model.Config) {
			c.NLayers, c.NHeads, c.NKVHeads, c.HeadSize, c.Norm, c.Activation, c.PostNorms, c.EmbedScale, c.QKNorm = 3, 2, 1, 12, "rmsnorm", "geglu", true, 4.9, true
			c.AttnScale, c.SlidingWindow, c.LayerPattern, c.RotaryTheta, c.LocalRotaryTheta, c.RopeType, c.RopeFactor = 0.4, 130, "ssg", 1e6, 1e4, "linear", 8
		}),
		"dynamic": with(func(c *model.Config) { c.RopeType, c.RopeFactor, c.RopeOriginalLen = "dynamic", 2, 160 }),
		"silu":    with(func(c *model.Config) { c.Activation, c.FFNMult = "silu", 2.5 }),
	}
}

// Batch returns rows of seqLen tokens with several documents each, made from a
// simple recurrence.
func Batch(rows, seqLen, vocab int) *nn.Batch {
	b := &nn.Batch{Rows: rows, SeqLen: seqLen}
	state := uint32(12345)
	next := func(n int) int {
		state = state*1664525 + 1013904223
		return int(state>>8) % n
	}
	for r := range rows {
		b.Samples = append(b.Samples, int64(r))
		for start := 0; start < seqLen; {
			n := min(1+next(seqLen), seqLen-start)
			b.Segments = append(b.Segments, nn.Segment{Start: int32(r*seqLen + start), Len: int32(n)})
			start += n
		}
	}
	for range rows * seqLen {
		b.Tokens = append(b.Tokens, int32(next(vocab)))
		b.Targets = append(b.Targets, int32(next(vocab+3))-3) // some are masked
	}
	for i, target := range b.Targets {
		b.Targets[i] = max(target, -1)
	}
	return b
}
