package chat

import (
	"github.com/nikolalohinski/gonja/v2/builtins"
	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/nodes"
	"github.com/nikolalohinski/gonja/v2/parser"
	"github.com/nikolalohinski/gonja/v2/tokens"
)

// keysVariable is where a rendering has the order of its objects' keys.
const keysVariable = "__keys__"

// environment is what transformers gives templates: Jinja's own, tojson as it writes
// it, and the generation block.
func environment() *exec.Environment {
	filters := exec.NewFilterSet(map[string]exec.FilterFunction{}).Update(builtins.Filters)
	if err := filters.Replace("tojson", toJSON); err != nil {
		panic("chat: environment: " + err.Error())
	}
	structures := exec.NewControlStructureSet(map[string]parser.ControlStructureParser{}).Update(builtins.ControlStructures)
	if err := structures.Register("generation", parseGeneration); err != nil {
		panic("chat: environment: " + err.Error())
	}
	globals := exec.EmptyContext().Update(builtins.GlobalFunctions).Update(builtins.GlobalVariables)
	globals.Set(chooseName, func(_ *exec.Evaluator, params *exec.VarArgs) *exec.Value {
		if params.Args[0].IsTrue() {
			return params.Args[1]
		}
		return params.Args[2]
	})
	return &exec.Environment{
		Context: globals,
		Filters: filters, Tests: builtins.Tests, ControlStructures: structures, Methods: builtins.Methods,
	}
}

// generation is {% generation %}...{% endgeneration %}: what the model itself says.
type generation struct {
	location *tokens.Token
	wrapper  *nodes.Wrapper
}

func parseGeneration(p, args *parser.Parser) (nodes.ControlStructure, error) {
	g := &generation{location: p.Current()}
	wrapper, end, err := p.WrapUntil("endgeneration")
	if err != nil {
		return nil, err
	}
	if g.wrapper = wrapper; !args.End() || !end.End() {
		return nil, args.Error("generation takes no arguments", nil)
	}
	return g, nil
}

// Position implements nodes.Node.
func (g *generation) Position() *tokens.Token { return g.location }

// String implements nodes.Node.
func (g *generation) String() string { return "generation" }

// Execute renders the block and marks it.
func (g *generation) Execute(r *exec.Renderer, _ *nodes.ControlStructureBlock) error {
	out, ok := r.Output.(*marker)
	if !ok { // inside a capture, whose text may go anywhere
		return r.ExecuteWrapper(g.wrapper)
	}
	start := out.Len()
	err := r.ExecuteWrapper(g.wrapper)
	out.spans = append(out.spans, Span{start, out.Len()})
	return err
}
