package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// listed is what go list tells of a package.
type listed struct {
	ImportPath, Dir, Name, Doc, Export string
	GoFiles, IgnoredGoFiles            []string
	Imports                            []string
	ImportMap                          map[string]string
	Standard                           bool
	Module                             *struct{ Main bool }
}

func (p listed) ours() bool { return p.Module != nil && p.Module.Main }

// list runs go list over the module and all that it imports.
func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-export", "-deps", "-json=ImportPath,Dir,Name,Doc,Export,GoFiles,IgnoredGoFiles,Imports,ImportMap,Standard,Module", "./...")
	cmd.Dir = filepath.Join("..", "..")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// TestHouse checks every package of the module.
func TestHouse(t *testing.T) {
	all := list(t)
	exports := map[string]string{}
	for _, p := range all {
		exports[p.ImportPath] = p.Export
	}
	checked := 0
	for _, p := range all {
		if !p.ours() || len(p.GoFiles)+len(p.IgnoredGoFiles) == 0 {
			continue
		}
		checked++
		for _, problem := range checkPackage(t, p, exports) {
			t.Error(problem)
		}
	}
	if checked < 5 {
		t.Errorf("go list gave %d packages of the module: the rules were not checked", checked)
	}
}

func checkPackage(t *testing.T, p listed, exports map[string]string) []string {
	t.Helper()
	problems := CheckImports(p.ImportPath, p.Imports)
	switch prefix := "Package " + p.Name + " "; {
	case p.Name == "main" && !strings.HasPrefix(p.Doc, "Command "):
		problems = append(problems, p.ImportPath+`: has no comment that begins with "Command "`)
	case p.Name != "main" && !strings.HasPrefix(p.Doc, prefix):
		problems = append(problems, p.ImportPath+": has no comment that begins with "+prefix)
	}
	fset := token.NewFileSet()
	var compiled []*ast.File
	for i, name := range append(p.GoFiles[:len(p.GoFiles):len(p.GoFiles)], p.IgnoredGoFiles...) {
		path := filepath.Join(p.Dir, name)
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(fset, path, src, parser.ParseComments)
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		if i < len(p.GoFiles) {
			compiled = append(compiled, file)
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		problems = append(problems, CheckBans(p.ImportPath, fset, file)...)
		if !ast.IsGenerated(file) {
			problems = append(problems, CheckShape(fset, file, src)...)
		}
	}
	r, path, ok := roomOf(p.ImportPath)
	if !ok || !touchesBits(path, r.level) {
		return problems
	}
	info, err := check(p, fset, compiled, exports)
	if err != nil {
		return append(problems, p.ImportPath+": "+err.Error())
	}
	for _, file := range compiled {
		problems = append(problems, CheckFuse(fset, info, file)...)
	}
	return problems
}

// check types a package from its source and the compiled exports of its imports.
func check(p listed, fset *token.FileSet, files []*ast.File, exports map[string]string) (*types.Info, error) {
	open := func(path string) (io.ReadCloser, error) {
		if mapped := p.ImportMap[path]; mapped != "" {
			path = mapped
		}
		return os.Open(exports[path])
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", open)}
	_, err := config.Check(p.ImportPath, fset, files, info)
	return info, err
}
