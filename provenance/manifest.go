package provenance

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/aries-serpent/codexml/internal/par"
)

// Entry is a file's name and the SHA-256 of its content in hexadecimal.
type Entry struct {
	Name   string
	SHA256 string
	Bytes  int64 // 0 if parsed: the manifest's text does not say
}

// HashBytes is the Entry of a file with this content.
func HashBytes(name string, content []byte) Entry {
	sum := sha256.Sum256(content)
	return Entry{name, hex.EncodeToString(sum[:]), int64(len(content))}
}

// Manifest lists the files of a data set, sorted by name. Its text is that of
// sha256sum, so `sha256sum --check` verifies it too, and the SHA-256 of that text
// stands for the whole data set.
type Manifest []Entry

// NewManifest sorts entries into a manifest. Two of one name are an error.
func NewManifest(entries []Entry) (Manifest, error) {
	m := Manifest(slices.Clone(entries))
	slices.SortFunc(m, func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
	for i := 1; i < len(m); i++ {
		if m[i].Name == m[i-1].Name {
			return nil, fmt.Errorf("manifest: two files are named %s", m[i].Name)
		}
	}
	return m, nil
}

// HashFiles reads and hashes files, several at a time.
func HashFiles(pool *par.Pool, fsys fs.FS, names []string) (Manifest, error) {
	entries, errs := make([]Entry, len(names)), make([]error, len(names))
	pool.For(len(names), 1, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			entries[i], errs[i] = hashFile(fsys, names[i])
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return NewManifest(entries)
}

func hashFile(fsys fs.FS, name string) (Entry, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return Entry{}, fmt.Errorf("hash file: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return Entry{}, fmt.Errorf("hash file %s: %w", name, err)
	}
	return Entry{name, hex.EncodeToString(h.Sum(nil)), n}, nil
}

// escape and unescape are how sha256sum writes names that would break lines.
var (
	escape   = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`)
	unescape = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r")
)

// Text is the manifest as sha256sum writes it.
func (m Manifest) Text() []byte {
	var b bytes.Buffer
	for _, e := range m {
		name := escape.Replace(e.Name)
		if name != e.Name {
			b.WriteByte('\\')
		}
		fmt.Fprintf(&b, "%s  %s\n", e.SHA256, name)
	}
	return b.Bytes()
}

// SHA256 is the hash of the text: of all names and contents.
func (m Manifest) SHA256() string {
	sum := sha256.Sum256(m.Text())
	return hex.EncodeToString(sum[:])
}

// Bytes is the sum of the files' sizes.
func (m Manifest) Bytes() int64 {
	var n int64
	for _, e := range m {
		n += e.Bytes
	}
	return n
}

// Item is the manifest as a line of a report; path is where its text lies in the
// run's folder, or empty.
func (m Manifest) Item(name, path string) Item {
	return Item{Name: name, SHA256: m.SHA256(), Files: len(m), Bytes: m.Bytes(), Path: path}
}

// ParseManifest reads what Text wrote, or sha256sum.
func ParseManifest(r io.Reader) (Manifest, error) {
	var entries []Entry
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line, escaped := strings.CutPrefix(lines.Text(), `\`)
		hash, name, ok := strings.Cut(line, " ")
		if ok && name != "" && (name[0] == ' ' || name[0] == '*') { // text or binary mode
			name = name[1:]
		}
		if sum, err := hex.DecodeString(hash); !ok || name == "" || err != nil || len(sum) != sha256.Size || hash != strings.ToLower(hash) {
			return nil, fmt.Errorf("manifest: line %d is %q, want a SHA-256 and a file name", n, lines.Text())
		}
		if escaped {
			name = unescape.Replace(name)
		}
		entries = append(entries, Entry{Name: name, SHA256: hash})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	return NewManifest(entries)
}

// Verify hashes the manifest's files in fsys again and returns those that differ
// or cannot be read, in the manifest's order.
func (m Manifest) Verify(pool *par.Pool, fsys fs.FS) []Difference {
	found := make([]Difference, len(m))
	pool.For(len(m), 1, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			found[i] = checkFile(fsys, m[i].Name, m[i].Name, m[i].SHA256)
		}
	})
	return slices.DeleteFunc(found, func(d Difference) bool { return d == Difference{} })
}

// checkFile returns the zero Difference if the file has the hash.
func checkFile(fsys fs.FS, what, name, want string) Difference {
	e, err := hashFile(fsys, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Difference{what, want, "missing"}
	case err != nil:
		return Difference{what, want, err.Error()}
	case e.SHA256 != want:
		return Difference{what, want, e.SHA256}
	}
	return Difference{}
}
