package tokenizer

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep values may nest; the parts of real files go to about 5.
const maxDepth = 64

// skipValue reads any value.
func (r *jsonReader) skipValue(depth int) {
	if depth > maxDepth {
		r.fail("nested deeper than %d", maxDepth)
		return
	}
	switch c := r.peek(); {
	case c == '{':
		r.object(func([]byte) { r.skipValue(depth + 1) })
	case c == '[':
		r.array(func() { r.skipValue(depth + 1) })
	case c == '"':
		r.str()
	case c == 't' || c == 'f':
		r.bool()
	case c == 'n':
		if !r.null() {
			r.want("a value")
		}
	default:
		r.float()
	}
}

// string reads a string that stays.
func (r *jsonReader) string() string { return string(r.str()) }

// float reads a number.
func (r *jsonReader) float() float64 {
	r.peek()
	end := r.pos
	for end < len(r.data) && strings.IndexByte("+-.0123456789eE", r.data[end]) >= 0 {
		end++
	}
	text := string(r.data[r.pos:end])
	if v, err := strconv.ParseFloat(text, 64); err == nil && r.err == nil && validNumber(text) {
		r.pos = end
		return v
	}
	r.want("a number")
	return 0
}

// validNumber holds JSON's rules that ParseFloat does not know.
func validNumber(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	whole := digits
	if i := strings.IndexAny(digits, ".eE"); i >= 0 {
		whole = digits[:i]
		if digits[i] == '.' && (i+1 == len(digits) || digits[i+1] < '0' || digits[i+1] > '9') {
			return false
		}
	}
	return whole != "" && whole[0] != '+' && (len(whole) == 1 || whole[0] != '0')
}

// count reads an integer that is not negative.
func (r *jsonReader) count() int { return int(r.id()) }

// char reads a string of one character.
func (r *jsonReader) char() rune {
	r.peek()
	start := r.pos
	text := r.str()
	c, n := utf8.DecodeRune(text)
	if r.err == nil && (len(text) == 0 || n != len(text)) {
		r.pos = start
		r.want("a string of one character")
	}
	return c
}

// oneOf reads a string that must be one of some; it returns which.
func (r *jsonReader) oneOf(names ...string) int {
	r.peek()
	start := r.pos
	text := r.str()
	i := slices.Index(names, string(text))
	if i < 0 && r.err == nil {
		r.pos = start
		r.want("one of " + strings.Join(names, ", "))
	}
	return max(i, 0)
}

// typeName returns the string under the key "type" of the object that comes next,
// "" if there is none, and goes back to where the object begins.
func (r *jsonReader) typeName() string {
	r.peek()
	start := r.pos
	name := ""
	if !r.take('{') {
		r.want("an object")
		return ""
	}
	for r.err == nil && r.peek() == '"' && name == "" {
		isType := bytes.Equal(r.str(), []byte("type"))
		if !r.take(':') {
			break
		}
		if isType && r.peek() == '"' {
			name = r.string()
		} else {
			r.skipValue(1)
		}
		r.take(',')
	}
	if r.err == nil {
		r.pos = start
	}
	return name
}
