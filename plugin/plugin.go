// Package plugin holds registries of named components. Names are compared without
// regard to case, listings are sorted, every entry remembers who registered it, and
// a second entry of a name is refused. A Registry is safe for concurrent use.
package plugin

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Registry maps names to values of one kind.
type Registry[T any] struct {
	kind    string
	mu      sync.RWMutex
	entries map[string]Entry[T]
}

// Entry is a registered value.
type Entry[T any] struct {
	Name   string // as registered
	Source string // who registered it
	Value  T
}

// ConflictError says that a name is taken.
type ConflictError struct{ Kind, Name, Source, Taken string }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("register %s %q from %s: the name is taken by %s: choose another name", e.Kind, e.Name, e.Source, e.Taken)
}

// NotFoundError says that no entry has a name.
type NotFoundError struct {
	Kind, Name string
	Available  []string
}

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("%s: want one of %s, got %q", e.Kind, strings.Join(e.Available, ", "), e.Name)
}

// New returns an empty registry; kind names its values in errors.
func New[T any](kind string) *Registry[T] {
	return &Registry[T]{kind: kind, entries: map[string]Entry[T]{}}
}

// Register adds a value, or returns a *ConflictError.
func (r *Registry[T]) Register(name string, value T, source string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := strings.ToLower(name)
	if key == "" {
		return fmt.Errorf("register %s from %s: the name is empty", r.kind, source)
	}
	if taken, ok := r.entries[key]; ok {
		return &ConflictError{r.kind, name, source, taken.Source}
	}
	r.entries[key] = Entry[T]{name, source, value}
	return nil
}

// MustRegister is Register for use at start-up: it panics on an error.
func (r *Registry[T]) MustRegister(name string, value T, source string) {
	if err := r.Register(name, value, source); err != nil {
		panic(err)
	}
}

// Get returns the value of a name, or a *NotFoundError.
func (r *Registry[T]) Get(name string) (T, error) {
	r.mu.RLock()
	entry, ok := r.entries[strings.ToLower(name)]
	r.mu.RUnlock()
	if !ok {
		return entry.Value, &NotFoundError{r.kind, name, r.Names()}
	}
	return entry.Value, nil
}

// List returns all entries, sorted by name.
func (r *Registry[T]) List() []Entry[T] {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := make([]Entry[T], 0, len(r.entries))
	for _, e := range r.entries {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Entry[T]) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return all
}

// Names returns the sorted names.
func (r *Registry[T]) Names() []string {
	var names []string
	for _, e := range r.List() {
		names = append(names, e.Name)
	}
	return names
}
