package kernel

import "fmt"

// CrossEntropy computes the loss of rows of V logits, stride apart, for their
// targets. With s the logits, or softcap * TanhScalar(logit/softcap) if softcap is
// positive, m = max(s) and sum(...) in 16 lanes,
//
//	sum  = sum(ExpScalar(s - m))
//	loss = LogScalar(sum) + (m - s[target])
//
// If backward is set the logits become coef times the gradient of the loss by them,
//
//	c = coef / sum
//	d = ExpScalar(s - m) * c, less coef at the target
//	d = d * fma(-s/softcap, s/softcap, 1) if softcap is positive
//
// else they become s. A negative target gives a loss of 0 and, backward, a row of +0.
func CrossEntropy(loss, logits []float32, targets []int32, rows, V, stride int, softcap, coef float32, backward bool) {
	checkRows("CrossEntropy", "logits", len(logits), rows, V, stride)
	checkPerRow("CrossEntropy", "loss", len(loss), rows)
	checkPerRow("CrossEntropy", "targets", len(targets), rows)
	for r, t := range targets[:rows] {
		if int(t) >= V {
			panic(fmt.Sprintf("kernel: CrossEntropy: the target of row %d is %d of %d", r, t, V))
		}
	}
	for r, t := range targets[:rows] {
		row := logits[r*stride:][:V]
		switch {
		case t >= 0:
			loss[r] = entropyRow(row, int(t), softcap, coef, backward)
		case backward:
			loss[r] = 0
			clear(row)
		default:
			loss[r] = 0
		}
	}
}

func entropyRow(row []float32, target int, softcap, coef float32, backward bool) float32 {
	if softcap > 0 {
		ops.softcap(row, 1, softcap)
	}
	s := row[target]
	if softcap > 0 || !backward {
		m, sum := ops.logSumExp(row)
		if backward {
			c, t := coef/sum, s/softcap
			d := mul(ExpScalar(s-m), c) - coef
			ops.softcapEntropyGrad(row, m, c, softcap)
			row[target] = mul(d, fmaGeneric(-t, t, 1))
		}
		return LogScalar(sum) + (m - s)
	}
	m, sum := ops.softmax(row, 1)
	ops.scale(row, row, coef/sum)
	row[target] -= coef
	return LogScalar(sum) + (m - s)
}

// softcapEntropyGradGeneric is the gradient away from the target.
func softcapEntropyGradGeneric(x []float32, m, c, softcap float32) {
	for i, s := range x {
		t := s / softcap
		x[i] = mul(mul(ExpScalar(s-m), c), fmaGeneric(-t, t, 1))
	}
}
