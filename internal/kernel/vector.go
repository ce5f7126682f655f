package kernel

// Add computes dst[i] = a[i] + b[i]. dst may be a or b.
func Add(dst, a, b []float32) {
	if len(a) != len(dst) || len(b) != len(dst) {
		lengths("Add", len(dst), len(a), len(b))
	}
	ops.add(dst, a, b)
}

// Scale computes dst[i] = a[i] * s. dst may be a.
func Scale(dst, a []float32, s float32) {
	if len(a) != len(dst) {
		lengths("Scale", len(dst), len(a))
	}
	ops.scale(dst, a, s)
}

// Axpy computes dst[i] = fma(s, a[i], dst[i]).
func Axpy(dst, a []float32, s float32) {
	if len(a) != len(dst) {
		lengths("Axpy", len(dst), len(a))
	}
	ops.axpy(dst, a, s)
}

// AddBias computes x[r*stride+j] += bias[j] for every row r and j < len(bias).
func AddBias(x, bias []float32, stride, rows int) {
	checkRows("AddBias", "x", len(x), rows, len(bias), stride)
	for r := range rows {
		row := x[r*stride:][:len(bias)]
		ops.add(row, row, bias)
	}
}

// Dot is the sum of a[i]*b[i] in 16 lanes:
//
//	lane[i mod 16] = fma(a[i], b[i], lane[i mod 16])
//
// from +0, and the lanes are then halved: 8, 4, 2, 1.
func Dot(a, b []float32) float32 {
	if len(a) != len(b) {
		lengths("Dot", len(a), len(b))
	}
	return ops.dot(a, b)
}

// Max is the largest element of x, -Inf if there is none.
func Max(x []float32) float32 { return ops.max(x) }

// squaresBlock is the number of elements in a block of SumSquares64.
const squaresBlock = 4096

// SumSquares64 is the sum of x[i]^2 in float64. Each block of 4,096 elements is
// summed in 16 lanes, lane[i mod 16] += float64(x[i])^2, which are then halved: 8,
// 4, 2, 1; the blocks are added in order. So it is the sum of SumSquares64 of
// pieces that are whole blocks.
func SumSquares64(x []float32) float64 {
	sum := 0.0
	for len(x) > squaresBlock {
		sum += ops.squares(x[:squaresBlock])
		x = x[squaresBlock:]
	}
	return sum + ops.squares(x)
}

// SumColumns adds columns [lo, hi) of x to acc, whose index is the column:
//
//	for r := range rows { acc[c] += float64(x[r*stride+c]) }
func SumColumns(acc []float64, x []float32, stride, rows, lo, hi int) {
	if lo >= hi || rows == 0 {
		return
	}
	checkRows("SumColumns", "x", len(x), rows, hi, stride)
	for r := 0; r < rows; r += columnRows {
		ops.sumColumns(acc[lo:hi], x[r*stride+lo:], stride, min(columnRows, rows-r))
	}
}
