package kernel

import (
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/internal/cpu"
	"github.com/aries-serpent/codexml/internal/rng"
	"github.com/aries-serpent/codexml/internal/testkit"
)

// TestRowsGolden holds the bits of the pure-Go tier: every way of compiling it, for
// any processor, must give them.
func TestRowsGolden(t *testing.T) {
	var generic table
	rowsGeneric(&generic)
	var text strings.Builder
	for _, op := range vectorOps {
		h := fnv.New64a()
		for _, kind := range []string{"normal", "wide"} {
			x := make([][]float32, op.vectors)
			for i := range x {
				x[i] = values(kind, 999, uint64(i))
			}
			for _, v := range append(x, op.call(&generic.rowOps, x)) {
				for _, e := range v {
					bits := math.Float32bits(e)
					if e != e {
						bits = 0x7fc00000
					}
					h.Write([]byte{byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24)})
				}
			}
		}
		fmt.Fprintf(&text, "%016x %s\n", h.Sum64(), op.name)
	}
	for _, f := range []struct {
		name string
		f    func(float64) float64
	}{
		{"Exp64", Exp64}, {"Log64", func(x float64) float64 { return Log64(math.Abs(x) + 1e-9) }}, {"Sin64", Sin64}, {"Cos64", Cos64},
		{"Pow64", func(x float64) float64 { return Pow64(math.Abs(x)+1e-9, 1.7*x) }},
	} {
		h := fnv.New64a()
		for _, x := range values("normal", 999, 1) {
			fmt.Fprintf(h, "%x ", math.Float64bits(f.f(float64(x))))
		}
		fmt.Fprintf(&text, "%016x %s\n", h.Sum64(), f.name)
	}
	testkit.Golden(t, "testdata/rows.txt", text.String())
}

func TestDotAndSquares(t *testing.T) {
	a, b := values("normal", 3*squaresBlock+77, 0), values("normal", 3*squaresBlock+77, 1)
	dot, squares := 0.0, 0.0
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
		squares += float64(a[i]) * float64(a[i])
	}
	near(t, "Dot", []float32{Dot(a, b)}, []float64{dot}, 1e-5)
	if got := SumSquares64(a); math.Abs(got-squares) > 1e-12*squares {
		t.Errorf("SumSquares64 = %v, want %v", got, squares)
	}
	sum := 0.0
	for lo := 0; lo < len(a); lo += squaresBlock {
		sum += SumSquares64(a[lo:min(lo+squaresBlock, len(a))])
	}
	if got := SumSquares64(a); got != sum {
		t.Errorf("SumSquares64 = %v, block by block %v", got, sum)
	}
	if SumSquares64(nil) != 0 || Dot(nil, nil) != 0 || Max(nil) != negInf || Max([]float32{-3, -1, -2}) != -1 {
		t.Error("wrong results for short vectors")
	}
}

func TestAddBias(t *testing.T) {
	x := []float32{1, 2, 3, 4, 5, 6, 7}
	AddBias(x, []float32{10, 20}, 3, 2)
	sameBits(t, "x", x, []float32{11, 22, 3, 14, 25, 6, 7})
}

func TestRoPETurnsAndTurnsBack(t *testing.T) {
	const rows, heads, D, stride = 3, 2, 10, 23
	cos, sin := make([]float32, rows*D/2), make([]float32, rows*D/2)
	for i := range cos {
		cos[i], sin[i] = float32(Cos64(float64(i))), float32(Sin64(float64(i)))
	}
	x := values("normal", rows*stride, 0)
	y := append([]float32(nil), x...)
	RoPE(y, cos, sin, heads, D, stride, false)
	for r := range rows {
		for h := range heads {
			for i := range D / 2 {
				at := r*stride + h*D + i
				a, b := float64(x[at]), float64(x[at+D/2])
				s, c := math.Sincos(float64(r*D/2 + i))
				near(t, "pair", []float32{y[at], y[at+D/2]}, []float64{a*c - b*s, b*c + a*s}, 1e-6)
			}
		}
		sameBits(t, "between rows", y[r*stride+heads*D:(r+1)*stride], x[r*stride+heads*D:(r+1)*stride])
	}
	RoPE(y, cos, sin, heads, D, stride, true)
	near(t, "turned back", y, float64s(x), 1e-6)
}

// The update of torch.optim.AdamW in float64.
func TestAdamW(t *testing.T) {
	const n, lr, b1, b2, eps, wd, clip = 3000, 1e-3, 0.9, 0.999, 1e-8, 0.1, 0.5
	w, m, v := values("normal", n, 0), make([]float32, n), make([]float32, n)
	half := make([]uint16, n)
	w64, m64, v64 := float64s(w), make([]float64, n), make([]float64, n)
	for step := 1; step <= 5; step++ {
		g := values("normal", n, uint64(10+step))
		c1, c2 := 1-math.Pow(b1, float64(step)), 1-math.Pow(b2, float64(step))
		AdamW(AdamWParams{LR: lr, Beta1: b1, Beta2: b2, Eps: eps, WeightDecay: wd, GradScale: clip,
			BiasCorrection1: float32(c1), BiasCorrection2: float32(c2)}, w, g, m, v, half)
		for i := range w64 {
			d := float64(g[i]) * clip
			w64[i] *= 1 - lr*wd
			m64[i] += (d - m64[i]) * (1 - b1)
			v64[i] = v64[i]*b2 + d*d*(1-b2)
			w64[i] -= lr / c1 * m64[i] / (math.Sqrt(v64[i])/math.Sqrt(c2) + eps)
		}
	}
	near(t, "w", w, w64, 1e-6)
	near(t, "m", m, m64, 1e-6)
	near(t, "v", v, v64, 1e-6)
	want := make([]uint16, n)
	RoundBF16(want, w)
	testkit.SameBits(t, "half", half, want)
}

func TestSGD(t *testing.T) {
	const n, lr, momentum, wd, clip = 1500, 0.1, 0.9, 0.01, 0.5
	for _, nesterov := range []bool{false, true} {
		w, buf, half := values("normal", n, 0), make([]float32, n), make([]uint16, n)
		w64, b64 := float64s(w), make([]float64, n)
		for step := range uint64(4) {
			g := values("normal", n, 10+step)
			SGD(w, g, buf, half, lr, momentum, wd, clip, nesterov)
			for i := range w64 {
				d := float64(g[i])*clip + wd*w64[i]
				b64[i] = momentum*b64[i] + d
				if nesterov {
					d += momentum * b64[i]
				} else {
					d = b64[i]
				}
				w64[i] -= lr * d
			}
		}
		near(t, fmt.Sprintf("nesterov %v: w", nesterov), w, w64, 2e-6)
	}
	w, g := []float32{1, 2}, []float32{4, 8}
	SGD(w, g, nil, nil, 0.5, 0, 0, 1, false)
	sameBits(t, "w without momentum", w, []float32{-1, -2})
}

func TestDropout(t *testing.T) {
	const n, p = 100000, 0.3
	key := rng.Key{Seed: 9, Stream: rng.StreamDropout}
	x, y := make([]float32, n), make([]float32, n)
	for i := range x {
		x[i] = 1
	}
	Dropout(y, x, p, key, 3)
	dropped := 0
	for i, v := range y {
		below := float64(rng.Uint32(key, uint64(3+i))) < float64(float32(p))*0x1p32
		if want := float32(1) / (1 - float32(p)); below && math.Float32bits(v) != 0 || !below && v != want {
			t.Fatalf("element %d is %g, want 0 or %g", i, v, want)
		}
		if below {
			dropped++
		}
	}
	if math.Abs(float64(dropped)/n-p) > 0.006 {
		t.Errorf("dropped %d of %d, want %g of them", dropped, n, p)
	}
	part := append([]float32(nil), x...)
	Dropout(part[:77], part[:77], p, key, 3)
	Dropout(part[77:], part[77:], p, key, 3+77)
	sameBits(t, "in pieces", part, y)
	Dropout(y, x, 0, key, 0)
	sameBits(t, "with probability 0", y, x)
}

func TestRowsRejectMisuse(t *testing.T) {
	a, b, d := make([]float32, 4), make([]float32, 5), make([]float64, 4)
	h, one := make([]uint16, 3), []int32{1}
	for name, f := range map[string]func(){
		"Exp": func() { Exp(a, b) }, "Log": func() { Log(a, b) }, "Tanh": func() { Tanh(a, b) }, "Erf": func() { Erf(a, b) }, "Sigmoid": func() { Sigmoid(a, b) },
		"Add": func() { Add(a, a, b) }, "Scale": func() { Scale(a, b, 1) }, "Axpy": func() { Axpy(a, b, 1) }, "Dot": func() { Dot(a, b) },
		"AddBias": func() { AddBias(a, a, 4, 2) }, "SumColumns": func() { SumColumns(d, a, 4, 2, 0, 4) },
		"RoundBF16": func() { RoundBF16(h, a) }, "WidenBF16": func() { WidenBF16(a, h) },
		"LayerNormForward":  func() { LayerNormForward(a, a[:2], a[:2], a, nil, nil, 3, 1) },
		"bias without gain": func() { LayerNormForward(a, a[:1], a[:1], a, nil, a, 4, 1) },
		"LayerNormBackward": func() { LayerNormBackward(a, a[:3], a, a, a[:1], nil, 4, false) },
		"RMSNormForward":    func() { RMSNormForward(a, a[:1], a, a[:3], 4, 1) },
		"RMSNormBackward":   func() { RMSNormBackward(a, a, a, a[:2], nil, 4, false) },
		"NormGradColumns":   func() { NormGradColumns(d, nil, a, a, nil, a[:1], 3, 0, 4) },
		"GELUTanhForward":   func() { GELUTanhForward(a, b) }, "GELUTanhBackward": func() { GELUTanhBackward(a, a, b) },
		"SwiGLUForward": func() { SwiGLUForward(a, a, b) }, "SwiGLUBackward": func() { SwiGLUBackward(a, a, a, a, b) },
		"SoftmaxSpan": func() { SoftmaxSpan(a, a, a, 1, 5, 5, one, nil, 1, 0) }, "scale": func() { SoftmaxSpan(a, a, a, 1, 4, 4, one, nil, 0, 0) },
		"limit": func() { SoftmaxSpan(a, a, a, 1, 4, 4, []int32{5}, nil, 1, 0) }, "lower": func() { SoftmaxSpan(a, a, a, 1, 4, 4, one, []int32{-1}, 1, 0) },
		"AttentionBackward": func() { AttentionBackward(a, a, 1, 4, 4, one, nil, a[:0], a, a, 1, 0) },
		"MergeSpan":         func() { MergeSpan(a, a[:1], a, a, a, a, 2, 2, 2, 2) }, "DivideRows": func() { DivideRows(a, a[:1], 2, 2, 2) },
		"CrossEntropy": func() { CrossEntropy(a, a, []int32{4}, 1, 4, 4, 0, 1, true) },
		"RoPE":         func() { RoPE(a, a[:1], a[:1], 3, 2, 6, false) }, "odd heads": func() { RoPE(a, a[:1], a[:1], 1, 3, 3, false) },
		"AdamW": func() { AdamW(AdamWParams{}, a, a, b, a, nil) }, "SGD": func() { SGD(a, a, nil, nil, 1, 0.9, 0, 1, false) },
		"Dropout": func() { Dropout(a, a, 1, rng.Key{}, 0) }, "Pow64": func() { Pow64(-1, 2) }, "Sin64": func() { Sin64(1 << 30) },
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "kernel: ") {
					t.Errorf("%s: recovered %v, want a panic of the package", name, r)
				}
			}()
			f()
		}()
	}
	for i, x := range append(a, b...) {
		if x != 0 {
			t.Errorf("element %d was written before a panic", i)
		}
	}
}

func TestRowsAllocateNothing(t *testing.T) {
	const n = 128
	x, y, z := make([]float32, n), make([]float32, n), make([]float32, n)
	half, targets, limit := make([]uint16, n), make([]int32, n), []int32{60, 60}
	d := make([]float64, n)
	for _, tier := range cpu.Tiers() {
		restore := Use(tier)
		allocations := testing.AllocsPerRun(10, func() {
			Exp(y, x)
			LayerNormForward(y, z[:2], z[2:4], x, nil, nil, 64, 1)
			NormGradColumns(d, d, x, x, z[:2], z[2:4], 64, 0, 64)
			SwiGLUBackward(y, z, x, x, x)
			SoftmaxSpan(x, y, z, 2, 64, 64, limit, nil, 1, 0)
			AttentionBackward(x, y, 2, 64, 64, limit, limit, z, z, z, 1, 30)
			MergeSpan(x, y[:2], y[2:4], z, y[4:6], y[6:8], 2, 64, 64, 64)
			CrossEntropy(y, x, targets, 2, 64, 64, 30, 1, true)
			RoPE(x, y[:32], z[:32], 2, 64, 128, false)
			AdamW(AdamWParams{}, x, y, z, x, half)
			SGD(x, y, z, half, 1, 0.9, 0, 1, true)
			Dropout(x, y, 0.5, rng.Key{}, 1)
			SumSquares64(x)
		})
		restore()
		if allocations != 0 {
			t.Errorf("%s: %v allocations, want 0", tier, allocations)
		}
	}
}
