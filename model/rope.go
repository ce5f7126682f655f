package model

import (
	"math"
	"slices"
	"strings"

	"github.com/aries-serpent/codexml/internal/kernel"
	"github.com/aries-serpent/codexml/nn"
)

// RopeTypes lists the accepted values of Config.RopeType.
var RopeTypes = []string{"default", "linear", "dynamic", "llama3", "yarn"}

// validatePositions checks everything about positions and windows.
func (c Config) validatePositions(bad func(key, format string, args ...any)) {
	if c.RotaryTheta < 0 {
		bad("rotary_theta", "want a positive base, or 0 for learned positions, got %v", c.RotaryTheta)
	}
	if c.LocalRotaryTheta < 0 || c.LocalRotaryTheta > 0 && c.RotaryTheta == 0 {
		bad("local_rotary_theta", "want a positive base beside rotary_theta, or 0, got %v", c.LocalRotaryTheta)
	}
	if c.SlidingWindow < 0 {
		bad("sliding_window", "want 0 (all tokens) or above, got %d", c.SlidingWindow)
	}
	if strings.Trim(c.LayerPattern, "sg") != "" {
		bad("layer_pattern", "want letters s (sliding) and g (global), got %q", c.LayerPattern)
	}
	if c.LayerPattern != "" && c.SlidingWindow == 0 && strings.Contains(c.LayerPattern, "s") {
		bad("layer_pattern", "%q has sliding layers, but sliding_window is 0", c.LayerPattern)
	}
	if !slices.Contains(RopeTypes, c.RopeType) {
		bad("rope_type", "want one of %s, got %q", strings.Join(RopeTypes, ", "), c.RopeType)
		return
	}
	if c.RopeType == "default" {
		return
	}
	if c.RotaryTheta == 0 {
		bad("rope_type", "%s stretches rotary positions, but rotary_theta is 0", c.RopeType)
	}
	if c.RopeFactor < 1 {
		bad("rope_factor", "%s wants 1 or above, got %v", c.RopeType, c.RopeFactor)
	}
	if c.RopeType != "linear" && c.RopeOriginalLen < 1 {
		bad("rope_original_len", "%s wants a length, got %d", c.RopeType, c.RopeOriginalLen)
	}
	if c.RopeType == "llama3" && !(c.RopeLowFreqFactor > 0 && c.RopeHighFreqFactor > c.RopeLowFreqFactor) {
		bad("rope_high_freq_factor", "llama3 wants more than rope_low_freq_factor, which is above 0, got %v and %v", c.RopeHighFreqFactor, c.RopeLowFreqFactor)
	}
	if c.RopeType == "yarn" && !(c.RopeBetaSlow > 0 && c.RopeBetaFast >= c.RopeBetaSlow) {
		bad("rope_beta_fast", "yarn wants at least rope_beta_slow, which is above 0, got %v and %v", c.RopeBetaFast, c.RopeBetaSlow)
	}
	if c.RopeAttentionFactor < 0 {
		bad("rope_attention_factor", "want 0 (by rope_factor) or above, got %v", c.RopeAttentionFactor)
	}
}

// rotaries returns the tables of global and of sliding layers; nil with learned
// positions.
func rotaries(cfg Config) (global, local *nn.Rotary) {
	if cfg.RotaryTheta == 0 {
		return nil, nil
	}
	inverse, scale := RopeFrequencies(cfg)
	global = nn.NewRotaryOf(inverse, scale)
	if cfg.LocalRotaryTheta == 0 {
		return global, global
	}
	return global, nn.NewRotary(cfg.HeadDim(), cfg.LocalRotaryTheta)
}

// RopeFrequencies are the inverse frequencies of the global layers and the factor of
// their cosines and sines: what transformers computes, step by step in float32
// where it does.
func RopeFrequencies(cfg Config) (inverse []float32, scale float32) {
	dim := cfg.HeadDim()
	switch cfg.RopeType {
	case "linear":
		inverse = nn.InverseFrequencies(dim, cfg.RotaryTheta)
		for i := range inverse {
			inverse[i] /= float32(cfg.RopeFactor)
		}
	case "dynamic":
		inverse = dynamicRope(cfg, dim)
	case "llama3":
		inverse = llama3Rope(cfg, dim)
	case "yarn":
		return yarnRope(cfg, dim)
	default:
		inverse = nn.InverseFrequencies(dim, cfg.RotaryTheta)
	}
	return inverse, 1
}

// dynamicRope raises the base by the context's length (NTK-aware scaling). The
// length is max_seq_len, not that of the text at hand: a token's key must not
// depend on what follows it.
func dynamicRope(cfg Config, dim int) []float32 {
	length, original := float64(max(cfg.MaxSeqLen, cfg.RopeOriginalLen)), float64(cfg.RopeOriginalLen)
	stretch := float64(cfg.RopeFactor*length)/original - (cfg.RopeFactor - 1)
	return nn.InverseFrequencies(dim, cfg.RotaryTheta*kernel.Pow64(stretch, float64(dim)/float64(dim-2)))
}

// tau is one turn.
const tau = 2 * math.Pi

// llama3Rope divides low frequencies by the factor, leaves high ones, and passes
// smoothly from one to the other.
func llama3Rope(cfg Config, dim int) []float32 {
	inverse := nn.InverseFrequencies(dim, cfg.RotaryTheta)
	original, factor := float32(cfg.RopeOriginalLen), float32(cfg.RopeFactor)
	low, high := float32(cfg.RopeLowFreqFactor), float32(cfg.RopeHighFreqFactor)
	for i, f := range inverse {
		switch wave := float32(tau) / f; {
		case wave > original/low:
			inverse[i] = f / factor
		case wave >= original/high:
			smooth := (original/wave - low) / (high - low)
			inverse[i] = float32(float32((1-smooth)*f)/factor) + float32(smooth*f)
		}
	}
	return inverse
}

// yarnRope is YaRN (arXiv 2309.00071).
func yarnRope(cfg Config, dim int) (inverse []float32, scale float32) {
	inverse = nn.InverseFrequencies(dim, cfg.RotaryTheta)
	low, high := yarnBound(cfg, dim, cfg.RopeBetaFast), yarnBound(cfg, dim, cfg.RopeBetaSlow)
	if !cfg.RopeNoTruncate {
		low, high = math.Floor(low), math.Ceil(high)
	}
	low, high = max(low, 0), min(high, float64(dim-1))
	if low == high {
		high += 0.001
	}
	for i, f := range inverse {
		ramp := min(max((float32(i)-float32(low))/float32(high-low), 0), 1)
		keep := 1 - ramp
		stretched := 1 / (float32(cfg.RopeFactor) * (1 / f))
		inverse[i] = float32(stretched*(1-keep)) + float32(f*keep)
	}
	if cfg.RopeAttentionFactor > 0 {
		return inverse, float32(cfg.RopeAttentionFactor)
	}
	return inverse, float32(float64(0.1*kernel.Log64(cfg.RopeFactor)) + 1)
}

// yarnBound is the channel that turns the given number of times in the original
// length.
func yarnBound(cfg Config, dim int, turns float64) float64 {
	return float64(dim) * kernel.Log64(float64(cfg.RopeOriginalLen)/(turns*tau)) / (2 * kernel.Log64(cfg.RotaryTheta))
}
