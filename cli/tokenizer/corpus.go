package tokenizer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aries-serpent/codexml/cli/cmdenv"
)

// corpus is the texts that a command works on.
type corpus struct {
	Files []string
	Bytes int64 // of the files

	env     *cmdenv.Env
	lines   bool   // every line is a text
	plain   bool   // a .jsonl file is lines too
	textKey string // of JSONL records
	chunk   int    // texts are cut at a line's end after so many bytes; 0: never
	err     error  // what ended the last pass over documents

	progress func(done int64)
}

// findCorpus expands files, folders and globs, in which ** stands for any folders,
// and sorts them. "-" is standard input.
func findCorpus(env *cmdenv.Env, globs []string) (*corpus, error) {
	c := &corpus{env: env, textKey: "text"}
	for _, glob := range globs {
		if glob == "-" {
			c.Files = append(c.Files, "-")
			continue
		}
		found, err := expand(env.Path(glob))
		if err != nil {
			return nil, cmdenv.BadInput(err)
		}
		if len(found) == 0 {
			return nil, cmdenv.BadInput(fmt.Errorf("corpus: no file matches %s", glob))
		}
		c.Files = append(c.Files, found...)
	}
	slices.Sort(c.Files)
	c.Files = slices.Compact(c.Files)
	for _, file := range c.Files {
		if info, err := os.Stat(file); err == nil {
			c.Bytes += info.Size()
		}
	}
	return c, nil
}

func expand(glob string) ([]string, error) {
	if info, err := os.Stat(glob); err == nil {
		if info.Mode().IsRegular() {
			return []string{glob}, nil
		}
		if info.IsDir() {
			glob = filepath.Join(glob, "**")
		}
	}
	root, _, deep := strings.Cut(glob, "**")
	if !deep {
		found, err := filepath.Glob(glob)
		return slices.DeleteFunc(found, func(p string) bool { return !isFile(p) }), err
	}
	pattern := filepath.ToSlash(glob)
	var found []string
	err := filepath.WalkDir(filepath.Clean(filepath.Dir(root+"x")), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && matchDeep(pattern, filepath.ToSlash(path)) {
			found = append(found, path)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return found, err
}

// matchDeep is path.Match where ** stands for any number of folders, and at the end
// for all that is in them.
func matchDeep(pattern, path string) bool {
	p, s := strings.Split(pattern, "/"), strings.Split(path, "/")
	var match func(i, j int) bool
	match = func(i, j int) bool {
		switch {
		case i == len(p):
			return j == len(s)
		case p[i] == "**":
			return i == len(p)-1 || match(i+1, j) || j < len(s) && match(i, j+1)
		case j == len(s):
			return false
		}
		ok, err := filepath.Match(p[i], s[j])
		return ok && err == nil && match(i+1, j+1)
	}
	return match(0, 0)
}

// documents yields the texts, one after another: a file, or a line where lines are
// asked for; of a .jsonl file the text of every record. A text is good until the
// next. What goes wrong is in err afterwards.
func (c *corpus) documents() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		c.err = nil
		done := int64(0)
		for _, file := range c.Files {
			more, err := c.file(file, &done, yield)
			if err != nil {
				c.err = err
			}
			if err != nil || !more {
				return
			}
		}
	}
}

func (c *corpus) file(path string, done *int64, yield func([]byte) bool) (more bool, err error) {
	in := c.env.In
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return false, cmdenv.BadInput(err)
		}
		defer f.Close()
		in = f
	}
	r := &counting{r: in}
	report := func() {
		if c.progress != nil {
			c.progress(*done + r.n)
		}
	}
	defer func() { *done += r.n }()
	jsonl := !c.plain && (strings.HasSuffix(path, ".jsonl") || strings.HasSuffix(path, ".ndjson"))
	if !jsonl && !c.lines && c.chunk == 0 {
		text, err := io.ReadAll(r)
		report()
		return err == nil && yield(text), err
	}
	lines := bufio.NewReaderSize(r, 1<<20)
	var text, line []byte
	for number := 1; ; number++ {
		line, err = readLine(lines, line[:0])
		if len(line) > 0 {
			switch {
			case jsonl:
				record, fault := c.record(line)
				if fault != nil {
					return false, cmdenv.BadInput(fmt.Errorf("%s:%d: %w", path, number, fault))
				}
				more = record == nil || yield(record)
			case c.lines:
				more = yield(bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")))
			default:
				if text = append(text, line...); len(text) >= c.chunk || err != nil {
					more = yield(text)
					text = text[:0]
				} else {
					more = true
				}
			}
			if !more {
				return false, nil
			}
			report()
		}
		if err == io.EOF {
			return len(text) == 0 || yield(text), nil
		}
		if err != nil {
			return false, err
		}
	}
}

// record is the text of a JSONL record: a string, or the text of an object; nil for
// an empty line.
func (c *corpus) record(line []byte) ([]byte, error) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return nil, nil
	}
	var text string
	if line[0] == '"' {
		err := json.Unmarshal(line, &text)
		return []byte(text), err
	}
	var record map[string]json.RawMessage
	if err := json.Unmarshal(line, &record); err != nil {
		return nil, fmt.Errorf("want a JSON object or string: %w", err)
	}
	raw, ok := record[c.textKey]
	if !ok {
		return nil, fmt.Errorf("the record has no %q: name the key of the text with --text-key", c.textKey)
	}
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, fmt.Errorf("%q: want a string: %w", c.textKey, err)
	}
	return []byte(text), nil
}

// readLine appends a line with its end to line.
func readLine(r *bufio.Reader, line []byte) ([]byte, error) {
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if err != bufio.ErrBufferFull {
			return line, err
		}
	}
}

// counting counts what is read.
type counting struct {
	r io.Reader
	n int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// quick is the size of a corpus of which no progress is shown.
const quick = 8 << 20

// pass yields the documents with a bar that shows how much of the corpus is read;
// call the second result when they are done, for what went wrong.
func (c *corpus) pass(name string) (iter.Seq[[]byte], func() error) {
	if c.Bytes < quick {
		return c.documents(), func() error { return c.err }
	}
	bar := c.env.Progress(name, int(c.Bytes>>20))
	c.progress = func(done int64) {
		if bar.Due() {
			bar.Set(int(min(done, c.Bytes)>>20), "MiB")
		}
	}
	return c.documents(), func() error {
		if c.err == nil {
			bar.Set(int(c.Bytes>>20), "MiB")
		}
		bar.Done()
		return c.err
	}
}
