package chat

import "strings"

// rewrite does what the library does not, or not as Jinja does:
//
// It makes of every "a if c else b" the call choose(c, a, b): the library parses
// conditional expressions only where they are all that is written out. Jinja does
// not evaluate the branch that is not taken; templates have no side effects that
// would show it.
//
// It takes away the white space that trim_blocks and lstrip_blocks say, with which
// transformers reads templates: the newline after a block, and blanks before a block
// that begins its line.
func rewrite(source string) string {
	var out strings.Builder
	begins := true // source is the beginning of a line
	for source != "" {
		at := tagStart(source)
		text := source[:at]
		if at == len(source) {
			out.WriteString(text)
			break
		}
		kind, tail := source[at+1], source[at+2:]
		end := map[byte]string{'{': "}}", '%': "%}", '#': "#}"}[kind]
		n := tagEnd(tail, end, kind == '#')
		if n < 0 {
			out.WriteString(source)
			break
		}
		tag := tail[:n]
		source = tail[n+2:]
		newline := false
		if kind != '{' {
			if !strings.HasPrefix(tag, "+") {
				text = lstrip(text, begins)
			}
			if !strings.HasSuffix(tag, "+") && !strings.HasSuffix(tag, "-") {
				source, newline = strings.CutPrefix(source, "\n")
			}
		}
		begins = newline
		if kind != '#' {
			tag = rewriteTag(tag, kind == '%')
		}
		out.WriteString(text + "{" + string(kind) + strings.TrimPrefix(strings.TrimSuffix(tag, "+"), "+") + end)
	}
	return out.String()
}

// tagStart is where the next tag begins, or the length of s.
func tagStart(s string) int {
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '{' && strings.IndexByte("{%#", s[i+1]) >= 0 {
			return i
		}
	}
	return len(s)
}

// lstrip takes blanks off the end of a text that is the beginning of a line.
func lstrip(text string, begins bool) string {
	trimmed := strings.TrimRight(text, " \t")
	if strings.HasSuffix(trimmed, "\n") || trimmed == "" && begins {
		return trimmed
	}
	return text
}

// tagEnd is where a tag's end begins, outside of strings; or -1.
func tagEnd(s, end string, comment bool) int {
	if comment {
		return strings.Index(s, end)
	}
	depth := 0
	for i := 0; i < len(s); i++ {
		if depth == 0 && strings.HasPrefix(s[i:], end) {
			return i
		}
		switch s[i] {
		case '\'', '"':
			i = stringEnd(s, i)
		case '{':
			depth++
		case '}':
			depth--
		}
	}
	return -1
}

// stringEnd is the closing quote of the string that begins at i.
func stringEnd(s string, i int) int {
	quote := s[i]
	for i++; i < len(s) && s[i] != quote; i++ {
		if s[i] == '\\' {
			i++
		}
	}
	return i
}

// rewriteTag rewrites what is between the delimiters of a tag.
func rewriteTag(tag string, statement bool) string {
	edge := func(s string) bool { return s != "" && (s[0] == '-' || s[0] == '+') }
	before, after := "", ""
	if edge(tag) {
		before, tag = tag[:1], tag[1:]
	}
	if n := len(tag); n > 0 && edge(tag[n-1:]) {
		after, tag = tag[n-1:], tag[:n-1]
	}
	if !statement {
		return before + choose(tag) + after
	}
	body := strings.TrimLeft(tag, " \t\r\n")
	space := tag[:len(tag)-len(body)]
	keyword, rest, _ := strings.Cut(body, " ")
	if at := topLevel(rest, "="); keyword == "set" && at >= 0 {
		return before + space + "set " + rest[:at+1] + choose(rest[at+1:]) + after
	}
	if keyword == "if" || keyword == "elif" {
		return before + space + keyword + " " + choose(rest) + after
	}
	return before + brackets(tag) + after
}

// choose rewrites an expression.
func choose(expr string) string {
	if name, value, ok := keywordArgument(expr); ok {
		return name + choose(value)
	}
	yes := topLevel(expr, "if")
	if yes < 0 || strings.TrimSpace(expr[:yes]) == "" {
		return brackets(expr)
	}
	rest := expr[yes+2:]
	no := topLevel(rest, "else")
	if no < 0 {
		return brackets(expr)
	}
	return " " + chooseName + "(" + choose(rest[:no]) + "," + choose(expr[:yes]) + "," + choose(rest[no+4:]) + ") "
}

// chooseName is the function that stands for a conditional expression.
const chooseName = "__choose__"

// keywordArgument splits "name=value".
func keywordArgument(expr string) (name, value string, ok bool) {
	at := strings.IndexByte(expr, '=')
	if at < 1 || at+1 < len(expr) && expr[at+1] == '=' {
		return "", "", false
	}
	for _, c := range []byte(strings.TrimSpace(expr[:at])) {
		if !wordByte(c) {
			return "", "", false
		}
	}
	return expr[:at+1], expr[at+1:], true
}

// brackets rewrites what is in an expression's brackets, argument by argument.
func brackets(expr string) string {
	var out strings.Builder
	for i := 0; i < len(expr); i++ {
		switch c := expr[i]; c {
		case '\'', '"':
			end := min(stringEnd(expr, i), len(expr)-1)
			out.WriteString(expr[i : end+1])
			i = end
		case '(', '[', '{':
			end := closing(expr, i)
			if end < 0 {
				return out.String() + expr[i:]
			}
			out.WriteByte(c)
			arguments(&out, expr[i+1:end])
			out.WriteByte(expr[end])
			i = end
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// arguments rewrites parts between commas and colons.
func arguments(out *strings.Builder, s string) {
	for {
		at := len(s)
		for _, mark := range []string{",", ":"} {
			if i := topLevel(s, mark); i >= 0 {
				at = min(at, i)
			}
		}
		out.WriteString(choose(s[:at]))
		if at == len(s) {
			return
		}
		out.WriteByte(s[at])
		s = s[at+1:]
	}
}

// closing is the bracket that closes the one at i, or -1.
func closing(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '\'', '"':
			i = stringEnd(s, i)
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// topLevel finds a word or a mark outside of strings and brackets, or gives -1. A
// "=" is not one of "==", "!=", "<=", ">=".
func topLevel(s, what string) int {
	word := wordByte(what[0])
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\'', '"':
			i = stringEnd(s, i)
			continue
		case '(', '[', '{':
			end := closing(s, i)
			if end < 0 {
				return -1
			}
			i = end
			continue
		}
		if !strings.HasPrefix(s[i:], what) {
			continue
		}
		if end := i + len(what); word && (i > 0 && wordByte(s[i-1]) || end < len(s) && wordByte(s[end])) {
			continue
		}
		if what == "=" && (i > 0 && strings.IndexByte("=!<>", s[i-1]) >= 0 || i+1 < len(s) && s[i+1] == '=') {
			continue
		}
		return i
	}
	return -1
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
