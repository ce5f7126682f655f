package model

// FLOPs is the number of floating-point operations of a training step per token,
// in documents of seqLen tokens: 2 per multiply-add, forward once and backward
// twice, causal attention over the half of the pairs that count. Norms, activations
// and the optimiser are not counted.
//
//codexml:fuse a figure for people
func FLOPs(cfg Config, seqLen int) float64 {
	c, h, k, d := float64(cfg.DModel), float64(cfg.NHeads), float64(cfg.KVHeads()), float64(cfg.HeadDim())
	up := float64(cfg.FFN())
	if cfg.Gated() {
		up *= 2
	}
	layer := c*(h+2*k)*d + h*d*c + c*up + float64(cfg.FFN())*c
	attention := h * d * float64(seqLen) // scores and sums, half of seqLen keys each
	return 6 * (float64(cfg.NLayers)*(layer+attention) + float64(cfg.VocabSize)*c)
}
