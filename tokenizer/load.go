package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/aries-serpent/codexml/tokenizer/sentencepiece"
)

// format is a way in which tokenizers are kept.
type format struct {
	// fits says whether a file is in the format: by its name or how it begins.
	fits func(name string, data []byte) bool
	load func(path string, data []byte) (Tokenizer, error)
}

// formats are tried in order; a further format is one more entry. The last one, Hugging
// Face's, takes every file.
func formats() []format {
	return []format{
		{func(name string, _ []byte) bool { return strings.HasSuffix(name, ".model") },
			func(path string, data []byte) (Tokenizer, error) { return sentencePiece(path, data) }},
		{func(name string, _ []byte) bool { return name == "vocab.json" || name == "merges.txt" },
			func(path string, _ []byte) (Tokenizer, error) { return loadGPT2(filepath.Dir(path)) }},
		{func(string, []byte) bool { return true }, loadPipeline},
	}
}

// folderFiles are looked for in a folder, the first that is there counts.
var folderFiles = []string{"tokenizer.json", "tokenizer.model", "spm.model", "spiece.model", "sentencepiece.bpe.model", "vocab.json"}

// loadPath reads a file or a folder in any of the formats.
func loadPath(path string) (Tokenizer, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		file, err := inFolder(path)
		if err != nil {
			return nil, err
		}
		path = file
	}
	data, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	for _, f := range formats() {
		if f.fits(filepath.Base(path), data) {
			return f.load(path, data)
		}
	}
	panic("tokenizer: loadPath: no format takes every file")
}

func inFolder(dir string) (string, error) {
	for _, name := range folderFiles {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", fmt.Errorf("it is a folder without any of %s: name the tokenizer's file", strings.Join(folderFiles, ", "))
}

// readBounded reads a file of at most maxFile bytes.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("it has more than %d bytes: is it a tokenizer.json?", maxFile)
	}
	data := make([]byte, info.Size())
	_, err = io.ReadFull(f, data)
	return data, err
}

func sentencePiece(path string, data []byte) (Tokenizer, error) {
	t, err := sentencepiece.Parse(path, data)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// loadPipeline reads a tokenizer.json, and the configuration that lies beside it.
func loadPipeline(path string, data []byte) (Tokenizer, error) {
	p, err := parseFile(data)
	if err != nil {
		return nil, err
	}
	return p.withConfig(filepath.Dir(path))
}

func (p *Pipeline) withConfig(dir string) (Tokenizer, error) {
	c, err := readConfig(dir)
	if err != nil {
		return nil, err
	}
	if c != nil {
		p.use(c)
	}
	return p, nil
}

// loadGPT2 reads the vocab.json and merges.txt of a folder. Tokens that the
// configuration names are special.
func loadGPT2(dir string) (Tokenizer, error) {
	vocab, err := readBounded(filepath.Join(dir, "vocab.json"))
	if err != nil {
		return nil, err
	}
	merges, err := readBounded(filepath.Join(dir, "merges.txt"))
	if err != nil {
		return nil, err
	}
	c, err := readConfig(dir)
	if err != nil {
		return nil, err
	}
	var ids map[string]int32
	if err := json.Unmarshal(vocab, &ids); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, "vocab.json"), err)
	}
	if c == nil {
		c = &Config{BOS: "<|endoftext|>", EOS: "<|endoftext|>"} // GPT-2's own, whose folder has no configuration
	}
	p, err := parseFile(gpt2File(vocab, merges, ids, c))
	if err != nil {
		return nil, err
	}
	p.use(c)
	return p, nil
}

// gpt2File writes the tokenizer.json of the older two files.
func gpt2File(vocab, merges []byte, ids map[string]int32, c *Config) []byte {
	out := []byte(`{"version": "1.0", "added_tokens": [`)
	seen := map[string]bool{"": true}
	for _, name := range []string{c.BOS, c.EOS, c.PAD, c.UNK, c.SEP, c.CLS, c.MASK} {
		id, ok := ids[name]
		if !ok || seen[name] {
			continue
		}
		out = appendComma(out, len(seen)-1)
		seen[name] = true
		out = fmt.Appendf(out, `{"id": %d, "content": %s, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}`, id, appendQuoted(nil, []byte(name)))
	}
	out = append(out, `], "normalizer": null, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
"post_processor": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true},
"decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
"model": {"type": "BPE", "vocab": `...)
	out = append(append(out, vocab...), `, "merges": [`...)
	n := 0
	for line := range bytes.Lines(merges) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 || n == 0 && bytes.HasPrefix(line, []byte("#version")) {
			continue
		}
		out = appendQuoted(appendComma(out, n), line)
		n++
	}
	return append(out, "]}}"...)
}
