package model

import (
	"reflect"
	"slices"
)

// overlay returns base with the given keys of over.
func overlay(base, over Config, given func(key string) bool) Config {
	dst, src := reflect.ValueOf(&base).Elem(), reflect.ValueOf(over)
	for i := range src.NumField() {
		if given(src.Type().Field(i).Tag.Get("yaml")) {
			dst.Field(i).Set(src.Field(i))
		}
	}
	return base
}

func presetNames() []string {
	var names []string
	for name := range Presets() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
