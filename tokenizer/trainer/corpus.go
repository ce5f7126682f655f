package trainer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/aries-serpent/codexml/tokenizer/train"
)

// defaultChunk is how much of a file is read at a time.
const defaultChunk = 1 << 20

// corpus yields the texts of files. Long texts come in parts, which cut parted.
type corpus struct {
	files  []File
	field  string
	chunk  int
	cut    train.Cut
	onRead func(bytes int64)
	buffer []byte // chunk bytes, for one file after another
	text   []byte
	err    error // why it ended early
}

// documents yields the texts, each in the room of the one before. c.err is set when it
// ends early.
func (c *corpus) documents() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, f := range c.files {
			more, err := c.file(f.Path, yield)
			if err != nil {
				c.err = fmt.Errorf("read corpus: %w", err)
			}
			if err != nil || !more {
				return
			}
		}
	}
}

func (c *corpus) file(path string, yield func([]byte) bool) (more bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	if strings.HasSuffix(path, ".jsonl") {
		return c.lines(path, f, yield)
	}
	return c.stream(f, yield)
}

// stream yields a text in parts. \r\n becomes \n.
func (c *corpus) stream(r io.Reader, yield func([]byte) bool) (more bool, err error) {
	if c.buffer == nil {
		c.buffer = make([]byte, c.chunk)
	}
	text := c.text[:0]
	defer func() { c.text = text }()
	carry := false // a \r was read whose successor is not known
	for {
		n, err := io.ReadFull(r, c.buffer)
		c.onRead(int64(n))
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return false, err
		}
		text, carry = appendLines(text, c.buffer[:n], carry)
		if last {
			if carry {
				text = append(text, '\r')
			}
			return len(text) == 0 || yield(text), nil
		}
		if at := c.cut(text, len(text)/2); at < len(text) {
			if !yield(text[:at]) {
				return false, nil
			}
			text = text[:copy(text, text[at:])]
		}
	}
}

// appendLines appends block with \r\n as \n. carry says that a \r stood at the end of
// the block before, and that one stands at the end of this.
func appendLines(text, block []byte, carry bool) ([]byte, bool) {
	if len(block) == 0 {
		return text, carry
	}
	if carry && block[0] != '\n' {
		text = append(text, '\r')
	}
	if carry = block[len(block)-1] == '\r'; carry {
		block = block[:len(block)-1]
	}
	for {
		at := bytes.Index(block, []byte("\r\n"))
		if at < 0 {
			return append(text, block...), carry
		}
		text = append(text, block[:at]...)
		block = block[at+1:]
	}
}

// lines yields the texts of a JSONL file.
func (c *corpus) lines(path string, r io.Reader, yield func([]byte) bool) (more bool, err error) {
	in := bufio.NewReaderSize(r, c.chunk)
	for number := 1; ; number++ {
		line, err := in.ReadBytes('\n')
		c.onRead(int64(len(line)))
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		if len(bytes.TrimSpace(line)) > 0 {
			text, wrong := c.textOf(line)
			if wrong != nil {
				return false, fmt.Errorf("%s, line %d: %w", path, number, wrong)
			}
			if !yield(text) {
				return false, nil
			}
		}
		if err != nil {
			return true, nil
		}
	}
}

// textOf returns the text of a line of JSON.
func (c *corpus) textOf(line []byte) ([]byte, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(line, &object); err != nil {
		return nil, err
	}
	raw, ok := object[c.field]
	if !ok {
		return nil, fmt.Errorf("there is no %q: name the key of the text with text_field", c.field)
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, fmt.Errorf("%q: %w", c.field, err)
	}
	text2, carry := appendLines(nil, []byte(text), false)
	if carry {
		text2 = append(text2, '\r')
	}
	return text2, nil
}
