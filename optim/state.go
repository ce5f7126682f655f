package optim

import (
	"errors"
	"fmt"
	"slices"
)

// NamedSlice is one tensor of the optimiser's state.
type NamedSlice struct {
	Name  string // the parameter's name and torch's name of the quantity
	Shape []int  // the parameter's
	Data  []float32
}

// State implements Optimizer.
func (o *optimizer) State() []NamedSlice {
	var all []NamedSlice
	for _, s := range o.slots {
		switch {
		case s.v != nil:
			all = append(all, NamedSlice{s.Name + ".exp_avg", s.Shape, s.m}, NamedSlice{s.Name + ".exp_avg_sq", s.Shape, s.v})
		case s.m != nil:
			all = append(all, NamedSlice{s.Name + ".momentum_buffer", s.Shape, s.m})
		}
	}
	return all
}

// LoadState implements Optimizer.
func (o *optimizer) LoadState(tensors []NamedSlice) error {
	given := make(map[string]NamedSlice, len(tensors))
	var problems []error
	bad := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("optimiser state: "+format, args...))
	}
	for _, t := range tensors {
		if _, twice := given[t.Name]; twice {
			bad("%s is given twice", t.Name)
		}
		given[t.Name] = t
	}
	mine := o.State()
	for _, want := range mine {
		got, ok := given[want.Name]
		switch {
		case !ok:
			bad("%s is missing: the checkpoint is another model's or another optimiser's", want.Name)
		case !slices.Equal(got.Shape, want.Shape) || len(got.Data) != len(want.Data):
			bad("%s has shape %v (%d elements), want %v", want.Name, got.Shape, len(got.Data), want.Shape)
		}
		delete(given, want.Name)
	}
	for _, t := range tensors { // in their order, not the map's
		if _, left := given[t.Name]; left {
			bad("%s is unexpected: no parameter in training has it", t.Name)
			delete(given, t.Name)
		}
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	byName := make(map[string][]float32, len(tensors))
	for _, t := range tensors {
		byName[t.Name] = t.Data
	}
	for _, s := range mine {
		copy(s.Data, byName[s.Name])
	}
	return nil
}
