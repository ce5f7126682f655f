package data

import (
	"bytes"
	"fmt"
	"os"
	"unicode/utf8"
)

// ReadText reads text files. Each is cut at line ends into documents of about
// c.DocumentBytes, since documents are what is split and what is encoded at a time.
func ReadText(c Config, paths ...string) (*Corpus, error) {
	return gather(len(paths), c, func(i int) part {
		text, err := os.ReadFile(paths[i])
		if err != nil {
			return part{err: fmt.Errorf("read text: %w", err)}
		}
		if isBinary(text) {
			return part{err: fmt.Errorf("read text: %s is binary: it has a zero byte at %d", paths[i], bytes.IndexByte(text, 0))}
		}
		p := c.cleaned(paths[i], text)
		if len(p.docs) == 1 {
			p.docs = cut(p.docs[0], c.DocumentBytes)
		}
		return p
	})
}

// cut splits a document into pieces of size bytes and what is missing to the end
// of the line, but at most twice the size. Their texts joined are the document's.
func cut(d Document, size int) []Document {
	if size <= 0 || len(d.Text) <= size {
		return []Document{d}
	}
	var docs []Document
	for rest := d.Text; len(rest) > 0; {
		n := pieceEnd(rest, size)
		docs = append(docs, Document{Name: fmt.Sprintf("%s#%d", d.Name, len(docs)), Text: rest[:n:n]})
		rest = rest[n:]
	}
	return docs
}

// pieceEnd is the length of the first piece of text.
func pieceEnd(text []byte, size int) int {
	if len(text) <= size {
		return len(text)
	}
	end := min(2*size, len(text))
	if i := bytes.IndexByte(text[size-1:end], '\n'); i >= 0 {
		return size + i
	}
	if end == len(text) {
		return end
	}
	for i := end; i > max(size, end-utf8.UTFMax); i-- {
		if utf8.RuneStart(text[i]) {
			return i
		}
	}
	return end
}
