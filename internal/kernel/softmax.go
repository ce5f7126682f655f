package kernel

import "fmt"

// SoftmaxSpan turns the raw scores of rows queries against a span of cols keys, in
// place, into unnormalised probabilities. Row r sees columns [lower[r], limit[r]);
// lower may be empty, which is 0. With s = p*scale, or softcap *
// TanhScalar(p*scale / softcap) if softcap is positive,
//
//	m[r] = max(s), p = ExpScalar(s - m[r]), l[r] = sum(p) in 16 lanes by column
//
// over the columns it sees; the others are +0. A row that sees none has m = -Inf
// and l = 0. scale must be positive.
func SoftmaxSpan(p, m, l []float32, rows, cols, stride int, limit, lower []int32, scale, softcap float32) {
	checkSpan("SoftmaxSpan", len(p), rows, cols, stride, limit, lower, scale)
	checkPerRow("SoftmaxSpan", "m", len(m), rows)
	checkPerRow("SoftmaxSpan", "l", len(l), rows)
	for r := range rows {
		lo, hi := bounds(r, limit, lower)
		m[r], l[r] = softmaxRow(p[r*stride:][:cols], lo, hi, scale, softcap)
	}
}

func softmaxRow(p []float32, lo, hi int, scale, softcap float32) (m, l float32) {
	if lo >= hi {
		clear(p)
		return negInf, 0
	}
	if softcap > 0 {
		ops.softcap(p[lo:hi], scale, softcap)
		scale = 1
	}
	// Whole groups of lanes are computed: the exponential of -Inf is the +0 that
	// an unseen column has.
	from, to := groups(lo, hi, len(p))
	fill(p[from:lo], negInf)
	fill(p[hi:to], negInf)
	m, l = ops.softmax(p[from:to], scale)
	clear(p[:from])
	clear(p[to:])
	return m, l
}

// AttentionBackward turns the raw scores s of a span into probabilities and the
// gradients dp of those into gradients of the scores, both in place. Columns,
// scale and softcap are as for SoftmaxSpan; m and invL are the maximum and the
// reciprocal sum of a whole row, d the dot product of its output and its gradient:
//
//	p  = ExpScalar(s*scale - m[r]) * invL[r]
//	ds = (p * (dp - d[r])) * scale
//
// and with a softcap, t = TanhScalar(s*scale / softcap),
//
//	p  = ExpScalar(t*softcap - m[r]) * invL[r]
//	ds = ((p * (dp - d[r])) * fma(-t, t, 1)) * scale
//
// Both are +0 in the columns that a row does not see.
func AttentionBackward(s, dp []float32, rows, cols, stride int, limit, lower []int32, m, invL, d []float32, scale, softcap float32) {
	checkSpan("AttentionBackward", min(len(s), len(dp)), rows, cols, stride, limit, lower, scale)
	checkPerRow("AttentionBackward", "m", len(m), rows)
	checkPerRow("AttentionBackward", "invL", len(invL), rows)
	checkPerRow("AttentionBackward", "d", len(d), rows)
	for r := range rows {
		row, dRow := s[r*stride:][:cols], dp[r*stride:][:cols]
		lo, hi := bounds(r, limit, lower)
		hi = max(lo, hi)
		from, to := groups(lo, hi, cols)
		if softcap > 0 {
			ops.attentionGradSoftcap(row[from:to], dRow[from:to], m[r], invL[r], d[r], scale, softcap)
		} else {
			ops.attentionGrad(row[from:to], dRow[from:to], m[r], invL[r], d[r], scale)
		}
		clear(row[:lo])
		clear(row[hi:])
		clear(dRow[:lo])
		clear(dRow[hi:])
	}
}

// MergeSpan merges the outputs of a span into those of the spans before it, for
// rows of cols elements, stride apart in o and strideS in os:
//
//	M' = max(M, ms), a = ExpScalar(M - M'), b = ExpScalar(ms - M')
//	L = fma(a, L, b*ls), o = fma(a, o, b*os), M = M'
//
// Rows with ms = -Inf stay as they are. ms is overwritten.
func MergeSpan(o, M, L, os, ms, ls []float32, rows, cols, stride, strideS int) {
	checkRows("MergeSpan", "o", len(o), rows, cols, stride)
	checkRows("MergeSpan", "os", len(os), rows, cols, strideS)
	if len(M) < rows || len(L) < rows || len(ms) < rows || len(ls) < rows {
		panic(fmt.Sprintf("kernel: MergeSpan: M, L, ms and ls have %d, %d, %d and %d elements, want one for each of %d rows", len(M), len(L), len(ms), len(ls), rows))
	}
	for r := 0; r < rows; r += 64 {
		mergeRows(o[r*stride:], M[r:], L[r:], os[r*strideS:], ms[r:], ls[r:], min(64, rows-r), cols, stride, strideS)
	}
}

// mergeRows is MergeSpan of up to 64 rows. One of a and b is 1, so that there is
// one exponential per row.
func mergeRows(o, M, L, os, ms, ls []float32, rows, cols, stride, strideS int) {
	var skip, higher uint64 // bits: rows that see nothing, rows with a new maximum
	for r, m := range ms[:rows] {
		switch {
		case m == negInf:
			skip |= 1 << r
		case m > M[r]:
			higher |= 1 << r
			ms[r], M[r] = M[r]-m, m
		default:
			ms[r] = m - M[r]
		}
	}
	ops.exp(ms[:rows], ms[:rows])
	for r, e := range ms[:rows] {
		if skip>>r&1 != 0 {
			continue
		}
		a, b := float32(1), e
		if higher>>r&1 != 0 {
			a, b = e, 1
		}
		L[r] = fmaGeneric(a, L[r], mul(b, ls[r]))
		ops.scaleAdd(o[r*stride:][:cols], os[r*strideS:][:cols], a, b)
	}
}

// DivideRows computes o[r*stride+j] /= l[r] for rows of cols elements.
func DivideRows(o, l []float32, rows, cols, stride int) {
	checkRows("DivideRows", "o", len(o), rows, cols, stride)
	checkPerRow("DivideRows", "l", len(l), rows)
	for r := range rows {
		row := o[r*stride:][:cols]
		ops.divide(row, row, l[r])
	}
}

func checkSpan(name string, have, rows, cols, stride int, limit, lower []int32, scale float32) {
	checkRows(name, "the span", have, rows, cols, stride)
	checkPerRow(name, "limit", len(limit), rows)
	if len(lower) != 0 {
		checkPerRow(name, "lower", len(lower), rows)
	}
	if !(scale > 0) {
		panic(fmt.Sprintf("kernel: %s: a scale of %g, want a positive one", name, scale))
	}
	for r := range rows {
		if lo, hi := bounds(r, limit, lower); lo < 0 || lo > cols || hi > cols {
			panic(fmt.Sprintf("kernel: %s: row %d sees columns [%d, %d) of %d", name, r, lo, hi, cols))
		}
	}
}

// bounds is the range of columns that row r sees, empty if lo >= hi.
func bounds(r int, limit, lower []int32) (lo, hi int) {
	if len(lower) != 0 {
		lo = int(lower[r])
	}
	return lo, max(0, int(limit[r]))
}

// groups widens [lo, hi) to whole groups of lanes, up to n.
func groups(lo, hi, n int) (from, to int) { return lo &^ (lanes - 1), min((hi+lanes-1)&^(lanes-1), n) }

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}
