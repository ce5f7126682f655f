package gguf

import (
	"math"
	"strings"
	"testing"
)

// bell gives numbers that are distributed about as trained weights are: the sum of
// twelve uniform ones, the standard deviation being 0.02.
func bell(count int, seed uint64) []float32 {
	raw := generate(12*count, seed)
	out := make([]float32, count)
	for i := range out {
		sum := -6 * 255.0
		for _, b := range raw[12*i:][:12] {
			sum += float64(b)
		}
		out[i] = float32(sum / 255 * 0.02)
	}
	return out
}

// errorOf is the root mean square of what quantising loses, relative to that of x.
func errorOf(tb testing.TB, t Type, x []float32) float64 {
	tb.Helper()
	var loss, size float64
	for i, y := range dequantized(tb, t, quantized(tb, t, x)) {
		loss += float64(y-x[i]) * float64(y-x[i])
		size += float64(x[i]) * float64(x[i])
	}
	return math.Sqrt(loss / size)
}

// TestQuantizeLoses: no more is lost than llama.cpp's own quantisation of these
// numbers loses (version 0.3.36 of llama-cpp-python: Q8_0 0.00524, Q4_0 0.0841, Q4_1
// 0.0771, Q4_K 0.0701, Q6_K 0.0174), and one hundredth of that.
func TestQuantizeLoses(t *testing.T) {
	x := bell(256*256, 1)
	for typ, most := range map[Type]float64{F32: 0, F16: 0.00025, BF16: 0.0018, Q8_0: 0.00529, Q4_0: 0.0849, Q4_1: 0.0779, Q4_K: 0.0708, Q6_K: 0.0176} {
		if got := errorOf(t, typ, x); got > most {
			t.Errorf("%v loses %.4f, want %.4f at most", typ, got, most)
		} else {
			t.Logf("%v loses %.5f", typ, got)
		}
	}
}

// TestQuantizeEdges: blocks of one value, one sign, tiny and huge values come back
// near to what they were.
func TestQuantizeEdges(t *testing.T) {
	ramp := func(from, to float32) []float32 {
		x := make([]float32, 256)
		for i := range x {
			x[i] = from + (to-from)*float32(i)/255
		}
		return x
	}
	for name, x := range map[string][]float32{
		"zero": ramp(0, 0), "one": ramp(1, 1), "minus one": ramp(-1, -1), "positive": ramp(3, 9), "negative": ramp(-9, -3), "both": ramp(-1, 1),
		"large": ramp(-60000, 60000), "small": ramp(-1e-3, 1e-3), "tiny": ramp(-1e-30, 1e-30), "denormal": ramp(-1e-40, 1e-40),
	} {
		most := float64(max(abs(x[0]), abs(x[255])))
		for _, typ := range WritableTypes {
			got := dequantized(t, typ, quantized(t, typ, x))
			for i := range x {
				if diff := math.Abs(float64(got[i]) - float64(x[i])); !(diff <= most*0.17+1e-7) {
					t.Errorf("%s: %v: element %d was %v and is %v", name, typ, i, x[i], got[i])
					break
				}
			}
		}
	}
}

func TestQuantizeRejects(t *testing.T) {
	x := make([]float32, 256)
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 65505} {
		x[77] = bad
		for _, typ := range WritableTypes {
			if typ == F32 || typ == BF16 {
				continue
			}
			if err := Quantize(make([]byte, 256/typ.BlockSize()*typ.BlockBytes()), typ, x); err == nil || !strings.Contains(err.Error(), "element 77") {
				t.Errorf("%v of %v: %v", typ, bad, err)
			}
		}
	}
	if err := Quantize(make([]byte, 84), Q2_K, x); err == nil || !strings.Contains(err.Error(), "Q2_K is not written; written are F32 F16 Q4_0") {
		t.Errorf("Q2_K: %v", err)
	}
	if err := Dequantize(x, Type(16), make([]byte, 66)); err == nil || !strings.Contains(err.Error(), "IQ2_XXS") {
		t.Errorf("IQ2_XXS: %v", err)
	}
}
