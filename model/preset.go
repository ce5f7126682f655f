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
			return fmt.Errorf("model.%s: %s does not have it, got %v: leave it out, or choose another model.name", key, cfg.Name, v.Field(i))
		}
	}
	return nil
}

// FromPretrained is the configuration of a run that starts from a model's weights:
// the model's own with the run's dropout, and with its max_seq_len where that is set
// lower. Any other key that is set to something else is refused.
func FromPretrained(run, pretrained Config) (Config, error) {
	out, usual := pretrained, reflect.ValueOf(DefaultConfig())
	out.Path, out.Preset, out.Dropout = run.Path, "", run.Dropout
	if run.MaxSeqLen != DefaultConfig().MaxSeqLen && run.MaxSeqLen < out.MaxSeqLen {
		out.MaxSeqLen = run.MaxSeqLen
	}
	given, want := reflect.ValueOf(run), reflect.ValueOf(out)
	for i := range given.NumField() {
		key := given.Type().Field(i).Tag.Get("yaml")
		if x := given.Field(i).Interface(); x != usual.Field(i).Interface() && x != want.Field(i).Interface() {
			return out, fmt.Errorf("model.%s: the model of model.path has %v, got %v: leave the key out", key, want.Field(i), x)
		}
	}
	return out, out.Validate()
}
