package kernel

import (
	"fmt"
	"math"
	"testing"
)

// gradient is the derivative of f by each of x, by central differences in float64.
func gradient(x []float64, f func(x []float64) float64) []float64 {
	d := make([]float64, len(x))
	for i, v := range x {
		const h = 1e-5
		x[i] = v + h
		up := f(x)
		x[i] = v - h
		d[i] = (up - f(x)) / (2 * h)
		x[i] = v
	}
	return d
}

func float64s(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// near fails where got is farther from want than tolerance times the larger of 1
// and |want|.
func near(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - w); !(d <= tolerance*math.Max(1, math.Abs(w))) {
			t.Fatalf("%s: element %d is %g, want %g", what, i, got[i], w)
		}
	}
}

func dot64(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func norm64(x, gain, bias []float64, center bool, eps float64) []float64 {
	n, mean, square := float64(len(x)), 0.0, 0.0
	for _, v := range x {
		if center {
			mean += v / n
		}
	}
	for _, v := range x {
		square += (v - mean) * (v - mean) / n
	}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = (v - mean) / math.Sqrt(square+eps)
		if gain != nil {
			y[i] *= gain[i]
		}
		if bias != nil {
			y[i] += bias[i]
		}
	}
	return y
}

func TestNorms(t *testing.T) {
	const rows, C, eps = 3, 37, 1e-5
	in, dOut := values("normal", rows*C, 0), values("normal", rows*C, 1)
	gain, bias := values("normal", C, 2), values("normal", C, 4)
	for i := range in {
		in[i] += 2
	}
	for _, c := range []struct {
		name       string
		center     bool
		gain, bias []float32
	}{
		{"LayerNorm", true, gain, bias}, {"LayerNorm without bias", true, gain, nil}, {"LayerNorm without gain", true, nil, nil},
		{"RMSNorm", false, gain, nil}, {"RMSNorm without gain", false, nil, nil},
	} {
		var gain, bias []float64
		if c.gain != nil {
			gain = float64s(c.gain)
		}
		if c.bias != nil {
			bias = float64s(c.bias)
		}
		out, mean, rstd := make([]float32, rows*C), make([]float32, rows), make([]float32, rows)
		dIn, sum := make([]float32, rows*C), values("normal", rows*C, 5)
		more := append([]float32(nil), sum...)
		dGain, dBias := make([]float64, C), make([]float64, C)
		if c.center {
			LayerNormForward(out, mean, rstd, in, c.gain, c.bias, C, eps)
			LayerNormBackward(dIn, dOut, in, mean, rstd, c.gain, C, false)
			LayerNormBackward(more, dOut, in, mean, rstd, c.gain, C, true)
			NormGradColumns(dGain, dBias, dOut, in, mean, rstd, C, 0, 20)
			NormGradColumns(dGain, dBias, dOut, in, mean, rstd, C, 20, C)
		} else {
			RMSNormForward(out, rstd, in, c.gain, C, eps)
			RMSNormBackward(dIn, dOut, in, rstd, c.gain, C, false)
			RMSNormBackward(more, dOut, in, rstd, c.gain, C, true)
			NormGradColumns(dGain, nil, dOut, in, nil, rstd, C, 0, C)
		}
		wantGain, wantBias := make([]float64, C), make([]float64, C)
		for r := range rows {
			x, d := float64s(in[r*C:][:C]), float64s(dOut[r*C:][:C])
			near(t, c.name+": forward", out[r*C:][:C], norm64(x, gain, bias, c.center, eps), 2e-6)
			want := gradient(x, func(x []float64) float64 { return dot64(d, norm64(x, gain, bias, c.center, eps)) })
			near(t, c.name+": dIn", dIn[r*C:][:C], want, 5e-6)
			for i := range want {
				want[i] += float64(sum[r*C+i])
			}
			near(t, c.name+": accumulated dIn", more[r*C:][:C], want, 5e-6)
			for i, y := range norm64(x, nil, nil, c.center, eps) {
				wantGain[i] += d[i] * y
				wantBias[i] += d[i]
			}
		}
		for i := range wantGain {
			if math.Abs(dGain[i]-wantGain[i]) > 1e-5 || c.center && dBias[i] != wantBias[i] {
				t.Fatalf("%s: gradients of gain and bias %d are %g and %g, want %g and %g", c.name, i, dGain[i], dBias[i], wantGain[i], wantBias[i])
			}
		}
	}
}

// Columns are sums over the rows in order, however many rows and columns go through
// at a time.
func TestColumnsAreChains(t *testing.T) {
	const rows, C, stride = 53, 40, 43
	x, rstd := values("wide", rows*stride, 0), values("normal", rows, 2)
	want, got := make([]float64, C), make([]float64, C)
	for r := range rows {
		for c := range C {
			want[c] += float64(x[r*stride+c])
		}
	}
	SumColumns(got, x, stride, rows, 0, 9)
	SumColumns(got, x, stride, 20, 9, C)
	SumColumns(got, x[20*stride:], stride, rows-20, 9, C)
	for c := range C {
		if got[c] != want[c] {
			t.Fatalf("SumColumns: column %d is %v, want %v", c, got[c], want[c])
		}
	}
	whole, parts := make([]float64, C), make([]float64, C)
	NormGradColumns(whole, nil, x[:rows*C], x[:rows*C], nil, rstd, C, 0, C)
	for r := range rows {
		NormGradColumns(parts, nil, x[r*C:][:C], x[r*C:][:C], nil, rstd[r:r+1], C, 0, C)
	}
	for c := range C {
		if parts[c] != whole[c] {
			t.Fatalf("NormGradColumns: column %d is %v row by row, %v at once", c, parts[c], whole[c])
		}
	}
}

func TestActivations(t *testing.T) {
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	silu := func(x float64) float64 { return x * sigmoid(x) }
	geluTanh := func(x float64) float64 {
		return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	}
	const n = 333
	in, up, dOut := values("normal", n, 0), values("normal", n, 1), values("normal", n, 2)
	in[0], in[1], in[2], in[3] = 1e-3, 30, -30, -5
	x, u, d := float64s(in), float64s(up), float64s(dOut)
	for _, c := range []struct {
		name     string
		forward  func(out, in []float32)
		backward func(dIn, dOut, in []float32)
		f        func(x float64) float64
	}{
		{"GELUTanh", GELUTanhForward, GELUTanhBackward, geluTanh},
		{"GELUErf", GELUErfForward, GELUErfBackward, func(x float64) float64 { return 0.5 * x * math.Erfc(-x/math.Sqrt2) }},
		{"SiLU", SiLUForward, SiLUBackward, silu},
		{"ReLUSquared", ReLUSquaredForward, ReLUSquaredBackward, func(x float64) float64 { return math.Max(x, 0) * math.Max(x, 0) }},
	} {
		out, dIn := make([]float32, n), make([]float32, n)
		c.forward(out, in)
		c.backward(dIn, dOut, in)
		want, slope := make([]float64, n), make([]float64, n)
		for i := range x {
			want[i] = c.f(x[i])
			slope[i] = d[i] * gradient(x[i:i+1], func(x []float64) float64 { return c.f(x[0]) })[0]
		}
		near(t, c.name+": forward", out, want, 5e-7)
		near(t, c.name+": dIn", dIn, slope, 2e-6)
	}
	for _, c := range []struct {
		name     string
		forward  func(out, gate, up []float32)
		backward func(dGate, dUp, dOut, gate, up []float32)
		f        func(x float64) float64
	}{
		{"SwiGLU", SwiGLUForward, SwiGLUBackward, silu},
		{"GeGLUTanh", GeGLUTanhForward, GeGLUTanhBackward, geluTanh},
	} {
		out, dGate, dUp := make([]float32, n), make([]float32, n), make([]float32, n)
		c.forward(out, in, up)
		c.backward(dGate, dUp, dOut, in, up)
		want, wantGate, wantUp := make([]float64, n), make([]float64, n), make([]float64, n)
		for i := range x {
			want[i], wantUp[i] = c.f(x[i])*u[i], c.f(x[i])*d[i]
			wantGate[i] = d[i] * u[i] * gradient(x[i:i+1], func(x []float64) float64 { return c.f(x[0]) })[0]
		}
		near(t, c.name+": forward", out, want, 5e-7)
		near(t, c.name+": dGate", dGate, wantGate, 2e-6)
		near(t, c.name+": dUp", dUp, wantUp, 5e-7)
	}
}

// capped is softcap * tanh(x/softcap), or x without one.
func capped(x, softcap float64) float64 {
	if softcap > 0 {
		return softcap * math.Tanh(x/softcap)
	}
	return x
}

func loss64(x []float64, target int, softcap float64) float64 {
	m, sum := math.Inf(-1), 0.0
	for _, v := range x {
		m = math.Max(m, capped(v, softcap))
	}
	for _, v := range x {
		sum += math.Exp(capped(v, softcap) - m)
	}
	return math.Log(sum) + m - capped(x[target], softcap)
}

func TestCrossEntropy(t *testing.T) {
	const rows, V, stride, coef = 4, 101, 103, 0.25
	targets := []int32{0, 100, -1, 50}
	for _, softcap := range []float32{0, 5} {
		what := fmt.Sprintf("softcap %g", softcap)
		logits := values("normal", rows*stride, 7)
		for i := range logits {
			logits[i] += 40
		}
		d, loss, again := append([]float32(nil), logits...), make([]float32, rows), make([]float32, rows)
		CrossEntropy(loss, d, targets, rows, V, stride, softcap, coef, true)
		for r, target := range targets {
			row := float64s(logits[r*stride:][:V])
			want, slope := 0.0, make([]float64, V)
			if target >= 0 {
				want = loss64(row, int(target), float64(softcap))
				slope = gradient(row, func(x []float64) float64 { return coef * loss64(x, int(target), float64(softcap)) })
			}
			near(t, what+": loss", loss[r:r+1], []float64{want}, 2e-6)
			near(t, what+": dLogits", d[r*stride:][:V], slope, 1e-7)
			for i, x := range d[r*stride:][:V] {
				if target < 0 && math.Float32bits(x) != 0 {
					t.Fatalf("%s: an ignored row has %g at %d, want +0", what, x, i)
				}
			}
			for i := r*stride + V; i < (r+1)*stride; i++ {
				if d[i] != logits[i] {
					t.Fatalf("%s: element %d between rows was written", what, i)
				}
			}
		}
		same := append([]float32(nil), logits...)
		CrossEntropy(again, same, targets, rows, V, stride, softcap, coef, false)
		sameBits(t, what+": loss without gradients", again, loss)
		if softcap == 0 {
			sameBits(t, "logits without gradients", same, logits)
		}
	}
}

// attention64 is the output of a row: softmax over columns [lo, hi) of the scores.
func attention64(s []float64, values [][]float64, lo, hi int, scale, softcap float64) []float64 {
	sum, out := 0.0, make([]float64, len(values[0]))
	for j := lo; j < hi; j++ {
		p := math.Exp(capped(s[j]*scale, softcap))
		sum += p
		for c := range out {
			out[c] += p * values[j][c]
		}
	}
	for c := range out {
		out[c] /= sum
	}
	return out
}

// Softmax by spans, merged, and its gradient are those of a whole row, for all kinds of masks.
func TestAttentionPieces(t *testing.T) {
	const rows, cols, spans, D, stride, scale = 5, 40, 3, 6, 43, 0.3
	for _, softcap := range []float32{0, 2} {
		for _, window := range []int{0, 30} {
			what := fmt.Sprintf("softcap %g window %d", softcap, window)
			raw := make([][]float32, spans)
			v := make([][]float64, spans*cols)
			for k := range raw {
				raw[k] = values("normal", rows*stride, uint64(k))
			}
			for j := range v {
				v[j] = float64s(values("normal", D, uint64(100+j)))
			}
			o, M, L := make([]float32, rows*D), make([]float32, rows), make([]float32, rows)
			for r := range M {
				M[r] = negInf
			}
			position := func(r int) int { return cols - 2 + 13*r } // the last column that row r sees
			limits := func(k int) (limit, lower []int32) {
				for r := range rows {
					limit = append(limit, int32(max(0, min(cols, position(r)+1-k*cols))))
					if window > 0 {
						lower = append(lower, int32(max(0, min(cols, position(r)-window+1-k*cols))))
					}
				}
				return limit, lower
			}
			for k := range spans {
				limit, lower := limits(k)
				p, m, l, os := append([]float32(nil), raw[k]...), make([]float32, rows), make([]float32, rows), make([]float32, rows*D)
				SoftmaxSpan(p, m, l, rows, cols, stride, limit, lower, scale, softcap)
				for r := range rows {
					lo, hi := bounds(r, limit, lower)
					for j, x := range p[r*stride:][:cols] {
						if seen := j >= lo && j < hi; !seen && math.Float32bits(x) != 0 || seen && x <= 0 {
							t.Fatalf("%s: span %d, row %d, column %d of [%d, %d) is %g", what, k, r, j, lo, hi, x)
						}
						for c := range D {
							os[r*D+c] += x * float32(v[k*cols+j][c])
						}
					}
					sameBits(t, what+": between rows", p[r*stride+cols:min((r+1)*stride, len(p))], raw[k][r*stride+cols:min((r+1)*stride, len(p))])
				}
				MergeSpan(o, M, L, os, m, l, rows, D, D, D)
			}
			DivideRows(o, L, rows, D, D)
			dOut, invL, dot := make([][]float64, rows), make([]float32, rows), make([]float32, rows)
			scores := make([][]float64, rows)
			for r := range rows {
				for k := range spans {
					scores[r] = append(scores[r], float64s(raw[k][r*stride:][:cols])...)
				}
				hi := position(r) + 1
				want := attention64(scores[r], v, max(0, hi-window)*min(window, 1), hi, scale, float64(softcap))
				near(t, what+": output", o[r*D:][:D], want, 2e-6)
				dOut[r] = float64s(values("normal", D, uint64(50+r)))
				invL[r], dot[r] = 1/L[r], float32(dot64(dOut[r], want))
			}
			for k := range spans {
				limit, lower := limits(k)
				p, dp := append([]float32(nil), raw[k]...), make([]float32, rows*stride)
				for r := range rows {
					for j := range cols {
						dp[r*stride+j] = float32(dot64(dOut[r], v[k*cols+j]))
					}
				}
				AttentionBackward(p, dp, rows, cols, stride, limit, lower, M, invL, dot, scale, softcap)
				for r := range rows {
					hi := position(r) + 1
					want := gradient(scores[r], func(s []float64) float64 {
						return dot64(dOut[r], attention64(s, v, max(0, hi-window)*min(window, 1), hi, scale, float64(softcap)))
					})
					near(t, what+": ds", dp[r*stride:][:cols], want[k*cols:][:cols], 1e-6)
					lo, end := bounds(r, limit, lower)
					for j := range cols {
						if (j < lo || j >= end) && math.Float32bits(p[r*stride+j])|math.Float32bits(dp[r*stride+j]) != 0 {
							t.Fatalf("%s: column %d, unseen by row %d, has p %g and ds %g", what, j, r, p[r*stride+j], dp[r*stride+j])
						}
					}
				}
			}
		}
	}
}

func TestMergeSpanSkipsRowsThatSeeNothing(t *testing.T) {
	o, M, L := []float32{1, 2}, []float32{3}, []float32{4}
	MergeSpan(o, M, L, []float32{9, 9}, []float32{negInf}, []float32{0}, 1, 2, 2, 2)
	sameBits(t, "o, M, L", append(o, M[0], L[0]), []float32{1, 2, 3, 4})
	o, M, L = []float32{0, 0}, []float32{negInf}, []float32{0}
	MergeSpan(o, M, L, []float32{5, 6}, []float32{-2}, []float32{7}, 1, 2, 2, 2)
	sameBits(t, "o, M, L of the first span", append(o, M[0], L[0]), []float32{5, 6, -2, 7})
}
