package rules

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"math"
)

// CheckFuse reports sums of a bare floating-point product, x*y + z, which the
// compiler makes one fused operation on arm64 and with GOAMD64=v3, and two
// elsewhere: different bits. A conversion, float32(x*y) + z, keeps them apart. A
// product held by a local variable counts as bare. Exact ones do not count: by a
// power of two, and of two float32 in float64.
func CheckFuse(fset *token.FileSet, info *types.Info, file *ast.File) []string {
	c := fuse{info: info, products: map[types.Object]bool{}}
	ast.Inspect(file, c.remember)
	var problems []string
	ast.Inspect(file, func(n ast.Node) bool {
		if d, ok := n.(*ast.FuncDecl); ok && hasMark(d.Doc, fuseMark) {
			return false
		}
		for _, operand := range addends(n) {
			if c.bare(operand) {
				problems = append(problems, fset.Position(operand.Pos()).String()+": a product is added without rounding: write float32(x*y) + z (or float64)")
			}
		}
		return true
	})
	return problems
}

// fuseMark in a function's comment, followed by the reason, says that what it
// computes is a figure for people and reaches no bits.
const fuseMark = "//codexml:fuse "

type fuse struct {
	info     *types.Info
	products map[types.Object]bool // local variables that a bare product is assigned to
}

// remember notes x := a*b and x = a*b.
func (c fuse) remember(n ast.Node) bool {
	a, ok := n.(*ast.AssignStmt)
	if !ok || len(a.Lhs) != len(a.Rhs) || a.Tok != token.DEFINE && a.Tok != token.ASSIGN && a.Tok != token.MUL_ASSIGN {
		return true
	}
	for i, right := range a.Rhs {
		name, ok := a.Lhs[i].(*ast.Ident)
		if !ok || name.Name == "_" || !(c.product(right) || a.Tok == token.MUL_ASSIGN && c.float(name)) {
			continue
		}
		if object := c.info.ObjectOf(name); object != nil {
			c.products[object] = true
		}
	}
	return true
}

// addends are the operands of a sum or difference.
func addends(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if n.Op == token.ADD || n.Op == token.SUB {
			return []ast.Expr{n.X, n.Y}
		}
	case *ast.AssignStmt:
		if n.Tok == token.ADD_ASSIGN || n.Tok == token.SUB_ASSIGN {
			return []ast.Expr{n.Lhs[0], n.Rhs[0]}
		}
	}
	return nil
}

// bare says whether an operand is a product that nothing rounds.
func (c fuse) bare(e ast.Expr) bool {
	e = ast.Unparen(e)
	if minus, ok := e.(*ast.UnaryExpr); ok && minus.Op == token.SUB {
		e = ast.Unparen(minus.X)
	}
	if name, ok := e.(*ast.Ident); ok {
		return c.products[c.info.ObjectOf(name)]
	}
	return c.product(e)
}

func (c fuse) product(e ast.Expr) bool {
	m, ok := ast.Unparen(e).(*ast.BinaryExpr)
	return ok && m.Op == token.MUL && c.float(m) && c.info.Types[m].Value == nil && !c.exact(m.X, m.Y)
}

// exact says whether no product of these operands needs rounding.
func (c fuse) exact(x, y ast.Expr) bool {
	return c.powerOfTwo(x) || c.powerOfTwo(y) || c.widened(x) && c.widened(y)
}

// widened says whether e is float64(a float32).
func (c fuse) widened(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	return ok && len(call.Args) == 1 && c.info.Types[call.Fun].IsType() && c.kind(call) == types.Float64 && c.kind(call.Args[0]) == types.Float32
}

func (c fuse) float(e ast.Expr) bool {
	switch c.kind(e) {
	case types.Float32, types.Float64, types.UntypedFloat:
		return true
	}
	return false
}

func (c fuse) kind(e ast.Expr) types.BasicKind {
	if t := c.info.TypeOf(e); t != nil {
		if basic, ok := t.Underlying().(*types.Basic); ok {
			return basic.Kind()
		}
	}
	return types.Invalid
}

func (c fuse) powerOfTwo(e ast.Expr) bool {
	v := c.info.Types[e].Value
	if v == nil {
		return false
	}
	f, _ := constant.Float64Val(constant.ToFloat(v))
	fraction, _ := math.Frexp(f)
	return math.Abs(fraction) == 0.5
}
