package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// YAML writes the whole tree, defaults included, in a stable order. Loading the
// text gives the same tree, and so does any reader of YAML 1.1 or 1.2: numbers
// and strings are written so that both agree on them.
func (r *Run) YAML() []byte {
	var b strings.Builder
	for _, f := range fields() {
		fmt.Fprintf(&b, "%s%s:", strings.Repeat("  ", strings.Count(f.path, ".")), last(f.path))
		if !f.section {
			b.WriteString(" " + scalarYAML(f.value(r)))
		}
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

// plainString is what needs no quotes, words with a meaning apart.
var plainString = regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_/.@+-]*$`)

// yaml11 are the words that YAML 1.1 takes for truth values.
var yaml11 = regexp.MustCompile(`(?i)^(y|n|yes|no|on|off)$`)

func scalarYAML(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Float64:
		return floatYAML(v.Float())
	case reflect.String:
		s := v.String()
		if plainString.MatchString(s) && resolve(s) == kindString && !yaml11.MatchString(s) {
			return s
		}
		return quote(s)
	case reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = scalarYAML(v.Index(i))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	panic("config: YAML: " + v.Type().String() + " is no type of a key")
}

// floatYAML writes the shortest text that gives f again, with a point: YAML 1.1
// reads 1e-08 as a string.
func floatYAML(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		panic("config: YAML: " + strconv.FormatFloat(f, 'g', -1, 64) + " has passed Validate")
	}
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if strings.ContainsRune(text, '.') {
		return text
	}
	if mantissa, exponent, ok := strings.Cut(text, "e"); ok {
		return mantissa + ".0e" + exponent
	}
	return text + ".0"
}

// quote writes s in double quotes, everything but printable ASCII escaped.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteString(`\` + string(c))
		case c >= ' ' && c <= '~':
			b.WriteRune(c)
		case c < 1<<16:
			fmt.Fprintf(&b, `\u%04X`, c)
		default:
			fmt.Fprintf(&b, `\U%08X`, c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// MarshalJSON writes the tree as canonical JSON: one line, sorted keys, numbers
// as in RFC 8785.
func (r *Run) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(r.tree())
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// tree is the run as nested maps, which encoding/json sorts.
func (r *Run) tree() map[string]any {
	sections := map[string]map[string]any{"": {}}
	for _, f := range fields() {
		var value any
		if f.section {
			section := map[string]any{}
			sections[f.path], value = section, section
		} else {
			value = plainValue(f.value(r))
		}
		sections[parent(f.path)][last(f.path)] = value
	}
	return sections[""]
}

// plainValue is a value for encoding/json; a list without items is [], nil or not.
func plainValue(v reflect.Value) any {
	if v.Kind() == reflect.Slice && v.IsNil() {
		v = reflect.MakeSlice(v.Type(), 0, 0)
	}
	return v.Interface()
}

// Hash is the SHA-256 of the canonical JSON, in hexadecimal.
func (r *Run) Hash() string {
	text, err := r.MarshalJSON()
	if err != nil {
		panic("config: Hash: " + err.Error()) // a NaN, which Validate refuses
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
