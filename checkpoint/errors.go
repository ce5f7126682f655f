package checkpoint

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

var (
	// ErrCorrupt is returned, as a CorruptError, for a checkpoint that is damaged or
	// incomplete. An older one may be intact: LoadLatest finds it.
	ErrCorrupt = errors.New("damaged checkpoint")
	// ErrNotFound is returned where there is no checkpoint of that name, or none at all.
	ErrNotFound = errors.New("no such checkpoint")
	// ErrVersion is returned for a checkpoint that a newer codexml wrote in a way
	// that this one does not know.
	ErrVersion = errors.New("unknown checkpoint version")
)

// Fault is one thing that is wrong with a checkpoint.
type Fault struct {
	File    string `json:"file"`             // in the checkpoint's folder
	Tensor  string `json:"tensor,omitempty"` // empty: the file as a whole
	Problem string `json:"problem"`
}

func (f Fault) String() string {
	if f.Tensor != "" {
		return fmt.Sprintf("%s: tensor %s: %s", f.File, f.Tensor, f.Problem)
	}
	return f.File + ": " + f.Problem
}

// CorruptError lists what is wrong with a checkpoint. It is an ErrCorrupt.
type CorruptError struct {
	Path   string // of the checkpoint
	Faults []Fault
}

// listed is how many items a message names before it only counts.
const listed = 5

func (e *CorruptError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return fmt.Sprintf("%v %s: %s", ErrCorrupt, e.Path, few(lines, "; "))
}

// Is makes the error an ErrCorrupt.
func (e *CorruptError) Is(target error) bool { return target == ErrCorrupt }

// few joins the first items and counts the others.
func few(items []string, separator string) string {
	if len(items) > listed {
		return strings.Join(items[:listed], separator) + fmt.Sprintf("%sand %d more", separator, len(items)-listed)
	}
	return strings.Join(items, separator)
}

// Mismatch is a tensor that has one shape in the checkpoint and another where it
// is to go.
type Mismatch struct {
	Name string `json:"name"`
	Want []int  `json:"want"` // where it is to go
	Got  []int  `json:"got"`  // in the checkpoint
}

// MismatchError says how the tensors of a checkpoint differ from those wanted.
type MismatchError struct {
	What       string     // weights or optimizer
	Missing    []string   // wanted, not in the checkpoint
	Unexpected []string   // in the checkpoint, not wanted
	Mismatched []Mismatch // of another shape
}

func (e *MismatchError) Error() string {
	var parts []string
	if len(e.Missing) > 0 {
		parts = append(parts, "missing "+few(e.Missing, ", "))
	}
	if len(e.Unexpected) > 0 {
		parts = append(parts, "unexpected "+few(e.Unexpected, ", "))
	}
	shapes := make([]string, len(e.Mismatched))
	for i, m := range e.Mismatched {
		shapes[i] = fmt.Sprintf("%s is %v, want %v", m.Name, m.Got, m.Want)
	}
	if len(shapes) > 0 {
		parts = append(parts, few(shapes, ", "))
	}
	return fmt.Sprintf("the checkpoint's %s do not fit: %s: load it with the configuration it was trained with", e.What, strings.Join(parts, "; "))
}

// compare reports how got differs from want; both are sorted by name. Only names
// and shapes count.
func compare(what string, want, got []Tensor) error {
	e := &MismatchError{What: what}
	for len(want) > 0 || len(got) > 0 {
		switch {
		case len(got) == 0 || len(want) > 0 && want[0].Name < got[0].Name:
			e.Missing = append(e.Missing, want[0].Name)
			want = want[1:]
		case len(want) == 0 || got[0].Name < want[0].Name:
			e.Unexpected = append(e.Unexpected, got[0].Name)
			got = got[1:]
		default:
			if !slices.Equal(want[0].Shape, got[0].Shape) {
				e.Mismatched = append(e.Mismatched, Mismatch{want[0].Name, want[0].Shape, got[0].Shape})
			}
			want, got = want[1:], got[1:]
		}
	}
	if len(e.Missing)+len(e.Unexpected)+len(e.Mismatched) > 0 {
		return e
	}
	return nil
}
