package config

import (
	"reflect"
	"slices"
	"strings"
	"sync"
)

// field is a key of the tree: a value, or a section that holds keys.
type field struct {
	path    string // full name: training.seed
	index   []int  // into Run
	typ     reflect.Type
	section bool
}

// fields lists every key of Run in the order of the structs, sections before
// what they hold.
var fields = sync.OnceValue(func() []field {
	var all []field
	var walk func(t reflect.Type, prefix string, index []int)
	walk = func(t reflect.Type, prefix string, index []int) {
		for f := range t.Fields() {
			name, tagged := f.Tag.Lookup("yaml")
			if !tagged {
				if f.IsExported() {
					panic("config: " + t.String() + "." + f.Name + " has no yaml tag")
				}
				continue
			}
			at := append(slices.Clone(index), f.Index...)
			one := field{join(prefix, name), at, f.Type, f.Type.Kind() == reflect.Struct}
			all = append(all, one)
			if one.section {
				walk(f.Type, one.path, at)
			}
		}
	}
	walk(reflect.TypeFor[Run](), "", nil)
	return all
})

// byPath finds a field by its full name.
var byPath = sync.OnceValue(func() map[string]field {
	m := map[string]field{}
	for _, f := range fields() {
		m[f.path] = f
	}
	return m
})

// value is the field's place in r.
func (f field) value(r *Run) reflect.Value { return reflect.ValueOf(r).Elem().FieldByIndex(f.index) }

func join(prefix, key string) string {
	if prefix == "" {
		return key
	}
	return prefix + "." + key
}

func parent(path string) string {
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		return path[:i]
	}
	return ""
}

func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
