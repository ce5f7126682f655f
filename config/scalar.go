package config

import (
	"regexp"
	"strconv"
	"strings"
)

// kind is what a YAML value is.
type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindInt
	kindFloat
	kindString
	kindList
	kindMap
)

var (
	intForm   = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)$`)
	floatForm = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
)

// resolve gives the kind of an unquoted scalar by the core schema of YAML 1.2,
// with two differences that spare surprises: 1e-3 is a number although older
// readers take it for a string, and 0777 is a string, because readers disagree
// whether it is octal. NaN and infinities are strings: no key wants them.
func resolve(text string) kind {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return kindNull
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return kindBool
	}
	switch {
	case intForm.MatchString(text):
		return kindInt
	case floatForm.MatchString(text) && !leadingZero(text):
		return kindFloat
	}
	return kindString
}

func leadingZero(text string) bool {
	digits := strings.TrimLeft(text, "+-")
	return len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9'
}

// describe names a value in an error.
func (n *node) describe() string {
	const most = 40
	text := n.text
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	switch n.kind {
	case kindNull:
		return "nothing"
	case kindBool, kindInt, kindFloat:
		return text
	case kindList:
		return "a list"
	case kindMap:
		return "a mapping"
	}
	return "the string " + strconv.Quote(text)
}
