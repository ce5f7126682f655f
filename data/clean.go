package data

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// errSkip says that a file or line is left out under the configuration.
var errSkip = errors.New("skip")

// binaryPrefix is how far a zero byte is looked for: git's rule.
const binaryPrefix = 8000

var byteOrderMark = []byte("\xef\xbb\xbf")

func isBinary(text []byte) bool { return bytes.IndexByte(text[:min(len(text), binaryPrefix)], 0) >= 0 }

// clean drops a byte order mark and applies the rules for bytes that are not UTF-8
// and for line ends. Text that needs nothing is returned as it is. The error is
// errSkip if the text is to be left out.
func (c Config) clean(text []byte) ([]byte, error) {
	text, err := c.decode(bytes.TrimPrefix(text, byteOrderMark))
	if err != nil {
		return nil, err
	}
	return c.convertNewlines(text), nil
}

func (c Config) decode(text []byte) ([]byte, error) {
	if utf8.Valid(text) {
		return text, nil
	}
	switch c.InvalidUTF8 {
	case "skip":
		return nil, errSkip
	case "replace":
		return bytes.ToValidUTF8(text, []byte("\uFFFD")), nil
	case "latin-1":
		return latin1(text), nil
	case "keep":
		return text, nil
	}
	return nil, fmt.Errorf("not UTF-8 at byte %d: set data.invalid_utf8 to skip, replace, latin-1 or keep", firstInvalid(text))
}

func firstInvalid(text []byte) int {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(text)
}

func latin1(text []byte) []byte {
	out := make([]byte, 0, len(text)+len(text)/8)
	for _, b := range text {
		out = utf8.AppendRune(out, rune(b))
	}
	return out
}

func (c Config) convertNewlines(text []byte) []byte {
	if c.NewlineNormalization == "preserve" {
		return text
	}
	if bytes.IndexByte(text, '\r') >= 0 {
		text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
		text = bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
	}
	if c.NewlineNormalization == "windows" {
		text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
	}
	return text
}

// isEmpty says whether there is nothing but white space.
func isEmpty(text []byte) bool { return len(bytes.TrimSpace(text)) == 0 }
