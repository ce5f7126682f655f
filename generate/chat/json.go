package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/nikolalohinski/gonja/v2/exec"
)

// Keys remembers in which order the objects of parsed JSON had their keys: templates
// write tools as they were given.
type Keys struct{ order map[uintptr][]string }

// Parse reads JSON for Options and messages: objects become maps whose keys keep
// their order in k, whole numbers become int.
func (k *Keys) Parse(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	value, err := k.value(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something after the JSON value")
	}
	return value, nil
}

// maxDepth bounds the nesting of JSON.
const maxDepth = 100

func (k *Keys) value(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("JSON is nested more than %d deep", maxDepth)
	}
	switch x := t.(type) {
	case json.Delim:
		if x == '[' {
			return k.list(d, depth)
		}
		return k.object(d, depth)
	case json.Number:
		if n, err := strconv.Atoi(x.String()); err == nil {
			return n, nil
		}
		return x.Float64()
	}
	return t, nil
}

func (k *Keys) list(d *json.Decoder, depth int) (any, error) {
	list := []any{}
	for d.More() {
		x, err := k.value(d, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	_, err := d.Token()
	return list, err
}

func (k *Keys) object(d *json.Decoder, depth int) (any, error) {
	object, order := map[string]any{}, []string{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, _ := t.(string)
		x, err := k.value(d, depth+1)
		if err != nil {
			return nil, err
		}
		if _, twice := object[key]; !twice {
			order = append(order, key)
		}
		object[key] = x
	}
	if k.order == nil {
		k.order = map[uintptr][]string{}
	}
	k.order[reflect.ValueOf(object).Pointer()] = order
	_, err := d.Token()
	return object, err
}

// of lists an object's keys: as they were read, else sorted.
func (k *Keys) of(object map[string]any) []string {
	if k != nil {
		if order, ok := k.order[reflect.ValueOf(object).Pointer()]; ok {
			return order
		}
	}
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// toJSON is the filter as transformers has it: what Python's json.dumps writes, with
// all characters as they are.
func toJSON(e *exec.Evaluator, in *exec.Value, params *exec.VarArgs) *exec.Value {
	if in.IsError() {
		return in
	}
	w := writer{}
	if keys, ok := e.Environment.Context.Get(keysVariable); ok {
		w.keys, _ = keys.(*Keys)
	}
	if x, ok := params.KwArgs["indent"]; ok && x.IsInteger() {
		w.indent = strings.Repeat(" ", max(0, x.Integer()))
	} else if len(params.Args) > 0 && params.Args[0].IsInteger() {
		w.indent = strings.Repeat(" ", max(0, params.Args[0].Integer()))
	}
	if err := w.write(in.Interface(), 0); err != nil {
		return exec.AsValue(err)
	}
	return exec.AsSafeValue(w.String())
}

// writer writes JSON as Python does.
type writer struct {
	strings.Builder
	keys   *Keys
	indent string // "" is one line
}

func (w *writer) write(value any, depth int) error {
	if v, ok := value.(*exec.Value); ok {
		value = v.Interface()
	}
	switch x := value.(type) {
	case nil:
		w.WriteString("null")
	case string:
		w.text(x)
	case float64:
		text := strconv.FormatFloat(x, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		w.WriteString(text)
	case *exec.Dict: // one that the template wrote
		return w.items('{', '}', len(x.Pairs), depth, func(i int) error {
			w.text(x.Pairs[i].Key.String())
			w.WriteString(": ")
			return w.write(x.Pairs[i].Value, depth+1)
		})
	case map[string]any:
		return w.items('{', '}', len(x), depth, func(i int) error {
			key := w.keys.of(x)[i]
			w.text(key)
			w.WriteString(": ")
			return w.write(x[key], depth+1)
		})
	default:
		return w.other(value, depth)
	}
	return nil
}

func (w *writer) other(value any, depth int) error {
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		return w.items('[', ']', v.Len(), depth, func(i int) error { return w.write(v.Index(i).Interface(), depth+1) })
	case reflect.Bool, reflect.Int, reflect.Int32, reflect.Int64:
		fmt.Fprint(&w.Builder, value)
		return nil
	}
	text, err := json.Marshal(value)
	w.Write(text)
	return err
}

func (w *writer) items(open, end byte, n, depth int, item func(i int) error) error {
	w.WriteByte(open)
	for i := range n {
		if i > 0 {
			w.WriteByte(',')
			if w.indent == "" {
				w.WriteByte(' ')
			}
		}
		w.line(depth + 1)
		if err := item(i); err != nil {
			return err
		}
	}
	if n > 0 {
		w.line(depth)
	}
	return w.WriteByte(end)
}

func (w *writer) line(depth int) {
	if w.indent != "" {
		w.WriteString("\n" + strings.Repeat(w.indent, depth))
	}
}

// text writes a string: quotes, backslashes and control characters are escaped.
func (w *writer) text(s string) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if enc.Encode(s) != nil {
		panic("chat: toJSON: a string is not encoded")
	}
	text := strings.TrimSuffix(buf.String(), "\n")
	w.WriteString(strings.NewReplacer(`\u2028`, "\u2028", `\u2029`, "\u2029").Replace(text))
}
