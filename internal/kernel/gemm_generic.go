package kernel

import "github.com/aries-serpent/codexml/internal/par"

// Item and tile of the pure-Go tier.
const (
	genericRows = 16
	genericCols = 4
)

func gemmGeneric(t *table) {
	t.gemmOps = gemmOps{rows: 1, column: columnGeneric, split: splitGeneric, item: itemGeneric, pack: packGeneric, madds: maddsGeneric}
}

// splitGeneric makes items of 16 rows.
func splitGeneric(p *product, threads int) (across, down int) {
	if threads == 1 || 64*p.m*p.n*p.k < minWork { // 64 times slower
		return 1, 1
	}
	return min(ceil(p.n, genericCols), threads), ceil(p.m, genericRows)
}

func columnGeneric(p *product, i, parts int) int { return cut(p.n, genericCols, i, parts) }

// itemGeneric is the definition: it copies the operands in the order of the
// chains and then takes one step after another.
func itemGeneric(p *product, s *scratch, worker, i0, i1, j0, j1 int) {
	for lo := i0; lo < i1; lo += genericRows {
		hi := min(lo+genericRows, i1)
		a := grow(&s.a, (hi-lo)*p.k)
		for i := lo; i < hi; i++ {
			p.chainA(a[(i-lo)*p.k:][:p.k], i)
		}
		b := grow(&s.b, genericCols*p.k)
		for j := j0; j < j1; j += genericCols {
			cols := min(genericCols, j1-j)
			for c := range cols {
				p.chainB(b[c*p.k:][:p.k], j+c)
			}
			for i := lo; i < hi; i++ {
				p.chains(p.c.Data[i*p.c.Stride+j:][:cols], a[(i-lo)*p.k:][:p.k], b)
			}
		}
	}
	p.finish(worker, i0, i1, j0, j1)
}

// chainA copies A[i, :] in the order of its use.
func (p *product) chainA(dst []float32, i int) {
	from, step := i*p.a.stride, 1
	if p.form == TN {
		from, step = i, p.a.stride
	}
	p.a.chain(dst, from, step, p.pairs)
}

// chainB copies B[:, j] in the order of its use.
func (p *product) chainB(dst []float32, j int) {
	if p.b.kept != nil {
		p.b.kept.chain(dst, j)
		return
	}
	from, step := j, p.b.stride
	if p.form == NT {
		from, step = j*p.b.stride, 1
	}
	p.b.chain(dst, from, step, p.pairs)
}

// chain copies every step-th element; with pairs, denormals are flushed and the
// two of a pair change places, and an odd last one stays.
func (o *operand) chain(dst []float32, from, step int, pairs bool) {
	if !pairs {
		for k := range dst {
			dst[k] = o.at(from + k*step)
		}
		return
	}
	for k := range dst {
		at := k
		if k^1 < len(dst) {
			at ^= 1
		}
		dst[at] = flushed(o.at(from + k*step))
	}
}

// chains advances the chains of len(c) neighbours of one row. What is flushed at
// its start stays so, and then the two rules differ at the edge alone.
func (p *product) chains(c, a, b []float32) {
	var sum [genericCols]float32
	if p.accumulate {
		copy(sum[:], c)
	}
	edges := fmaEdge
	if p.pairs && len(a) > 0 {
		edges = fmaFlushEdge
		for j := range sum {
			sum[j] = flushed(sum[j])
		}
	}
	fourChains(&sum, a, b, edges)
	copy(c, sum[:])
}

// fourChains advances four chains together, which the processor overlaps. The
// steps are fmaGeneric's, written out because the compiler does not inline it.
func fourChains(sum *[4]float32, a, b []float32, edges func(a, b, c float32) float32) {
	k := len(a)
	b0, b1, b2, b3 := b[:k], b[k:][:k], b[2*k:][:k], b[3*k:][:k]
	s0, s1, s2, s3 := sum[0], sum[1], sum[2], sum[3]
	for q, x := range a {
		t0 := float64(float64(x)*float64(b0[q])) + float64(s0)
		t1 := float64(float64(x)*float64(b1[q])) + float64(s1)
		t2 := float64(float64(x)*float64(b2[q])) + float64(s2)
		t3 := float64(float64(x)*float64(b3[q])) + float64(s3)
		if edge(t0) || edge(t1) || edge(t2) || edge(t3) {
			s0, s1 = edges(x, b0[q], s0), edges(x, b1[q], s1)
			s2, s3 = edges(x, b2[q], s2), edges(x, b3[q], s3)
			continue
		}
		s0, s1, s2, s3 = float32(t0), float32(t1), float32(t2), float32(t3)
	}
	*sum = [4]float32{s0, s1, s2, s3}
}

// packGeneric packs B as N x K, which is what a chain reads along.
func packGeneric(_ *par.Pool, form Form, n, k int, b operand) operand {
	packed := operand{half: b.half, stride: k}
	if b.half {
		packed.bf16 = make([]uint16, n*k)
	} else {
		packed.f32 = make([]float32, n*k)
	}
	row, column := b.stride, 1
	if form == NN {
		row, column = 1, b.stride
	}
	for j := range n {
		for q := range k {
			if at := j*row + q*column; b.half {
				packed.bf16[j*k+q] = b.bf16[at]
			} else {
				packed.f32[j*k+q] = b.f32[at]
			}
		}
	}
	return packed
}

func maddsGeneric(n int, bf16 bool) int {
	var sum [genericCols]float32
	var a [16]float32
	var b [16 * genericCols]float32
	edges := fmaEdge
	if bf16 {
		edges = fmaFlushEdge
	}
	for i := range a {
		a[i] = 1 + float32(i)/64
	}
	for i := range b {
		b[i] = 1 - float32(i)/64
	}
	for range n {
		fourChains(&sum, a[:], b[:], edges)
	}
	return n * len(b)
}
