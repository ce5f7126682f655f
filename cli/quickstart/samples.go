package quickstart

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"strings"

	"github.com/aries-serpent/codexml/data"
	"github.com/aries-serpent/codexml/generate"
	"github.com/aries-serpent/codexml/internal/fsatomic"
	"github.com/aries-serpent/codexml/internal/rng"
	"github.com/aries-serpent/codexml/model"
	"github.com/aries-serpent/codexml/nn"
	"github.com/aries-serpent/codexml/tokenizer"
)

const (
	numSamples     = 20
	contextTokens  = 128 // of the file before the function's body
	maxSampleToken = 160
	samplesFile    = "samples.txt"
)

// sample is a function of a test file, begun there and completed by the model.
type sample struct {
	File   string
	Prompt string // up to the body's opening brace
	Header string // the function's own part of the prompt
	Text   string // what the model wrote
	Parses bool
}

// begun finds functions in Go files, in a seeded order.
func begun(docs []data.Document, seed uint64, n int) []sample {
	var all []sample
	for _, d := range docs {
		if !strings.HasSuffix(d.Name, ".go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, d.Name, d.Text, 0)
		if err != nil {
			continue
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			start, body := set.Position(f.Pos()).Offset, set.Position(f.Body.Lbrace).Offset+1
			all = append(all, sample{File: d.Name, Prompt: string(d.Text[:body]) + "\n", Header: string(d.Text[start:body]) + "\n"})
		}
	}
	order := rng.NewPermutation(len(all), seed, 0)
	var picked []sample
	for i := 0; i < min(n, len(all)); i++ {
		picked = append(picked, all[order.At(i)])
	}
	return picked
}

// complete lets the model write the bodies, up to the line that closes each.
func complete(ctx context.Context, m model.Model, c *nn.Context, tok tokenizer.Tokenizer, samples []sample, seed uint64, show func(i int)) error {
	for i := range samples {
		s := &samples[i]
		ids := tok.Encode(nil, []byte(s.Prompt))
		if len(ids) > contextTokens {
			ids = ids[len(ids)-contextTokens:]
		} else if bos, ok := tok.BOS(); ok {
			ids = append([]int32{bos}, ids...)
		}
		var text []byte
		o := generate.Options{Sampling: generate.Sampling{Temperature: 0.7, TopP: 0.95, Seed: seed + uint64(i)}, MaxNewTokens: maxSampleToken}
		if eos, ok := tok.EOS(); ok {
			o.Stop = []int32{eos}
		}
		_, _, err := generate.Generate(ctx, m, c, ids, o, func(id int32) error {
			text = tok.Decode(text, []int32{id})
			if end := closing(text); end >= 0 {
				text = text[:end]
				return errDone
			}
			return nil
		})
		if err != nil && err != errDone {
			return err
		}
		s.Text = string(text)
		_, err = parser.ParseFile(token.NewFileSet(), s.File, "package p\n\n"+s.Header+s.Text, 0)
		s.Parses = err == nil
		show(i + 1)
	}
	return nil
}

// errDone ends a generation at the function's end.
var errDone = errors.New("done")

// closing is the end of the line that closes the function, or -1.
func closing(text []byte) int {
	if bytes.HasPrefix(text, []byte("}\n")) {
		return 2
	}
	if i := bytes.Index(text, []byte("\n}\n")); i >= 0 {
		return i + 3
	}
	return -1
}

// writeSamples keeps the samples for people to read.
func writeSamples(path string, samples []sample) error {
	return fsatomic.WriteFile(path, 0o644, func(w io.Writer) error {
		for i, s := range samples {
			verdict := "parses"
			if !s.Parses {
				verdict = "does not parse"
			}
			if _, err := fmt.Fprintf(w, "// ---- %d: begun in %s; %s\n%s%s\n\n", i+1, s.File, verdict, s.Header, strings.TrimRight(s.Text, "\n")); err != nil {
				return err
			}
		}
		return nil
	})
}
