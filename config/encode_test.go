package config

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

func TestYAMLForms(t *testing.T) {
	for f, want := range map[float64]string{1: "1.0", 3e-4: "0.0003", 1e-8: "1.0e-08", 1.5e-9: "1.5e-09", 0: "0.0", 1e21: "1.0e+21"} {
		if got := floatYAML(f); got != want {
			t.Errorf("%v: got %s, want %s", f, got, want)
		}
	}
	r := Default()
	for s, want := range map[string]string{
		"runs/a": "runs/a", "yes": `"yes"`, "N": `"N"`, "null": `"null"`, "": `""`, "1": `"1"`, "a b": `"a b"`, `a"\`: `"a\"\\"`,
		"\n": `"\u000A"`, "é": `"\u00E9"`, "😀": `"\U0001F600"`, "/x": "/x", "a:b": `"a:b"`,
	} {
		r.Training.OutputDir = s
		if got := scalarYAML(byPath()["training.output_dir"].value(r)); got != want {
			t.Errorf("%q: got %s, want %s", s, got, want)
		}
	}
}

func TestHash(t *testing.T) {
	r := Default()
	r.Training.OutputDir = "<&>"
	text, err := r.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	if r.Hash() != hex.EncodeToString(sum[:]) {
		t.Error("the hash is not that of the canonical JSON")
	}
	if other := Default(); other.Hash() == r.Hash() {
		t.Error("two runs have one hash")
	}
}
