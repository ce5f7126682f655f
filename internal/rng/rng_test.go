package rng

import (
	"math"
	"testing"
)

// The known answers of Random123 (kat_vectors, philox4x32 10).
func TestPhiloxKnownAnswers(t *testing.T) {
	for _, c := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0)}, [2]uint32{^uint32(0), ^uint32(0)}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0}, [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := Philox(c.counter, c.key); got != c.want {
			t.Errorf("Philox(%x, %x) = %x, want %x", c.counter, c.key, got, c.want)
		}
	}
}

func TestFillsEqualSingleValues(t *testing.T) {
	key := Key{Seed: 7, Stream: StreamInit + 3, Step: 1 << 40}
	for _, index := range []uint64{0, 1, 2, 3, 4, 1<<34 - 1, math.MaxUint64 - 2} {
		words, floats, normals := make([]uint32, 11), make([]float32, 11), make([]float32, 11)
		Uint32s(words, key, index)
		Float32s(floats, key, index)
		Normals(normals, key, index)
		for i := range words {
			at := index + uint64(i)
			if words[i] != Uint32(key, at) || floats[i] != Float32(key, at) || normals[i] != Normal(key, at) {
				t.Fatalf("index %d: value %d of a fill differs from the single one", index, i)
			}
		}
		if got, want := Uint64(key, index/2), uint64(Uint32(key, index/2*2+1))<<32|uint64(Uint32(key, index/2*2)); got != want {
			t.Errorf("Uint64(%d) = %x, want %x", index/2, got, want)
		}
	}
}

func TestKeysGiveDifferentSequences(t *testing.T) {
	seen := map[Sequence]Key{}
	for seed := range uint64(4) {
		for stream := range uint64(8) {
			for step := range uint64(32) {
				k := Key{seed, stream << 30, step}
				if other, ok := seen[k.Sequence()]; ok {
					t.Fatalf("%v and %v are the same sequence", k, other)
				}
				seen[k.Sequence()] = k
			}
		}
	}
}

func TestNormalInvertsTheDistribution(t *testing.T) {
	worst := 0.0
	check := func(x uint32) {
		q := (float64(x) + 0.5 - 0x1p31) * 0x1p-31 // erf of the result / sqrt 2
		want := math.Sqrt2 * math.Erfinv(q)
		if math.Abs(q) > 0.9 { // Erfinv needs help in the tails
			want = math.Copysign(math.Sqrt2*math.Erfcinv(1-math.Abs(q)), q)
		}
		worst = max(worst, math.Abs(float64(normal(x))/want-1))
	}
	for x := range uint64(1 << 20) {
		check(uint32(x << 12))
		check(uint32(x))
		check(^uint32(x))
		check(1<<31 + uint32(x))
	}
	if worst > 2e-7 {
		t.Errorf("largest relative error %.3g, want at most 2e-7", worst)
	}
}

func TestNormalMoments(t *testing.T) {
	x := make([]float32, 1<<20)
	Normals(x, Key{Seed: 1}, 0)
	var m [5]float64
	for _, v := range x {
		p := 1.0
		for k := range m {
			m[k] += p / float64(len(x))
			p *= float64(v)
		}
	}
	for k, want := range []float64{1, 0, 1, 0, 3} {
		if math.Abs(m[k]-want) > 0.015 {
			t.Errorf("moment %d is %.4f, want %.0f", k, m[k], want)
		}
	}
}

func TestPermutationIsOne(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 4, 5, 16, 17, 100, 1000, 4097} {
		p := NewPermutation(n, 3, 9)
		hit := make([]bool, n)
		for i := range n {
			if at := p.At(i); hit[at] {
				t.Fatalf("n %d: %d comes twice", n, at)
			} else {
				hit[at] = true
			}
		}
	}
}

func TestPermutationDependsOnSeedAndEpoch(t *testing.T) {
	a, b, c := NewPermutation(1<<40, 1, 0), NewPermutation(1<<40, 2, 0), NewPermutation(1<<40, 1, 1)
	if a.At(5) == b.At(5) || a.At(5) == c.At(5) || a.At(5) == 5 {
		t.Error("orders of different seeds or epochs agree")
	}
	defer func() {
		if recover() == nil {
			t.Error("At(n) did not panic")
		}
	}()
	a.At(1 << 40)
}

// Each of the 120 orders of five elements must come up about equally often.
func TestPermutationOfFewIsUniform(t *testing.T) {
	const epochs = 24000
	counts := map[[5]int]int{}
	for epoch := range uint64(epochs) {
		p := NewPermutation(5, 11, epoch)
		var order [5]int
		for i := range order {
			order[i] = p.At(i)
		}
		counts[order]++
	}
	chi := 0.0
	for _, n := range counts {
		chi += (float64(n) - epochs/120) * (float64(n) - epochs/120) / (epochs / 120)
	}
	if len(counts) != 120 || chi > 200 { // 119 degrees of freedom: 200 is beyond 1e-5
		t.Errorf("%d orders with chi squared %.0f, want 120 and about 119", len(counts), chi)
	}
}

func TestFillsAllocateNothing(t *testing.T) {
	x := make([]float32, 100)
	if n := testing.AllocsPerRun(10, func() { Normals(x, Key{}, 3) }); n != 0 {
		t.Errorf("allocations per Normals: %v, want 0", n)
	}
}

func BenchmarkNormals(b *testing.B) {
	x := make([]float32, 4096)
	b.SetBytes(4 * 4096)
	for b.Loop() {
		Normals(x, Key{}, 0)
	}
}
