package model

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/aries-serpent/codexml/cli/cmdenv"
	"github.com/aries-serpent/codexml/model"
)

// Verified is the result of model verify.
type Verified struct {
	OK           bool     `json:"ok"`
	Path         string   `json:"path"`
	Architecture string   `json:"architecture"`
	Tensors      int      `json:"tensors"`
	Files        []File   `json:"files"`
	Checked      int      `json:"files_checked"` // against the hash under which the cache has them
	Problems     []string `json:"problems"`
}

func newVerify(env *cmdenv.Env, runF func(context.Context, *Options) error) *cobra.Command {
	opts := &Options{Env: env}
	return command(opts, "verify MODEL", "Check a model's files, tensors and numbers",
		"Check that a model's configuration is understood, that its files have exactly the tensors that it asks for,\n"+
			"in the right shapes, that every number is finite, and that files of the cache have the SHA-256 under which\n"+
			"it keeps them. Whatever is wrong is listed, and the command fails.",
		"  codexml model verify SmolLM2-135M\n  codexml model verify model.gguf --json", runF, verify)
}

func verify(ctx context.Context, opts *Options) (err error) {
	found, p, err := opts.open()
	if err != nil {
		return err
	}
	defer closing(p, &err)
	r := Verified{Path: found.Path, Architecture: p.Config.Name, Problems: []string{}}
	if r.Files, err = hashes(ctx, p); err != nil {
		return err
	}
	paths, err := files(p)
	if err != nil {
		return err
	}
	for i, path := range paths {
		if want := cachedHash(path); want != "" {
			r.Checked++
			if got := r.Files[i].SHA256; got != want {
				r.Problems = append(r.Problems, fmt.Sprintf("%s: the cache says SHA-256 %s, it is %s: fetch it again", filepath.Base(path), want, got))
			}
		}
	}
	for _, name := range p.Source.Names() {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.Tensors++
		if problem := finite(p, name); problem != "" {
			r.Problems = append(r.Problems, problem)
		}
	}
	r.OK = len(r.Problems) == 0
	err = opts.Env.Report(r, func(w io.Writer) {
		for _, problem := range r.Problems {
			fmt.Fprintln(w, problem)
		}
		for _, f := range r.Files {
			fmt.Fprintf(w, "%s  %s\n", f.SHA256, f.Name)
		}
		if r.OK {
			fmt.Fprintf(w, "%s: %s, %d tensors, all numbers finite, %d files with the cache's hash\n", r.Path, r.Architecture, r.Tensors, r.Checked)
		}
	})
	if err == nil && !r.OK {
		err = fmt.Errorf("model verify: %s is damaged: %d problems", r.Path, len(r.Problems))
	}
	return err
}

var blobName = regexp.MustCompile(`^[0-9a-f]{64}$`)

// cachedHash is the SHA-256 by which the cache of Hugging Face calls a file; "" if it
// does not.
func cachedHash(path string) string {
	target, err := os.Readlink(path)
	if err != nil || !blobName.MatchString(filepath.Base(target)) {
		return ""
	}
	return filepath.Base(target)
}

// finite says what is wrong with a tensor's numbers.
func finite(p *model.Pretrained, name string) string {
	t, _ := p.Source.Find(name)
	if t.Refused != nil {
		return "" // such a tensor means nothing to the architecture, or opening had failed
	}
	n := 1
	for _, dim := range t.Shape {
		n *= dim
	}
	numbers := make([]float32, n)
	if err := t.Read(numbers); err != nil {
		return fmt.Sprintf("tensor %s: %v", name, err)
	}
	for i, x := range numbers {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return fmt.Sprintf("tensor %s: element %d is %v", name, i, x)
		}
	}
	return ""
}
