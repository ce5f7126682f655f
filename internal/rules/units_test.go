package rules

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"testing"
)

func TestImports(t *testing.T) {
	f := func(pkg, imported, want string) {
		t.Helper()
		if imported != "fmt" {
			imported = strings.TrimSuffix(Module+"/"+imported, "/")
		}
		got := strings.Join(CheckImports(strings.TrimSuffix(Module+"/"+pkg, "/"), []string{imported}), "\n")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s imports %s: %q, want %q", pkg, imported, got, want)
		}
	}
	f("nn", "tensor", "")
	f("nn", "fmt", "")
	f("tensor", "nn", "imports point downward")
	f("nn", "data", "both are of level 3")
	f("model/gpt2", "model", "")
	f("model", "model/gpt2", "both are of level 4")
	f("model/gpt2", "model/decoder", "both are of level 4")
	f("train/proof", "train", "")
	f("train", "train/proof", "both are of level 7")
	f("cli/train", "cli/cmdenv", "")
	f("cli/train", "cli/runs", "")
	f("cli/runs", "cli/cmdenv", "")
	f("cli/runs", "cli/train", "both are of level 9")
	f("cli/cmdenv", "cli/train", "both are of level 9")
	f("cli/train", "cli/checkpoint", "both are of level 9")
	f("cli/checkpoint/list", "cli/checkpoint", "")
	f("cli", "cli/train", "")
	f("cli/train", "cli", "imports point downward")
	f("std", "cli/train", "both are of level 9")
	f("format/gguf", "format/safetensors", "both are of level 1")
	f("internal/kernel", "format/gguf", "both are of level 1")
	f("tokenizer/bpe", "tokenizer/unigram", "")
	f("tokenizer", "tensor", "both are of level 2")
	f("data", "tensor", "never imports that")
	f("checkpoint", "model", "never imports that")
	f("nn", "format/gguf", "never imports that")
	f("web", "track", "")
	f("web", "format/tfrecord", "")
	f("web", "train", "imports nothing of the project but")
	f("nn", "internal/testkit", "only tests import that")
	f("model", "model/modeltest", "only tests import that")
	f("model/modeltest", "model/gpt2", "")
	f("cmd/codexml", "cli", "")
	f("cmd/codexml", "", "")
	f("", "plugin", "both are of level 0")
	f("shiny", "plugin", "is in no room")
	f("internal/shiny", "plugin", "is in no room")
}

func TestBans(t *testing.T) {
	f := func(pkg, imports, body, want string) {
		t.Helper()
		src := "package p\n" + imports + "\nfunc f() {\n" + body + "\n}\n"
		fset, file := parse(t, src)
		expect(t, pkg+": "+imports+body, CheckBans(Module+"/"+pkg, fset, file), want)
	}
	f("nn", `import "net"`, "", "may use the network")
	f("cli/train", `import "net/http/httptest"`, "", "may use the network")
	f("serve", `import "net/http"`, "", "")
	f("serve", `import "net/url"`, "", "")
	f("train", `import "net/url"`, "", "")
	f("train", `import "flag"`, "", "take a Config")
	f("cli/train", `import "flag"`, "", "")
	f("train", `import "math/rand/v2"`, "", "internal/rng")
	f("train", `import "C"`, "", "cgo")
	f("train", `import "os"`, `os.Getenv("X")`, "environment")
	f("train", `import system "os"`, `system.LookupEnv("X")`, "environment")
	f("train", `import "os"`, `os.Remove("X")`, "")
	f("train", "", "os := env{}; os.Getenv()", "")
	f("cli/train", `import "os"`, `os.Getenv("X")`, "")
	f("optim", `import "math"`, "math.Pow(2, 3)", "differs between platforms")
	f("optim", `import "math"`, "math.Sqrt(math.MaxFloat32 * math.Pi)", "")
	f("serve", `import "math"`, "math.Pow(2, 3)", "")
}

func TestShape(t *testing.T) {
	f := func(src, want string) {
		t.Helper()
		src = "// Package p is.\npackage p\n" + src
		fset, file := parse(t, src)
		expect(t, src[:min(len(src), 200)], CheckShape(fset, file, []byte(src)), want)
	}
	f("func F() {}\n", "func F has no comment")
	f("// F is.\nfunc F() {}\n", "")
	f("func f() {}\n", "")
	f("type t int\nfunc (t) F() {}\n", "")
	f("// T is.\ntype T[E any] []E\nfunc (*T[E]) F() {}\n", "func F has no comment")
	f("// T is.\ntype T int\nfunc (T) String() string { return \"\" }\n", "")
	f("type T int\n", "type T has no comment")
	f("const A = 1\n", "const A has no comment")
	f("var A, B = 1, 2 // are\n", "")
	f("// T is.\ntype T int\nconst (\nA T = iota // is\nB\n)\n", "")
	f("// TODO: more\n", "finish it")
	f("// reads \\uXXXX\n", "")
	f("var x = \"\u00e9\"\n", "beyond ASCII")
	f("var x = 0\n"+strings.Repeat("\n", MaxFileLines), "lines, at most 800")
	f("func f() {\n"+strings.Repeat("\n", MaxFuncLines)+"}\n", "lines, at most 100")
	f("//codexml:long \nfunc f() {\n"+strings.Repeat("\n", MaxFuncLines)+"}\n", "lines, at most 100")
	f("//codexml:long an unrolled tile\nfunc f() {\n"+strings.Repeat("\n", MaxFuncLines)+"}\n", "")
}

func TestFuse(t *testing.T) {
	f := func(body string, fuses bool) {
		t.Helper()
		src := "package p\n//codexml:fuse a figure\nfunc g(x, y, z float32) float32 { return x*y + z }\nfunc f(x, y, z float32, d []float64, i, j int) any {\n" + body + "\n}\n"
		fset, file := parse(t, src)
		info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
		if _, err := new(types.Config).Check("p", fset, []*ast.File{file}, info); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		want := ""
		if fuses {
			want = "without rounding"
		}
		expect(t, body, CheckFuse(fset, info, file), want)
	}
	f("return x*y + z", true)
	f("return z - (x * y)", true)
	f("return -(x * y) + z", true)
	f("z += x * y; return z", true)
	f("d[0] -= d[1] * d[2]; return d", true)
	f("p := x * y; return p + z", true)
	f("z *= x; z += y; return z", true)
	f("return float32(x*y) + z", false)
	f("z += float32(x * y); return z", false)
	f("p := float32(x * y); return p + z", false)
	f("d[0] += float64(x) * float64(y); return d", false)
	f("d[0] += float64(x) * d[1]; return d", true)
	f("d[0] += float64(x) * float64(i); return d", true)
	f("return i*j + i", false)
	f("return x*2 + z", false)
	f("return 0.1*x + z", true)
	f("return x*y*z", false)
	f("return (x + y) * z", false)
	f("const a = 2.5; return z + a*3", false)
}

func parse(t *testing.T, src string) (*token.FileSet, *ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", src, parser.ParseComments)
	if err != nil {
		t.Fatalf("%v in\n%s", err, src)
	}
	return fset, file
}

// expect wants one problem that contains want, or none.
func expect(t *testing.T, what string, problems []string, want string) {
	t.Helper()
	got := strings.Join(problems, "\n")
	if want == "" && got != "" || want != "" && (len(problems) != 1 || !strings.Contains(got, want)) {
		t.Errorf("%s:\n got  %s\n want %s", what, fmt.Sprintf("%q", problems), want)
	}
}
