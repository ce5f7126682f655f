package rules

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"strings"
)

// Limits of the shape of what people write. The aims are far lower: files of 100
// to 250 lines, functions of about 10.
const (
	MaxFileLines = 800
	MaxFuncLines = 100
)

// longMark in a function's comment, followed by the reason, lifts MaxFuncLines.
const longMark = "//codexml:long "

var unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`)

// wellKnown are methods whose meaning their interface gives.
var wellKnown = map[string]bool{
	"Close": true, "Error": true, "Flush": true, "Is": true, "Len": true, "Less": true, "MarshalJSON": true, "MarshalText": true, "MarshalYAML": true, "Read": true,
	"ReadAt": true, "Seek": true, "ServeHTTP": true, "String": true, "Swap": true, "Sync": true, "UnmarshalJSON": true, "UnmarshalText": true, "UnmarshalYAML": true,
	"Unwrap": true, "Write": true, "WriteAt": true, "WriteString": true, "WriteTo": true,
}

// CheckShape reports what is wrong with the shape of a file that people write: its
// length and its functions', missing comments, characters beyond ASCII, unfinished
// work. src is the file's text.
func CheckShape(fset *token.FileSet, file *ast.File, src []byte) []string {
	var problems []string
	report := func(pos token.Pos, format string, args ...any) {
		problems = append(problems, fset.Position(pos).String()+": "+fmt.Sprintf(format, args...))
	}
	if lines := strings.Count(string(src), "\n"); lines > MaxFileLines {
		report(file.Package, "%d lines, at most %d: make it two files with one purpose each", lines, MaxFileLines)
	}
	start := fset.File(file.Pos()).Base()
	for i, b := range src {
		if b >= 0x80 {
			report(token.Pos(start+i), "a character beyond ASCII: write it as \\u escape, or in words")
			break
		}
	}
	for _, group := range file.Comments {
		if mark := unfinished.FindString(group.Text()); mark != "" {
			report(group.Pos(), "%s: finish it, or put it into docs/plan.md", mark)
		}
	}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			lines := fset.Position(d.End()).Line - fset.Position(d.Pos()).Line + 1
			if lines > MaxFuncLines && !hasMark(d.Doc, longMark) {
				report(d.Pos(), "func %s: %d lines, at most %d: cut it up, or say why not with %s<reason>", d.Name.Name, lines, MaxFuncLines, longMark)
			}
			if d.Name.IsExported() && d.Doc == nil && !(d.Recv != nil && (wellKnown[d.Name.Name] || !ast.IsExported(receiver(d)))) {
				report(d.Pos(), "func %s has no comment", d.Name.Name)
			}
		case *ast.GenDecl:
			undocumented(d, report)
		}
	}
	return problems
}

// undocumented reports the exported names of a declaration that neither it nor
// their own line comments on.
func undocumented(d *ast.GenDecl, report func(token.Pos, string, ...any)) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
				report(s.Pos(), "type %s has no comment", s.Name.Name)
			}
		case *ast.ValueSpec:
			if s.Names[0].IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil && !continues(d, s) {
				report(s.Pos(), "%s %s has no comment", d.Tok, s.Names[0].Name)
			}
		}
	}
}

// continues says whether s is one of an enumeration's values: its first constant,
// commented, has the type that they all get.
func continues(d *ast.GenDecl, s *ast.ValueSpec) bool {
	first, ok := d.Specs[0].(*ast.ValueSpec)
	return ok && d.Tok == token.CONST && len(d.Specs) > 1 && first.Type != nil && (s == first || s.Type == nil)
}

// hasMark says whether a comment carries the mark and a reason.
func hasMark(doc *ast.CommentGroup, mark string) bool {
	if doc == nil {
		return false
	}
	for _, c := range doc.List {
		if reason, ok := strings.CutPrefix(c.Text, mark); ok && strings.TrimSpace(reason) != "" {
			return true
		}
	}
	return false
}

func receiver(d *ast.FuncDecl) string {
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}
