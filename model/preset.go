package model

import (
	"fmt"
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

// RefuseSet returns an error that names the first of the given keys that is set: an
// architecture's New calls it with those that it cannot honour.
func RefuseSet(cfg Config, keys ...string) error {
	v := reflect.ValueOf(cfg)
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if slices.Contains(keys, key) && !v.Field(i).IsZero() {
			return fmt.Errorf("model.%s: %s does not have it, got %v: leave it out, or choose model.name decoder", key, cfg.Name, v.Field(i))
		}
	}
	return nil
}
