package tokenizer

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonReader reads JSON by asking for what must come next. Vocabularies are large
// and flat, so it makes no tree, and every error says where: line, column, key.
// The first error sticks: later calls do nothing and return zero values. It is as
// strict as encoding/json, and refuses text that is not UTF-8 and halves of
// surrogate pairs too, since a piece that silently changes is another vocabulary.
type jsonReader struct {
	data []byte
	pos  int
	path []string // the keys that lead to the value being read
	text []byte   // where a string with escapes is put together
	last int      // where the last string read begins
	err  error
}

// fail records what is wrong at the reader's position.
func (r *jsonReader) fail(format string, args ...any) {
	if r.err != nil {
		return
	}
	line := 1 + bytes.Count(r.data[:r.pos], []byte{'\n'})
	column := r.pos - bytes.LastIndexByte(r.data[:r.pos], '\n')
	where := ""
	if len(r.path) > 0 {
		where = strings.Join(r.path, ".") + ": "
	}
	r.err = fmt.Errorf("line %d, column %d: %s%s", line, column, where, fmt.Sprintf(format, args...))
}

// peek returns the first byte of the next value or mark, 0 at the end.
func (r *jsonReader) peek() byte {
	if r.err != nil {
		return 0
	}
	for r.pos < len(r.data) {
		switch c := r.data[r.pos]; c {
		case ' ', '\n', '\t', '\r':
			r.pos++
		default:
			return c
		}
	}
	return 0
}

// found describes the value at the reader's position, for errors.
func (r *jsonReader) found() string {
	switch c := r.peek(); {
	case r.pos >= len(r.data):
		return "the end of the file"
	case c == '{':
		return "an object"
	case c == '[':
		return "an array"
	case c == '"':
		start := r.pos
		text := r.str() // which may fail, and say more
		r.pos = start
		return fmt.Sprintf("%.40q", text)
	}
	rest := r.data[r.pos:min(r.pos+20, len(r.data))]
	if end := bytes.IndexAny(rest, ",]} \r\n\t"); end > 0 {
		rest = rest[:end]
	}
	return string(bytes.ToValidUTF8(rest, []byte("?")))
}

// want says that something else was expected.
func (r *jsonReader) want(what string) {
	if r.err == nil {
		r.fail("want %s, got %s", what, r.found())
	}
}

// take consumes the mark c if it comes next.
func (r *jsonReader) take(c byte) bool {
	if r.peek() != c || r.err != nil {
		return false
	}
	r.pos++
	return true
}

// word consumes one of JSON's words if it comes next.
func (r *jsonReader) word(w string) bool {
	if r.peek() != w[0] || !bytes.HasPrefix(r.data[r.pos:], []byte(w)) {
		return false
	}
	r.pos += len(w)
	return true
}

// null consumes a null if it comes next.
func (r *jsonReader) null() bool { return r.word("null") }

// bool reads true or false.
func (r *jsonReader) bool() bool {
	if r.word("true") {
		return true
	}
	if !r.word("false") {
		r.want("true or false")
	}
	return false
}

// id reads an integer from 0 to the greatest int32.
func (r *jsonReader) id() int32 {
	r.peek()
	start, n := r.pos, int64(0)
	for r.pos < len(r.data) && r.data[r.pos]-'0' <= 9 && n <= math.MaxInt32 {
		n = n*10 + int64(r.data[r.pos]-'0')
		r.pos++
	}
	whole := r.pos == len(r.data) || !strings.ContainsRune(".eE0123456789", rune(r.data[r.pos]))
	zeros := r.pos > start+1 && r.data[start] == '0'
	if r.err != nil || r.pos == start || n > math.MaxInt32 || !whole || zeros {
		r.pos = start
		r.want("an id: an integer from 0 to 2147483647")
		return 0
	}
	return int32(n)
}

// object reads an object: entry is called for each key and reads its value. The
// key is good until entry reads on.
func (r *jsonReader) object(entry func(key []byte)) {
	if !r.take('{') {
		r.want("an object")
		return
	}
	if r.take('}') {
		return
	}
	for r.err == nil {
		key := r.str()
		if !r.take(':') {
			r.want("a colon after the key")
			return
		}
		entry(key)
		if r.take('}') {
			return
		}
		if !r.take(',') {
			r.want("a comma or the end of the object")
		}
	}
}

// array reads an array: element is called to read each element.
func (r *jsonReader) array(element func()) {
	if !r.take('[') {
		r.want("an array")
		return
	}
	if r.take(']') {
		return
	}
	for r.err == nil {
		element()
		if r.take(']') {
			return
		}
		if !r.take(',') {
			r.want("a comma or the end of the array")
		}
	}
}

// field is a key that an object may have, with the func that reads its value.
type field struct {
	name     string
	read     func()
	required bool
}

// fields reads an object of known keys. Keys that are unknown, given twice, or
// required and missing are errors.
func (r *jsonReader) fields(known ...field) {
	seen := uint64(0)
	r.object(func(key []byte) {
		i := slices.IndexFunc(known, func(f field) bool { return f.name == string(key) })
		if i < 0 {
			r.fail("the key %q is unknown, so what it asks for can't be done", key)
			return
		}
		r.path = append(r.path, known[i].name)
		if seen>>i&1 != 0 {
			r.fail("the key is given twice")
			return
		}
		seen |= 1 << i
		if known[i].read(); r.err == nil {
			r.path = r.path[:len(r.path)-1]
		}
	})
	for i, f := range known {
		if f.required && seen>>i&1 == 0 {
			r.fail("the key %q is missing", f.name)
		}
	}
}

// str reads a string. The result is good until the next one is read.
func (r *jsonReader) str() []byte {
	if !r.take('"') {
		r.want("a string")
		return nil
	}
	r.last = r.pos - 1
	start, ascii := r.pos, true
	for ; r.pos < len(r.data); r.pos++ {
		switch c := r.data[r.pos]; {
		case c == '"':
			text := r.data[start:r.pos]
			if !ascii && !utf8.Valid(text) {
				r.fail("the string is not UTF-8")
				return nil
			}
			r.pos++
			return text
		case c == '\\':
			return r.escaped(start)
		case c < ' ':
			r.fail("a control character in a string: write it as an escape")
			return nil
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	r.fail("the string does not end")
	return nil
}

// escaped goes on with a string, begun at start, that has an escape at r.pos.
func (r *jsonReader) escaped(start int) []byte {
	r.text = append(r.text[:0], r.data[start:r.pos]...)
	for r.pos < len(r.data) && r.err == nil {
		c := r.data[r.pos]
		switch {
		case c == '\\':
			r.escape()
			continue
		case c == '"':
			if !utf8.Valid(r.text) {
				r.fail("the string is not UTF-8")
				return nil
			}
			r.pos++
			return r.text
		case c < ' ':
			r.fail("a control character in a string: write it as an escape")
			return nil
		}
		r.text = append(r.text, c)
		r.pos++
	}
	r.fail("the string does not end")
	return nil
}

// escape reads one escape onto r.text.
func (r *jsonReader) escape() {
	if r.pos+1 >= len(r.data) {
		r.fail("the string does not end")
		return
	}
	c := r.data[r.pos+1]
	if c == 'u' {
		r.unicodeEscape()
		return
	}
	at := strings.IndexByte(`"\/bfnrt`, c)
	if at < 0 {
		r.fail("an unknown escape in a string")
		return
	}
	r.text = append(r.text, "\"\\/\b\f\n\r\t"[at])
	r.pos += 2
}

// unicodeEscape reads \uXXXX, or two that are a surrogate pair, onto r.text.
func (r *jsonReader) unicodeEscape() {
	char := r.hex4(r.pos)
	size := 6
	if utf16.IsSurrogate(char) {
		char = utf16.DecodeRune(char, r.hex4(r.pos+size))
		size *= 2
		if char == utf8.RuneError {
			r.fail("half of a surrogate pair in a string")
			return
		}
	}
	if char < 0 {
		r.fail("\\u without four hexadecimal digits in a string")
		return
	}
	r.text = utf8.AppendRune(r.text, char)
	r.pos += size
}

// hex4 returns the character of \uXXXX at pos, -1 if there is none.
func (r *jsonReader) hex4(pos int) rune {
	if pos+6 > len(r.data) || r.data[pos] != '\\' || r.data[pos+1] != 'u' {
		return -1
	}
	char := rune(0)
	for _, c := range r.data[pos+2 : pos+6] {
		digit := strings.IndexByte("0123456789abcdef", c|0x20)
		if digit < 0 || c < '0' { // c|0x20 makes digits of control characters
			return -1
		}
		char = char<<4 | rune(digit)
	}
	return char
}

// end wants nothing more to come.
func (r *jsonReader) end() {
	if r.err == nil && (r.peek() != 0 || r.pos < len(r.data)) {
		r.fail("want the end of the file, got %s", r.found())
	}
}
