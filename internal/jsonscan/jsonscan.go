// Package jsonscan reads JSON of unknown origin in place: no tree, no copies, so
// that a reader decides what it allocates after it has seen how much is there. It
// is stricter than encoding/json: text must be valid UTF-8 without lone
// surrogates, a name may not come twice in an object it sorts (Canonical), and
// nesting stops at MaxDepth.
//
// The readers of safetensors headers and of checkpoints' meta.json use it. A
// Scanner belongs to one goroutine.
package jsonscan

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// MaxDepth is how deep objects and arrays may nest.
const MaxDepth = 128

// ErrSyntax is wrapped by every error about the text itself.
var ErrSyntax = errors.New("invalid JSON")

// Scanner walks one JSON text from front to back. Its methods read the next value;
// after an error the position is undefined.
type Scanner struct {
	data    []byte
	pos     int
	depth   int
	members int // of all objects read so far
}

// New returns a scanner at the start of data, which must not change while in use.
func New(data []byte) *Scanner { return &Scanner{data: data} }

// Errorf is an ErrSyntax that names the position.
func (s *Scanner) Errorf(format string, args ...any) error {
	return fmt.Errorf("%w at byte %d: %s", ErrSyntax, s.pos, fmt.Sprintf(format, args...))
}

func (s *Scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// Peek returns the first byte of the next value or of what stands in its place, 0
// at the end.
func (s *Scanner) Peek() byte {
	s.space()
	if s.pos == len(s.data) {
		return 0
	}
	return s.data[s.pos]
}

func (s *Scanner) expect(c byte) error {
	if got := s.Peek(); got != c {
		return s.Errorf("want %q, got %s", c, describe(got))
	}
	s.pos++
	return nil
}

func describe(c byte) string {
	if c == 0 {
		return "the end"
	}
	return strconv.QuoteRuneToASCII(rune(c))
}

// End reports what follows the last value, if anything but white space does.
func (s *Scanner) End() error {
	if c := s.Peek(); c != 0 || s.pos < len(s.data) {
		return s.Errorf("want the end, got %s", describe(c))
	}
	return nil
}

// Object reads an object. member is called after each name and must read the value.
func (s *Scanner) Object(member func(name Text) error) error {
	return s.list('{', '}', func() error {
		name, err := s.Text()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		s.members++
		return member(name)
	})
}

// Array reads an array. element is called for each element and must read it.
func (s *Scanner) Array(element func() error) error { return s.list('[', ']', element) }

func (s *Scanner) list(open, end byte, item func() error) error {
	if err := s.expect(open); err != nil {
		return err
	}
	if s.depth++; s.depth > MaxDepth {
		return s.Errorf("nested deeper than %d", MaxDepth)
	}
	defer func() { s.depth-- }()
	if s.Peek() == end {
		s.pos++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		switch c := s.Peek(); c {
		case ',':
			s.pos++
		case end:
			s.pos++
			return nil
		default:
			return s.Errorf("want ',' or %q, got %s", end, describe(c))
		}
	}
}

// Value reads any value, checks all of it and returns its text.
func (s *Scanner) Value() ([]byte, error) {
	s.space()
	start := s.pos
	var err error
	switch c := s.Peek(); c {
	case '{':
		err = s.Object(func(Text) error { _, err := s.Value(); return err })
	case '[':
		err = s.Array(func() error { _, err := s.Value(); return err })
	case '"':
		_, err = s.Text()
	case 't':
		err = s.word("true")
	case 'f':
		err = s.word("false")
	case 'n':
		err = s.word("null")
	default:
		_, err = s.Number()
	}
	return s.data[start:s.pos], err
}

// Null reads a null if that is what comes next.
func (s *Scanner) Null() bool { return s.Peek() == 'n' && s.word("null") == nil }

func (s *Scanner) word(want string) error {
	if end := s.pos + len(want); end > len(s.data) || string(s.data[s.pos:end]) != want {
		return s.Errorf("want %s", want)
	}
	s.pos += len(want)
	return nil
}

// Number reads a number and returns its text.
func (s *Scanner) Number() ([]byte, error) {
	s.space()
	start := s.pos
	s.skip('-')
	if whole := s.digits(); whole == 0 || whole > 1 && s.data[s.pos-whole] == '0' {
		return nil, s.Errorf("want a value, got %s", describe(s.Peek()))
	}
	if s.skip('.') && s.digits() == 0 {
		return nil, s.Errorf("want a digit after the point")
	}
	if s.skip('e') || s.skip('E') {
		_ = s.skip('-') || s.skip('+')
		if s.digits() == 0 {
			return nil, s.Errorf("want a digit in the exponent")
		}
	}
	return s.data[start:s.pos], nil
}

func (s *Scanner) skip(c byte) bool {
	if s.pos < len(s.data) && s.data[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *Scanner) digits() (n int) {
	for s.pos < len(s.data) && s.data[s.pos]-'0' <= 9 {
		s.pos++
		n++
	}
	return n
}

// Uint reads an integer from 0 to 2^63-1, written without point or exponent.
func (s *Scanner) Uint() (int64, error) {
	text, err := s.Number()
	if err != nil {
		return 0, err
	}
	var v int64
	for _, c := range text {
		digit := int64(c) - '0'
		if digit < 0 || digit > 9 || v > (1<<63-1-digit)/10 {
			return 0, s.Errorf("want an integer from 0 to 2^63-1, got %.30s", text)
		}
		v = v*10 + digit
	}
	return v, nil
}

// Float reads a finite number.
func (s *Scanner) Float() (float64, error) {
	text, err := s.Number()
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return 0, s.Errorf("number %.30s is out of range", text)
	}
	return v, nil
}

// String reads a string.
func (s *Scanner) String() (string, error) {
	t, err := s.Text()
	return t.String(), err
}

// Text reads a string without decoding it.
func (s *Scanner) Text() (Text, error) {
	if err := s.expect('"'); err != nil {
		return Text{}, err
	}
	start, escaped := s.pos, false
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			t := Text{raw: s.data[start:s.pos], at: start, escaped: escaped}
			s.pos++
			return t, nil
		case c == '\\':
			escaped = true
			_, size := unescape(s.data[s.pos:])
			if size == 0 {
				return Text{}, s.Errorf("invalid escape")
			}
			s.pos += size
		case c < ' ':
			return Text{}, s.Errorf("control character %#02x in a string", c)
		case c < utf8.RuneSelf:
			s.pos++
		default:
			r, size := utf8.DecodeRune(s.data[s.pos:])
			if r == utf8.RuneError && size == 1 {
				return Text{}, s.Errorf("invalid UTF-8")
			}
			s.pos += size
		}
	}
	return Text{}, s.Errorf("unfinished string")
}
