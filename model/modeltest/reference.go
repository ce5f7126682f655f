// Package modeltest holds tiny models for tests and a plain float64 transformer to
// compare them with. It is imported by tests only.
package modeltest

import (
	"fmt"
	"math"

	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/nn"
)

// Reference is the transformer of a configuration in float64, written for reading:
// one document at a time, every score stored.
type Reference struct {
	cfg     model.Config
	Weights map[string][]float64
}

// NewReference copies a model's weights.
func NewReference(m model.Model) *Reference {
	r := &Reference{cfg: m.Config(), Weights: map[string][]float64{}}
	for _, p := range m.Params() {
		w := make([]float64, p.Len())
		for i, x := range p.Data {
			w[i] = float64(x)
		}
		r.Weights[p.Name] = w
	}
	return r
}

// Loss is the sum of the losses of a batch, without dropout.
func (r *Reference) Loss(b *nn.Batch) float64 {
	sum := 0.0
	for _, s := range b.Segments {
		logits := r.Logits(b.Tokens[s.Start : s.Start+s.Len])
		for i, row := range logits {
			if target := b.Targets[int(s.Start)+i]; target >= 0 {
				sum += entropy(row, int(target))
			}
		}
	}
	return sum
}

func entropy(logits []float64, target int) float64 {
	most := math.Inf(-1)
	for _, x := range logits {
		most = max(most, x)
	}
	sum := 0.0
	for _, x := range logits {
		sum += math.Exp(x - most)
	}
	return math.Log(sum) + most - logits[target]
}

// Logits returns the logits after each token of a document.
func (r *Reference) Logits(tokens []int32) [][]float64 {
	cfg := r.cfg
	x := make([][]float64, len(tokens))
	for i, token := range tokens {
		x[i] = append([]float64(nil), row(r.Weights["embed.weight"], int(token), cfg.DModel)...)
		if cfg.EmbedScale > 0 {
			scale(x[i], cfg.EmbedScale)
		}
		if cfg.RotaryTheta == 0 {
			add(x[i], row(r.Weights["positions.weight"], i, cfg.DModel))
		}
		if cfg.EmbedNorm {
			x[i] = r.norm("embed.norm", x[i])
		}
	}
	for l := range cfg.NLayers {
		name := fmt.Sprintf("layers.%d.", l)
		for i, att := range r.attention(name, x, l) {
			add(x[i], r.post(name+"post1", r.linear(name+"attn.out", att)))
		}
		for i := range x {
			up := r.linear(name+"mlp.up", r.norm(name+"norm2", x[i]))
			add(x[i], r.post(name+"post2", r.linear(name+"mlp.down", r.activate(up))))
		}
	}
	head := r.Weights["head.weight"]
	if cfg.TieEmbeddings {
		head = r.Weights["embed.weight"]
	}
	logits := make([][]float64, len(tokens))
	for i := range x {
		h := r.norm("norm", x[i])
		for v := range cfg.VocabSize {
			logits[i] = append(logits[i], softcap(dot(h, row(head, v, cfg.DModel)), cfg.LogitSoftcap))
		}
	}
	return logits
}

// post is the norm at a branch's end, if there is one.
func (r *Reference) post(name string, x []float64) []float64 {
	if !r.cfg.PostNorms {
		return x
	}
	return r.norm(name, x)
}

func (r *Reference) attention(name string, x [][]float64, layer int) [][]float64 {
	cfg := r.cfg
	h, k, d := cfg.NHeads, cfg.KVHeads(), cfg.HeadDim()
	qkv := make([][]float64, len(x))
	for i := range x {
		qkv[i] = r.linear(name+"attn.qkv", r.norm(name+"norm1", x[i]))
		for j := range h + k {
			head := qkv[i][j*d : (j+1)*d]
			if cfg.QKNorm {
				gain := r.Weights[name+"attn.q_norm.weight"]
				if j >= h {
					gain = r.Weights[name+"attn.k_norm.weight"]
				}
				copy(head, rms(head, gain, cfg.LayerNormEps))
			}
			if cfg.RotaryTheta > 0 {
				rotate(head, i, cfg, layer)
			}
		}
	}
	factor := 1 / math.Sqrt(float64(d))
	if cfg.AttnScale > 0 {
		factor = cfg.AttnScale
	}
	out := make([][]float64, len(x))
	for i := range x {
		first := 0
		if cfg.Sliding(layer) {
			first = max(0, i-cfg.SlidingWindow+1)
		}
		for j := range h {
			q, group := qkv[i][j*d:(j+1)*d], j*k/h
			scores, sum := make([]float64, i+1), 0.0
			for p := first; p <= i; p++ {
				scores[p] = math.Exp(softcap(dot(q, qkv[p][(h+group)*d:(h+group+1)*d])*factor, cfg.AttnSoftcap))
				sum += scores[p]
			}
			o := make([]float64, d)
			for p := first; p <= i; p++ {
				for e, v := range qkv[p][(h+k+group)*d : (h+k+group+1)*d] {
					o[e] += scores[p] / sum * v
				}
			}
			out[i] = append(out[i], o...)
		}
	}
	return out
}

// rotate turns a head by its position, in the frequencies of its layer.
func rotate(x []float64, position int, cfg model.Config, layer int) {
	half := len(x) / 2
	inverse, factor := model.RopeFrequencies(cfg)
	if cfg.Sliding(layer) && cfg.LocalRotaryTheta > 0 {
		inverse, factor = nn.InverseFrequencies(len(x), cfg.LocalRotaryTheta), 1
	}
	for i := range half {
		sin, cos := math.Sincos(float64(position) * float64(inverse[i]))
		sin, cos = sin*float64(factor), cos*float64(factor)
		x[i], x[i+half] = x[i]*cos-x[i+half]*sin, x[i+half]*cos+x[i]*sin
	}
}

func (r *Reference) linear(name string, x []float64) []float64 {
	w, bias := r.Weights[name+".weight"], r.Weights[name+".bias"]
	out := make([]float64, len(w)/len(x))
	for o := range out {
		if out[o] = dot(x, row(w, o, len(x))); bias != nil {
			out[o] += bias[o]
		}
	}
	return out
}

func (r *Reference) norm(name string, x []float64) []float64 {
	gain, bias := r.Weights[name+".weight"], r.Weights[name+".bias"]
	if r.cfg.Norm == "rmsnorm" {
		return rms(x, gain, r.cfg.LayerNormEps)
	}
	mean, variance := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x))
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = (v - mean) / math.Sqrt(variance+r.cfg.LayerNormEps)
		if gain != nil {
			out[i] *= gain[i]
		}
		if bias != nil {
			out[i] += bias[i]
		}
	}
	return out
}

func rms(x, gain []float64, eps float64) []float64 {
	out, scale := make([]float64, len(x)), 1/math.Sqrt(dot(x, x)/float64(len(x))+eps)
	for i, v := range x {
		if out[i] = v * scale; gain != nil {
			out[i] *= gain[i]
		}
	}
	return out
}

func (r *Reference) activate(x []float64) []float64 {
	out := make([]float64, r.cfg.FFN())
	for i := range out {
		switch x := x[i:]; r.cfg.Activation {
		case "gelu":
			out[i] = x[0] / 2 * (1 + math.Erf(x[0]/math.Sqrt2))
		case "gelu_tanh":
			out[i] = geluTanh(x[0])
		case "relu2":
			out[i] = max(x[0], 0) * max(x[0], 0)
		case "silu":
			out[i] = silu(x[0])
		case "swiglu":
			out[i] = silu(x[0]) * x[len(out)]
		case "geglu":
			out[i] = geluTanh(x[0]) * x[len(out)]
		}
	}
	return out
}

func silu(x float64) float64 { return x / (1 + math.Exp(-x)) }

func geluTanh(x float64) float64 {
	return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

func softcap(x, most float64) float64 {
	if most == 0 {
		return x
	}
	return most * math.Tanh(x/most)
}

func row(x []float64, i, n int) []float64 { return x[i*n : (i+1)*n] }

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func add(dst, x []float64) {
	for i := range dst {
		dst[i] += x[i]
	}
}

func scale(x []float64, by float64) {
	for i := range x {
		x[i] *= by
	}
}
