package config

import (
	"cmp"
	"fmt"
	"strings"
)

// Place says where a value was written: in a file, or in an override.
type Place struct {
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"` // from 1
	Column   int    `json:"column,omitempty"`
	Override string `json:"override,omitempty"` // its text

	order int // of the layer: the file is 0, overrides count from 1
}

// String is file:line:column, or the override's text.
func (p Place) String() string {
	switch {
	case p.Override != "":
		return "override " + p.Override
	case p.Line == 0:
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

func (p Place) before(q Place) int {
	return cmp.Or(cmp.Compare(p.order, q.order), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column))
}

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	Place   Place  `json:"place"` // zero: of a default
	Key     string `json:"key,omitempty"`
	Message string `json:"message"`
}

// Error is "place: key: message".
func (p Problem) Error() string {
	var parts []string
	for _, part := range []string{p.Place.String(), p.Key, p.Message} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// Problems is the error of a configuration that is refused: all that is wrong
// with it, in the order of the places.
type Problems []Problem

// Error lists the problems, one a line.
func (p Problems) Error() string {
	var text []string
	for _, problem := range p {
		text = append(text, problem.Error())
	}
	return strings.Join(text, "\n")
}

// Unwrap gives the problems one by one.
func (p Problems) Unwrap() []error {
	var all []error
	for _, problem := range p {
		all = append(all, problem)
	}
	return all
}

// Note says that a name or a value was understood as another one.
type Note struct {
	Place   Place  `json:"place"`
	Message string `json:"message"`
}

// String is "place: message".
func (n Note) String() string { return n.Place.String() + ": " + n.Message }
