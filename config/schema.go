package config

import (
	"encoding/json"
	"reflect"
)

// schemaNode is the part of JSON Schema (draft 2020-12) that a run's tree needs.
type schemaNode struct {
	Schema      string                 `json:"$schema,omitempty"`
	Title       string                 `json:"title,omitempty"`
	Description string                 `json:"description,omitempty"`
	Type        []string               `json:"type"`
	Items       *schemaNode            `json:"items,omitempty"`
	Properties  map[string]*schemaNode `json:"properties,omitempty"`
	Additional  *bool                  `json:"additionalProperties,omitempty"`
	Default     any                    `json:"default,omitempty"`
}

// Schema is a JSON Schema of the tree by full names, for editors: it knows every
// key's type, default and meaning. Ranges, and what keys demand of each other,
// only Load checks.
func Schema() ([]byte, error) {
	defaults := Default()
	no := false
	root := &schemaNode{Schema: "https://json-schema.org/draft/2020-12/schema", Title: "codexml run", Type: []string{"object"},
		Properties: map[string]*schemaNode{}, Additional: &no}
	sections := map[string]*schemaNode{"": root}
	for _, f := range fields() {
		n := &schemaNode{Description: comments[f.path]}
		if f.section {
			n.Type, n.Properties, n.Additional = []string{"object", "null"}, map[string]*schemaNode{}, &no
			sections[f.path] = n
		} else {
			n.describe(f.typ)
			n.Type = append(n.Type, "null")
			n.Default = plainValue(f.value(defaults))
		}
		sections[parent(f.path)].Properties[last(f.path)] = n
	}
	return json.MarshalIndent(root, "", "  ")
}

func (n *schemaNode) describe(t reflect.Type) {
	switch t.Kind() {
	case reflect.Bool:
		n.Type = []string{"boolean"}
	case reflect.Int, reflect.Int64:
		n.Type = []string{"integer"}
	case reflect.Float64:
		n.Type = []string{"number"}
	case reflect.String:
		n.Type = []string{"string"}
	case reflect.Slice:
		n.Type, n.Items = []string{"array"}, &schemaNode{}
		n.Items.describe(t.Elem())
	default:
		panic("config: Schema: " + t.String() + " is no type of a key")
	}
}
