package config

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
)

// assign sets v to the value of n, or returns what is wrong with it: want, got.
// A null leaves the default. An override's number may fill a string, since the
// shell takes the quotes away.
func assign(v reflect.Value, n *node) (message string) {
	if n.kind == kindNull {
		if v.Kind() == reflect.String && n.place.Override != "" && n.text == "" { // key= empties a string
			v.SetString("")
		}
		return ""
	}
	switch v.Kind() {
	case reflect.Bool:
		if n.kind != kindBool {
			return want("true or false", n)
		}
		v.SetBool(n.text[0] == 't' || n.text[0] == 'T')
	case reflect.Int, reflect.Int64:
		i, ok := whole(n)
		if !ok || v.OverflowInt(i) {
			return want("a whole number", n)
		}
		v.SetInt(i)
	case reflect.Float64:
		f, err := strconv.ParseFloat(n.text, 64)
		if n.kind != kindInt && n.kind != kindFloat || err != nil {
			return want("a number", n)
		}
		v.SetFloat(f)
	case reflect.String:
		if n.kind != kindString && (n.kind >= kindList || n.place.Override == "") {
			hint := ""
			if n.kind < kindList {
				hint = ": put it in quotes"
			}
			return want("a string", n) + hint
		}
		v.SetString(n.text)
	case reflect.Slice:
		return assignList(v, n)
	default:
		panic("config: assign: " + v.Type().String() + " is no type of a key")
	}
	return ""
}

func assignList(v reflect.Value, n *node) (message string) {
	if n.kind != kindList {
		return want("a list", n)
	}
	list := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	for i, item := range n.items {
		if item.kind == kindNull {
			return fmt.Sprintf("item %d: want a value, got nothing", i)
		}
		if message := assign(list.Index(i), item); message != "" {
			return fmt.Sprintf("item %d: %s", i, message)
		}
	}
	v.Set(list)
	return ""
}

// whole reads a whole number; 1e4 is one.
func whole(n *node) (int64, bool) {
	switch n.kind {
	case kindInt:
		i, err := strconv.ParseInt(n.text, 10, 64)
		return i, err == nil
	case kindFloat:
		f, err := strconv.ParseFloat(n.text, 64)
		return int64(f), err == nil && f == math.Trunc(f) && math.Abs(f) <= 1<<53
	}
	return 0, false
}

func want(what string, n *node) string { return "want " + what + ", got " + n.describe() }
