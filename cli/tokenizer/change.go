package tokenizer

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/internal/fsatomic"
	"github.com/aries-serpent/codexml/tokenizer"
	"github.com/aries-serpent/codexml/tokenizer/vocab"
)

// checkOut refuses an output that exists, unless it may be written over.
func checkOut(path string, force bool) error {
	if path == "" {
		return cmdenv.Usagef("--out is missing: name the file to write")
	}
	if _, err := os.Stat(path); err == nil && !force {
		return cmdenv.BadInput(fmt.Errorf("%s exists: name another --out, or give --force", path))
	}
	return nil
}

// writeFile writes data to path, with the folders that it needs.
func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return fsatomic.WriteFile(path, 0o644, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// writeDocument checks that what was made of a tokenizer loads, and writes it.
func writeDocument(path string, d *vocab.Document) (tokenizer.Tokenizer, error) {
	t, err := tokenizer.Parse(path, d.Bytes())
	if err != nil {
		return nil, fmt.Errorf("what was made does not load, so it is not written: %w", err)
	}
	return t, writeFile(path, d.Bytes())
}

// writeJSON writes value to path, indented.
func writeJSON(path string, value any) error {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(path, append(data, '\n'))
}
