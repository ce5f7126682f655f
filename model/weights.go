package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aries-serpent/codexml/nn"
)

// Weight says how a parameter lies in a file: the same list reads and writes.
type Weight struct {
	Param string // as in Model.Params
	// Names are the tensors whose rows the parameter stacks, in this order.
	Names []string
	// Rows of each of the Names; nil means that there is one.
	Rows []int
	// Transposed says that the file holds a matrix as [in, out].
	Transposed bool
	// Gain1 says that the file holds a gain less 1.
	Gain1 bool
	// Pairs are the numbers of heads in each of the Names whose rows the file holds
	// pair by pair, as llama.cpp does for Llama: rows 2j and 2j+1 of a head are our j
	// and j + half. 0, or nothing, is none.
	Pairs []int
}

// part is a tensor of a file that is a part of a parameter.
type part struct {
	Weight
	name  string
	param *nn.Param
	first int   // its first row in the parameter
	shape []int // as the file should have it
	pairs int
}

// parts resolves weights against a model's parameters. A parameter without a weight,
// or a weight without its parameter, panics: both are our own lists.
func parts(m Model, weights []Weight) []part {
	params := map[string]*nn.Param{}
	for _, p := range m.Params() {
		params[p.Name] = p
	}
	var all []part
	for _, w := range weights {
		p := params[w.Param]
		if p == nil {
			panic("model: weights: no parameter " + w.Param)
		}
		delete(params, w.Param)
		rows := w.Rows
		if rows == nil {
			rows = []int{p.Shape[0]}
		}
		first := 0
		for i, name := range w.Names {
			shape := append([]int{rows[i]}, p.Shape[1:]...)
			if w.Transposed {
				slices.Reverse(shape)
			}
			pairs := 0
			if i < len(w.Pairs) {
				pairs = w.Pairs[i]
			}
			all = append(all, part{w, name, p, first, shape, pairs})
			first += rows[i]
		}
		if first != p.Shape[0] {
			panic(fmt.Sprintf("model: weights: %s has %d rows, its parts %d", w.Param, p.Shape[0], first))
		}
	}
	for name := range params {
		panic("model: weights: nothing for " + name)
	}
	return all
}

// data is the part's place in the parameter.
func (x part) data() []float32 {
	cols := 1
	if len(x.param.Shape) == 2 {
		cols = x.param.Shape[1]
	}
	n := 1
	for _, s := range x.shape {
		n *= s
	}
	return x.param.Data[x.first*cols : x.first*cols+n]
}

// checkParts compares what a file has with what a model wants and reports all that
// is missing, too much or of another shape. ignore says which tensors of the file
// mean nothing.
func checkParts(all []part, src Source, ignore func(name string) bool) error {
	var missing, extra []string
	var problems []error
	wanted := map[string]bool{}
	for _, x := range all {
		wanted[x.name] = true
		t, ok := src.Find(x.name)
		if !ok {
			missing = append(missing, x.name)
			continue
		}
		if !slices.Equal(t.Shape, x.shape) {
			problems = append(problems, fmt.Errorf("tensor %s: want shape %v by the configuration, the file has %v", x.name, x.shape, t.Shape))
		} else if t.Refused != nil {
			problems = append(problems, fmt.Errorf("tensor %s: %w", x.name, t.Refused))
		}
	}
	for _, name := range src.Names() {
		if !wanted[name] && !ignore(name) {
			extra = append(extra, name)
		}
	}
	if len(missing) > 0 {
		problems = append(problems, fmt.Errorf("%d tensors of the architecture are missing: %s", len(missing), some(missing)))
	}
	if len(extra) > 0 {
		problems = append(problems, fmt.Errorf("%d tensors do not belong to the architecture: %s", len(extra), some(extra)))
	}
	if len(problems) > 4 {
		problems = append(problems[:4], fmt.Errorf("and %d more", len(problems)-4))
	}
	return errors.Join(problems...)
}

func some(names []string) string {
	slices.Sort(names)
	if len(names) > 5 {
		return strings.Join(names[:5], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}

// read fills the part from its tensor.
func (x part) read(t SourceTensor) error {
	dst := x.data()
	if !x.Transposed && x.pairs == 0 {
		if err := t.Read(dst); err != nil {
			return err
		}
	} else {
		raw := make([]float32, len(dst))
		if err := t.Read(raw); err != nil {
			return err
		}
		if x.Transposed {
			transpose(dst, raw, x.shape[0], x.shape[1])
		} else {
			x.unpair(dst, raw)
		}
	}
	if x.Gain1 {
		for i := range dst {
			dst[i]++
		}
	}
	return nil
}

// unpair turns rows that lie pair by pair into halves.
func (x part) unpair(dst, raw []float32) {
	rows := x.shape[0]
	cols := len(dst) / rows
	for r := range rows {
		from := pairedRow(r, rows/x.pairs)
		copy(dst[r*cols:(r+1)*cols], raw[from*cols:(from+1)*cols])
	}
}

// pairedRow is where row r, of heads of dim rows in halves, lies pair by pair.
func pairedRow(r, dim int) int {
	head, i := r/dim*dim, r%dim
	if half := dim / 2; i >= half {
		return head + 2*(i-half) + 1
	}
	return head + 2*i
}

// transpose writes raw, rows x cols, as cols x rows.
func transpose(dst, raw []float32, rows, cols int) {
	for r := range rows {
		for c := range cols {
			dst[c*rows+r] = raw[r*cols+c]
		}
	}
}

// ExportWeights are a model's weights as a file holds them.
func ExportWeights(m Model, weights []Weight) []ExportTensor {
	var out []ExportTensor
	for _, x := range parts(m, weights) {
		data := x.data()
		switch {
		case x.Transposed:
			turned := make([]float32, len(data))
			transpose(turned, data, x.shape[1], x.shape[0])
			data = turned
		case x.pairs > 0:
			rows, paired := x.shape[0], make([]float32, len(data))
			cols := len(data) / rows
			for r := range rows {
				to := pairedRow(r, rows/x.pairs)
				copy(paired[to*cols:(to+1)*cols], data[r*cols:(r+1)*cols])
			}
			data = paired
		}
		if x.Gain1 {
			less := make([]float32, len(data))
			for i, v := range data {
				less[i] = v - 1
			}
			data = less
		}
		out = append(out, ExportTensor{x.name, x.shape, data})
	}
	return out
}
