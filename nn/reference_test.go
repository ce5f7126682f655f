package nn

import "math"

// The layers' formulas in float64, scalar by scalar, on row-major matrices.

type matrix []float64

func refLinear(x, w, b matrix, in, out int) matrix {
	rows := len(x) / in
	y := make(matrix, rows*out)
	for r := range rows {
		for o := range out {
			sum := 0.0
			for i := range in {
				sum += x[r*in+i] * w[o*in+i]
			}
			if b != nil {
				sum += b[o]
			}
			y[r*out+o] = sum
		}
	}
	return y
}

func refNorm(x, gain, bias matrix, cols int, rms bool, eps float64) matrix {
	y := make(matrix, len(x))
	for r := 0; r < len(x); r += cols {
		mean, variance := 0.0, 0.0
		if !rms {
			for _, v := range x[r : r+cols] {
				mean += v / float64(cols)
			}
		}
		for _, v := range x[r : r+cols] {
			variance += (v - mean) * (v - mean) / float64(cols)
		}
		for i, v := range x[r : r+cols] {
			y[r+i] = (v - mean) / math.Sqrt(variance+eps)
			if gain != nil {
				y[r+i] *= gain[i]
			}
			if bias != nil {
				y[r+i] += bias[i]
			}
		}
	}
	return y
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func geluTanh(x float64) float64 {
	return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

// refActivations maps a name to act(gate) * up; a plain activation has up = 1.
var refActivations = map[string]func(x float64) float64{
	"gelu":      func(x float64) float64 { return 0.5 * x * (1 + math.Erf(x/math.Sqrt2)) },
	"gelu_tanh": geluTanh,
	"relu2":     func(x float64) float64 { return max(x, 0) * max(x, 0) },
	"silu":      func(x float64) float64 { return x * sigmoid(x) },
	"geglu":     geluTanh,
	"swiglu":    func(x float64) float64 { return x * sigmoid(x) },
}

func refActivation(name string, x matrix, width int, gated bool) matrix {
	act := refActivations[name]
	if !gated {
		y := make(matrix, len(x))
		for i, v := range x {
			y[i] = act(v)
		}
		return y
	}
	y := make(matrix, len(x)/2)
	for i := range y {
		r, j := i/width, i%width
		y[i] = act(x[2*r*width+j]) * x[2*r*width+width+j]
	}
	return y
}

// refRotate turns each head's halves by the angles of its row's position.
func refRotate(x matrix, cols, heads, dim int, positions []int32, theta float64) matrix {
	y := append(matrix(nil), x...)
	for r := range len(x) / cols {
		for h := range heads {
			for i := range dim / 2 {
				a := r*cols + h*dim + i
				b := a + dim/2
				sin, cos := math.Sincos(float64(positions[r]) * math.Pow(theta, -2*float64(i)/float64(dim)))
				y[a], y[b] = x[a]*cos-x[b]*sin, x[b]*cos+x[a]*sin
			}
		}
	}
	return y
}

// refAttention takes rows of heads query, then kvHeads key and kvHeads value heads.
func refAttention(qkv matrix, heads, kvHeads, dim int, segments []Segment, scale, softcap float64, window int) matrix {
	cols := (heads + 2*kvHeads) * dim
	out := make(matrix, len(qkv)/cols*heads*dim)
	for _, s := range segments {
		for h := range heads {
			kv := h * kvHeads / heads
			for i := range int(s.Len) {
				q := (int(s.Start)+i)*cols + h*dim
				first := 0
				if window > 0 {
					first = max(0, i-window+1)
				}
				weights, total := make([]float64, i+1), 0.0
				for j := first; j <= i; j++ {
					k, dot := (int(s.Start)+j)*cols+(heads+kv)*dim, 0.0
					for d := range dim {
						dot += qkv[q+d] * qkv[k+d]
					}
					if dot *= scale; softcap > 0 {
						dot = softcap * math.Tanh(dot/softcap)
					}
					weights[j] = math.Exp(dot)
					total += weights[j]
				}
				o := (int(s.Start)+i)*heads*dim + h*dim
				for j := first; j <= i; j++ {
					v := (int(s.Start)+j)*cols + (heads+kvHeads+kv)*dim
					for d := range dim {
						out[o+d] += weights[j] / total * qkv[v+d]
					}
				}
			}
		}
	}
	return out
}

// refCrossEntropy gives the loss of each row of logits = x w^T.
func refCrossEntropy(x, w matrix, cols, vocab int, targets []int32, softcap float64) matrix {
	logits := refLinear(x, w, nil, cols, vocab)
	losses := make(matrix, len(targets))
	for r, target := range targets {
		if target < 0 {
			continue
		}
		row, sum := logits[r*vocab:(r+1)*vocab], 0.0
		for j, v := range row {
			if softcap > 0 {
				row[j] = softcap * math.Tanh(v/softcap)
			}
			sum += math.Exp(row[j])
		}
		losses[r] = math.Log(sum) - row[target]
	}
	return losses
}
