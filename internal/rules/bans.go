package rules

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// networked are the rooms that may use the network: serving is their purpose.
var networked = []string{"serve", "web", "cli/serve", "cli/web"}

// exactMath are the functions of package math that give the same bits on every
// platform. The others are approximations that differ between them.
var exactMath = []string{
	"Abs", "Ceil", "Copysign", "Dim", "FMA", "Float32bits", "Float32frombits", "Float64bits", "Float64frombits", "Floor", "Frexp", "Ilogb", "Inf", "IsInf", "IsNaN",
	"Ldexp", "Logb", "Max", "Min", "Mod", "Modf", "NaN", "Nextafter", "Nextafter32", "Remainder", "Round", "RoundToEven", "Signbit", "Sqrt", "Trunc",
}

// environment are the functions and variables of package os through which
// settings would slip in below cli.
var environment = []string{"Args", "Environ", "Expand", "ExpandEnv", "Getenv", "LookupEnv"}

// touchesBits says whether what a package computes reaches weights, tokens or
// samples, so that it must come out the same everywhere.
func touchesBits(path string, level int) bool {
	switch path {
	case "track", "safety", "provenance", "plugin", "":
		return false
	}
	return level >= 0 && level <= 7 && path != "serve" && !strings.HasPrefix(path, "format/")
}

// CheckBans reports what a file of package pkg, no test, imports or calls that it
// may not there.
func CheckBans(pkg string, fset *token.FileSet, file *ast.File) []string {
	r, path, ok := roomOf(pkg)
	if !ok {
		return nil
	}
	var problems []string
	report := func(pos token.Pos, message string) {
		problems = append(problems, fset.Position(pos).String()+": "+message)
	}
	names := map[string]string{} // local name of an import: its path
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		if why := bannedImport(imported, path, r.level); why != "" {
			report(spec.Pos(), "imports "+imported+": "+why)
		}
		name := imported[strings.LastIndex(imported, "/")+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = imported
	}
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := selector.X.(*ast.Ident)
		if !ok || x.Obj != nil { // a local variable of that name
			return true
		}
		if why := bannedUse(names[x.Name], selector.Sel.Name, path, r.level); why != "" {
			report(selector.Pos(), "uses "+x.Name+"."+selector.Sel.Name+": "+why)
		}
		return true
	})
	return problems
}

func bannedImport(imported, path string, level int) string {
	switch {
	case imported == "C":
		return "the product is built without cgo"
	case imported == "net" || imported == "crypto/tls" || strings.HasPrefix(imported, "net/http") || imported == "net/rpc" || imported == "net/smtp":
		if !slices.Contains(networked, path) {
			return "only " + strings.Join(networked, ", ") + " may use the network"
		}
	case imported == "flag":
		if level >= 0 && level < 9 {
			return "flags are read in cli: take a Config"
		}
	case (imported == "math/rand" || imported == "math/rand/v2") && level < 9 && path != "internal/fsatomic": // names of temporary files
		return "randomness is a function of seed, stream and index: internal/rng"
	}
	return ""
}

func bannedUse(imported, name, path string, level int) string {
	switch {
	case imported == "os" && level >= 0 && level < 9 && slices.Contains(environment, name):
		return "the environment is read in cli: take a Config or a lookup function"
	case imported == "math" && touchesBits(path, level) && ast.IsExported(name) && !slices.Contains(exactMath, name) && !constantOfMath(name):
		return "it differs between platforms: internal/kernel has one that does not"
	}
	return ""
}

// constantOfMath says whether math's name is a constant: those are exact.
func constantOfMath(name string) bool {
	switch name {
	case "E", "Pi", "Phi", "Sqrt2", "SqrtE", "SqrtPi", "SqrtPhi", "Ln2", "Log2E", "Ln10", "Log10E":
		return true
	}
	return strings.HasPrefix(name, "Max") || strings.HasPrefix(name, "Min") || strings.HasPrefix(name, "Smallest")
}
