package std_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/internal/testkit"
	"github.com/aries-serpent/codexml/model"
	_ "github.com/aries-serpent/codexml/std"
)

// TestModelsTable holds the table of docs/models.md to the registry.
func TestModelsTable(t *testing.T) {
	const path, begin, end = "../docs/models.md", "<!-- table: written by go test ./std -update -->\n", "<!-- end -->\n"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no table between its marks", path)
	}
	table := "| model.name | config.json's model_type | GGUF's general.architecture | exported to transformers |\n|---|---|---|---|\n"
	for _, e := range model.Architectures.List() {
		export := "-"
		if e.Value.Export != nil {
			export = "yes"
		}
		table += fmt.Sprintf("| %s | %s | %s | %s |\n", e.Name, or(e.Value.HuggingFace.Type), or(e.Value.GGUF.Name), export)
	}
	testkit.Golden(t, path, before+begin+table+end+after)
}

func or(name string) string {
	if name == "" {
		return "-"
	}
	return name
}
