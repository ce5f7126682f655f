package config

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("run.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("run.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestSchema(t *testing.T) {
	schema := compileSchema(t)
	text, err := Default().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	run, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(run); err != nil {
		t.Errorf("the default run: %v", err)
	}
}

func TestSchemaRejects(t *testing.T) {
	schema := compileSchema(t)
	for _, text := range []string{`{"trainig": {}}`, `{"training": {"sede": 1}}`, `{"training": {"seed": "1"}}`, `{"optimizer": {"betas": 3}}`, `[]`} {
		run, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(text)))
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(run) == nil {
			t.Errorf("%s was accepted", text)
		}
	}
}
