package model

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/aries-serpent/codexml/nn"
)

// Exporter copies parameters into an Export under other names. A parameter that
// does not exist panics: the caller's configuration says which ones do.
type Exporter struct {
	params map[string]*nn.Param
	export *Export
}

// NewExporter returns an exporter of m's parameters into e.
func NewExporter(m Model, e *Export) *Exporter {
	w := &Exporter{params: map[string]*nn.Param{}, export: e}
	for _, p := range m.Params() {
		w.params[p.Name] = p
	}
	return w
}

// Has says whether the model has a parameter of that name.
func (w *Exporter) Has(name string) bool { return w.params[name] != nil }

func (w *Exporter) get(name string) *nn.Param {
	p := w.params[name]
	if p == nil {
		panic("model: Exporter: no parameter " + name)
	}
	return p
}

// Copy exports a parameter as it is.
func (w *Exporter) Copy(to, from string) {
	p := w.get(from)
	w.Add(to, p.Data, p.Shape...)
}

// Part exports the i-th logical matrix of a fused parameter, or of its bias.
func (w *Exporter) Part(to, from string, parts []int, i int) {
	p := w.get(from)
	row := 0
	for _, n := range parts[:i] {
		row += n
	}
	cols := 1
	if len(p.Shape) == 2 {
		cols = p.Shape[1]
	}
	w.Add(to, p.Data[row*cols:(row+parts[i])*cols], append([]int{parts[i]}, p.Shape[1:]...)...)
}

// Add exports given data.
func (w *Exporter) Add(to string, data []float32, shape ...int) {
	w.export.Tensors = append(w.export.Tensors, ExportTensor{to, shape, data})
}

// HuggingFaceActivation is transformers' name of an activation; of a gated one that
// of its gate.
func HuggingFaceActivation(name string) string {
	names := map[string]string{"gelu": "gelu", "gelu_tanh": "gelu_new", "relu2": "relu2", "silu": "silu", "swiglu": "silu", "geglu": "gelu_pytorch_tanh"}
	if names[name] == "" {
		panic(fmt.Sprintf("model: HuggingFaceActivation: %q", name))
	}
	return names[name]
}

// Float is a number in config.json that is written with a point, 15.0: transformers
// refuses an integer where a field is a float.
type Float float64

// MarshalJSON implements json.Marshaler.
func (f Float) MarshalJSON() ([]byte, error) {
	text := strconv.AppendFloat(nil, float64(f), 'g', -1, 64)
	if !bytes.ContainsAny(text, ".e") {
		text = append(text, ".0"...)
	}
	return text, nil
}
