package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// The bounds of a file. The largest sensible configuration is a hundredth of
// them; the YAML library needs quadratic time in the number of tokens and
// recursion in their depth, so both are checked before it parses.
const (
	maxBytes   = 128 << 10
	maxTokens  = 8192
	maxDepth   = 32
	maxAnchors = 64
	maxNodes   = 10000 // after aliases are expanded
)

// node is a YAML value with the place where it was written.
type node struct {
	place   Place
	kind    kind
	text    string // of a scalar
	items   []*node
	entries []entry
}

// entry is one key of a mapping.
type entry struct {
	key   string
	place Place // of the key
	value *node
}

// parse reads one YAML document whose values stand in origin; only origin's file
// or override and its order are used. An empty document is a null. All errors
// are Problems.
func parse(text string, origin Place) (root *node, err error) {
	// The library has paniced on hostile input before; a panic here is an
	// unreadable file, not a bug of the caller.
	defer func() {
		if r := recover(); r != nil {
			root, err = nil, Problems{{Place: origin, Message: fmt.Sprintf("the YAML parser fails on it: %v", r)}}
		}
	}()
	if len(text) > maxBytes {
		return nil, Problems{{Place: origin, Message: fmt.Sprintf("want at most %d bytes of YAML, got %d", maxBytes, len(text))}}
	}
	if !utf8.ValidString(text) {
		return nil, Problems{{Place: origin, Message: "want UTF-8 text"}}
	}
	r := reader{origin: origin, anchors: map[string]*ast.AnchorNode{}, open: map[string]bool{}}
	tokens := lexer.Tokenize(strings.TrimPrefix(text, "\ufeff"))
	if err := r.bounded(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, r.syntax(err)
	}
	root = &node{place: origin}
	seen := false
	for _, doc := range file.Docs {
		switch doc.Body.(type) {
		case nil, *ast.DirectiveNode:
			continue
		}
		if seen {
			return nil, r.problem(doc.Body, "want one YAML document, got another one")
		}
		seen = true
		if root, err = r.node(doc.Body); err != nil {
			return nil, err
		}
	}
	return root, nil
}

// reader turns the library's tree into nodes.
type reader struct {
	origin  Place
	count   int
	anchors map[string]*ast.AnchorNode
	open    map[string]bool // anchors that are being expanded
}

func (r *reader) at(t *token.Token) Place {
	p := r.origin
	if p.Override == "" && t != nil && t.Position != nil {
		p.Line, p.Column = t.Position.Line, t.Position.Column
	}
	return p
}

func (r *reader) problem(n ast.Node, format string, args ...any) error {
	return Problems{{Place: r.at(n.GetToken()), Message: fmt.Sprintf(format, args...)}}
}

// syntax makes a problem of an error of the library.
func (r *reader) syntax(err error) error {
	var detailed interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if errors.As(err, &detailed) {
		return Problems{{Place: r.at(detailed.GetToken()), Message: "YAML: " + detailed.GetMessage()}}
	}
	return Problems{{Place: r.origin, Message: "YAML: " + err.Error()}}
}

// bounded refuses token lists that would cost too much.
func (r *reader) bounded(tokens token.Tokens) error {
	refuse := func(t *token.Token, format string, args ...any) error {
		return Problems{{Place: r.at(t), Message: fmt.Sprintf(format, args...)}}
	}
	var columns []int // of the blocks that are open
	flow, anchors := 0, 0
	for i, t := range tokens {
		column := t.Position.Column
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow = max(flow-1, 0)
		case token.TagType:
			return refuse(t, "want no tags, got %s", t.Value)
		case token.AnchorType:
			anchors++
		case token.MappingValueType:
			if i > 0 {
				column = tokens[i-1].Position.Column
			}
			columns = nest(columns, column, flow)
		case token.SequenceEntryType, token.MappingKeyType:
			columns = nest(columns, column, flow)
		}
		switch {
		case i >= maxTokens:
			return refuse(t, "want at most %d YAML tokens", maxTokens)
		case flow+len(columns) > maxDepth:
			return refuse(t, "want at most %d levels of nesting", maxDepth)
		case anchors > maxAnchors:
			return refuse(t, "want at most %d anchors", maxAnchors)
		}
	}
	return nil
}

// nest keeps the columns at which block collections are open, given that one has
// an entry at column.
func nest(columns []int, column, flow int) []int {
	if flow > 0 {
		return columns
	}
	for len(columns) > 0 && columns[len(columns)-1] >= column {
		columns = columns[:len(columns)-1]
	}
	return append(columns, column)
}

// node converts n and everything below it.
func (r *reader) node(n ast.Node) (*node, error) {
	if r.count++; r.count > maxNodes {
		return nil, r.problem(n, "want at most %d values, aliases expanded", maxNodes)
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return r.mapping(n, n.Values)
	case *ast.MappingValueNode:
		return r.mapping(n, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		list := &node{place: r.at(n.GetToken()), kind: kindList}
		for _, v := range n.Values {
			item, err := r.node(v)
			if err != nil {
				return nil, err
			}
			list.items = append(list.items, item)
		}
		return list, nil
	case *ast.AnchorNode:
		name := n.Name.GetToken().Value
		if r.open[name] {
			return nil, r.problem(n, "anchor %s is inside itself", name)
		}
		r.anchors[name] = n
		r.open[name] = true
		defer delete(r.open, name)
		return r.node(n.Value)
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		target, ok := r.anchors[name]
		if !ok {
			return nil, r.problem(n, "alias *%s: there is no anchor &%s before it", name, name)
		}
		if r.open[name] {
			return nil, r.problem(n, "alias *%s is inside its own anchor", name)
		}
		r.open[name] = true
		defer delete(r.open, name)
		return r.node(target.Value)
	case ast.ScalarNode:
		return r.scalar(n), nil
	}
	return nil, r.problem(n, "want a plain value, list or mapping, got a YAML %s", n.Type())
}

func (r *reader) scalar(n ast.ScalarNode) *node {
	t := n.GetToken()
	s := &node{place: r.at(t), kind: kindString, text: t.Value}
	if literal, ok := n.(*ast.LiteralNode); ok {
		s.text = literal.Value.Value
		return s
	}
	if t.Type != token.SingleQuoteType && t.Type != token.DoubleQuoteType {
		if t.Type == token.ImplicitNullType {
			s.text = ""
		}
		s.kind = resolve(s.text)
	}
	return s
}

// mapping converts the entries of a mapping; merged ones (<<) stand first, so
// that the mapping's own keys win.
func (r *reader) mapping(n ast.Node, values []*ast.MappingValueNode) (*node, error) {
	m := &node{place: r.at(n.GetToken()), kind: kindMap}
	own := map[string]Place{}
	var merged []entry
	for _, v := range values {
		value, err := r.node(v.Value)
		if err != nil {
			return nil, err
		}
		if v.Key.IsMergeKey() {
			if value.kind != kindMap {
				return nil, r.problem(v, "merge key <<: want a mapping, got %s", value.describe())
			}
			merged = append(merged, value.entries...)
			continue
		}
		key, err := r.key(v.Key)
		if err != nil {
			return nil, err
		}
		if first, ok := own[key.key]; ok {
			return nil, Problems{{Place: key.place, Key: key.key, Message: "given twice, first at " + first.String()}}
		}
		own[key.key] = key.place
		key.value = value
		m.entries = append(m.entries, key)
	}
	for _, e := range merged {
		if _, ok := own[e.key]; !ok {
			own[e.key] = e.place
			m.entries = append(m.entries, e)
		}
	}
	return m, nil
}

func (r *reader) key(n ast.MapKeyNode) (entry, error) {
	s, ok := n.(ast.ScalarNode)
	if !ok {
		return entry{}, r.problem(n, "want a name as key, got a YAML %s", n.Type())
	}
	if t := s.GetToken(); t.Value != "" {
		return entry{key: t.Value, place: r.at(t)}, nil
	}
	return entry{}, r.problem(n, "want a name as key, got an empty one")
}
