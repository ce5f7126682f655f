package quickstart

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aries-serpent/codexml"
	"github.com/aries-serpent/codexml/data"
)

// corpus is the text that the quickstart trains on.
type corpus struct {
	*data.Corpus
	Source string // for people
	Path   string // data.source_path; empty if embedded
}

// readCorpus takes the given folder, else the standard library of the local Go
// toolchain, else codexml's own source.
func readCorpus(ctx context.Context, dir string, cfg *data.Config) (*corpus, error) {
	if dir != "" {
		c, err := data.Read(dir, *cfg)
		return &corpus{c, dir, dir}, err
	}
	if root := goRoot(ctx); root != "" {
		src := filepath.Join(root, "src")
		if info, err := os.Stat(src); err == nil && info.IsDir() {
			cfg.Extensions, cfg.Exclude = []string{".go", ".s", ".md"}, append(cfg.Exclude, "testdata", "vendor")
			c, err := data.ReadFolder(src, *cfg)
			return &corpus{c, "the Go standard library in " + src, src}, err
		}
	}
	cfg.Exclude = append(cfg.Exclude, "testdata")
	c, err := data.ReadFS(codexml.Source, *cfg)
	return &corpus{c, "codexml's own source, as there is no Go toolchain", ""}, err
}

// goRoot asks the toolchain where it is; empty if there is none.
func goRoot(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// writeDocuments keeps embedded documents as files, so that the run can be resumed
// and repeated like any other.
func writeDocuments(dir string, docs []data.Document) error {
	for _, d := range docs {
		path := filepath.Join(dir, filepath.FromSlash(d.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("keep the embedded corpus: %w", err)
		}
		if err := os.WriteFile(path, d.Text, 0o644); err != nil {
			return fmt.Errorf("keep the embedded corpus: %w", err)
		}
	}
	return nil
}
