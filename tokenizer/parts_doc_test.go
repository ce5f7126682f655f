package tokenizer

import (
	"os"
	"strings"
	"testing"

	"github.com/aries-serpent/codexml/internal/testkit"
)

// The table of docs/tokenizers.md is what the tables of parts have. -update rewrites it.
func TestDocumentedParts(t *testing.T) {
	const path, begin, end = "../docs/tokenizers.md", "<!-- parts -->\n", "<!-- /parts -->"
	var b strings.Builder
	b.WriteString("| part | types |\n|---|---|\n")
	for _, row := range []struct {
		kind  string
		names []string
	}{
		{"normalizer", partNames(normalizerTypes())}, {"pre_tokenizer", partNames(preTokenizerTypes())}, {"model", partNames(modelTypes())},
		{"post_processor", partNames(postProcessorTypes())}, {"decoder", partNames(decoderTypes())},
	} {
		b.WriteString("| " + row.kind + " | " + strings.Join(row.names, ", ") + " |\n")
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(page), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", path)
	}
	testkit.Golden(t, path, head+begin+b.String()+end+tail)
}
