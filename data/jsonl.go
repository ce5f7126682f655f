package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// blockBytes of JSON lines are parsed at a time by a worker.
const blockBytes = 1 << 20

// textFields are where a record's text is looked for, in this order.
var textFields = []string{"text", "content", "value"}

// ReadJSONL reads files with a JSON value per line: a string, or an object whose
// text is in its field text, else content, else value, else in its only field.
// Blank lines are passed over; any other line is an error with file and line.
func ReadJSONL(c Config, paths ...string) (*Corpus, error) { return readJSONL(c, paths, os.ReadFile) }

// readJSONLFolder reads the .jsonl and .ndjson files below a folder.
func readJSONLFolder(dir string, c Config) (*Corpus, error) {
	fsys := os.DirFS(dir)
	c.Extensions = []string{".jsonl", ".ndjson"}
	names, skipped, err := list(fsys, c)
	if err != nil {
		return nil, fmt.Errorf("folder %s: %w", dir, err)
	}
	corpus, err := readJSONL(c, names, func(name string) ([]byte, error) { return fs.ReadFile(fsys, name) })
	if err != nil {
		return nil, fmt.Errorf("folder %s: %w", dir, err)
	}
	corpus.Stats.add(skipped)
	return corpus, nil
}

// jsonBlock is a run of whole lines of a file.
type jsonBlock struct {
	file string
	line int // number of its first line
	text []byte
}

func readJSONL(c Config, names []string, read func(name string) ([]byte, error)) (*Corpus, error) {
	var blocks []jsonBlock
	for _, name := range names {
		text, err := read(name)
		if err != nil {
			return nil, fmt.Errorf("read JSON lines: %w", err)
		}
		blocks = appendBlocks(blocks, name, bytes.TrimPrefix(text, byteOrderMark))
	}
	corpus, err := gather(len(blocks), c, func(i int) part { return blocks[i].parse(c) })
	if err != nil {
		return nil, err
	}
	corpus.Stats.Files = len(names)
	return corpus, nil
}

func appendBlocks(blocks []jsonBlock, name string, text []byte) []jsonBlock {
	for line := 1; len(text) > 0; {
		n := min(blockBytes, len(text))
		if i := bytes.IndexByte(text[n-1:], '\n'); i >= 0 {
			n += i
		} else {
			n = len(text)
		}
		blocks = append(blocks, jsonBlock{name, line, text[:n]})
		line += bytes.Count(text[:n], []byte{'\n'})
		text = text[n:]
	}
	return blocks
}

func (b jsonBlock) parse(c Config) part {
	var p part
	line := b.line - 1
	for record := range bytes.Lines(b.text) {
		line++
		if isEmpty(record) {
			continue
		}
		name := fmt.Sprintf("%s:%d", b.file, line)
		text, err := c.parseRecord(record)
		switch {
		case errors.Is(err, errSkip):
			p.stats.InvalidUTF8++
		case err != nil:
			p.err = fmt.Errorf("read JSON lines: %s: %w", name, err)
			return p
		default:
			p.docs = append(p.docs, Document{Name: name, Text: text})
		}
	}
	return p
}

// parseRecord is the text of one line.
func (c Config) parseRecord(record []byte) ([]byte, error) {
	if c.InvalidUTF8 == "keep" {
		c.InvalidUTF8 = "error" // JSON is UTF-8, and the parser would replace what is not
	}
	record, err := c.decode(bytes.TrimSpace(record))
	if err != nil {
		return nil, err
	}
	raw := json.RawMessage(record)
	if record[0] == '{' {
		if raw, err = textField(record); err != nil {
			return nil, err
		}
	}
	var text *string
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, notText(err)
	}
	if text == nil {
		return nil, errors.New("want a string or an object with the text in a field, got null")
	}
	return c.convertNewlines([]byte(*text)), nil
}

// textField is the value that holds an object's text.
func textField(record []byte) (json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(record, &fields); err != nil {
		return nil, notText(err)
	}
	for _, name := range textFields {
		if raw, ok := fields[name]; ok {
			return raw, nil
		}
	}
	if len(fields) == 1 {
		for _, raw := range fields {
			return raw, nil
		}
	}
	return nil, fmt.Errorf("want a field %s, or a single field, got an object of %d fields", strings.Join(textFields, ", "), len(fields))
}

func notText(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("want a string or an object with the text in a field, got %s", wrong.Value)
	}
	return fmt.Errorf("invalid JSON: %w", err)
}
