package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Fields reads the fields of a JSON object, config.json for one. What was not asked
// for when Finish is called is refused by name: a field that is not understood may
// change what a model computes. Problems are collected, so that one error shows all.
// A field that is null counts as not there.
type Fields struct {
	name     string // of the object, for errors
	values   map[string]json.RawMessage
	seen     map[string]bool
	problems []error
}

// ParseFields reads an object; name stands for it in errors.
func ParseFields(name string, data []byte) (*Fields, error) {
	f := &Fields{name: name, seen: map[string]bool{}}
	if err := json.Unmarshal(data, &f.values); err != nil {
		return nil, fmt.Errorf("%s: want a JSON object: %w", name, err)
	}
	for key, value := range f.values {
		if string(bytes.TrimSpace(value)) == "null" {
			f.values[key] = nil
		}
	}
	return f, nil
}

// Has says whether a field is there and not null. It does not count as asking.
func (f *Fields) Has(key string) bool { return f.values[key] != nil }

// Absent says whether a field is not there at all; one that is null is there.
func (f *Fields) Absent(key string) bool {
	_, there := f.values[key]
	return !there
}

// Join adds what is wrong with an object of this one.
func (f *Fields) Join(o *Fields) {
	if err := o.Finish(); err != nil {
		f.problems = append(f.problems, err)
	}
}

// Badf adds a problem of a field.
func (f *Fields) Badf(key, format string, args ...any) {
	f.problems = append(f.problems, fmt.Errorf("%s: %s: %s", f.name, key, fmt.Sprintf(format, args...)))
}

func read[T any](f *Fields, key, want string, missing T) T {
	f.seen[key] = true
	raw := f.values[key]
	if raw == nil {
		return missing
	}
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		f.Badf(key, "want %s, got %.60s", want, raw)
		return missing
	}
	return v
}

// Int is a whole number, or missing if it is not there.
func (f *Fields) Int(key string, missing int) int { return read(f, key, "a whole number", missing) }

// Size is a whole number above 0 that must be there.
func (f *Fields) Size(key string) int {
	n := f.Int(key, 0)
	if n < 1 {
		f.Badf(key, "want a number above 0, got %d, or nothing", n)
		return 1
	}
	return n
}

// Float is a number.
func (f *Fields) Float(key string, missing float64) float64 {
	return read(f, key, "a number", missing)
}

// Bool is a truth value.
func (f *Fields) Bool(key string, missing bool) bool { return read(f, key, "true or false", missing) }

// Text is a string.
func (f *Fields) Text(key, missing string) string { return read(f, key, "a string", missing) }

// Texts is a list of strings.
func (f *Fields) Texts(key string) []string { return read[[]string](f, key, "a list of strings", nil) }

// IDs is a token id, or a list of them.
func (f *Fields) IDs(key string) []int32 {
	if raw := bytes.TrimSpace(f.values[key]); len(raw) > 0 && raw[0] == '[' {
		return read[[]int32](f, key, "a list of token ids", nil)
	}
	if id := read(f, key, "a token id", int32(-1)); id >= 0 {
		return []int32{id}
	}
	return nil
}

// Object is an object, or nil.
func (f *Fields) Object(key string) *Fields {
	f.seen[key] = true
	if f.values[key] == nil {
		return nil
	}
	o, err := ParseFields(f.name+": "+key, f.values[key])
	if err != nil {
		f.problems = append(f.problems, err)
		return nil
	}
	return o
}

// Want refuses a field whose value is another than the one that is honoured.
func (f *Fields) Want(key string, value any) {
	raw := bytes.TrimSpace(f.values[key])
	f.seen[key] = true
	if raw == nil {
		return
	}
	want, _ := json.Marshal(value)
	if !bytes.Equal(raw, want) {
		f.Badf(key, "%.60s is not supported here, only %s is", raw, want)
	}
}

// Ignore says that fields do not change what the model computes.
func (f *Fields) Ignore(keys ...string) {
	for _, key := range keys {
		f.seen[key] = true
	}
}

// Finish reports all problems, and every field that nobody asked for.
func (f *Fields) Finish() error {
	problems := slices.Clone(f.problems)
	for key := range f.values {
		if !f.seen[key] {
			problems = append(problems, fmt.Errorf("%s: field %s is not understood: it may change what the model computes, so it is refused", f.name, key))
		}
	}
	slices.SortStableFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(problems...)
}
