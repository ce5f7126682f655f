package jsonscan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestCanonicalIsPythons compares with what testdata/canonical.py printed.
func TestCanonicalIsPythons(t *testing.T) {
	data, err := os.ReadFile("testdata/canonical.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		var out bytes.Buffer
		if err := Canonical(&out, []byte(lines[i])); err != nil || out.String() != lines[i+1] {
			t.Errorf("%s\ngot  %s, %v\nwant %s", lines[i], out.String(), err, lines[i+1])
		}
	}
	if len(lines) < 20 {
		t.Errorf("only %d lines", len(lines))
	}
}

func TestCanonicalOmits(t *testing.T) {
	var out bytes.Buffer
	err := Canonical(&out, []byte(`{"digest":"x","a":{"digest":1},"\u0064igest2":[]}`), "digest")
	if want := `{"a":{"digest":1},"digest2":[]}`; err != nil || out.String() != want {
		t.Errorf("got %s, %v, want %s", out.String(), err, want)
	}
}

func TestCanonicalRejects(t *testing.T) {
	f := func(text string) {
		t.Helper()
		if err := Canonical(&bytes.Buffer{}, []byte(text)); !errors.Is(err, ErrSyntax) {
			t.Errorf("%.40s: got %v, want ErrSyntax", text, err)
		}
	}
	f(``)
	f(`{"a":1,"a":2}`)
	f(`{"a":1,"\u0061":2}`)
	f(`[{"x":{"b":1,"b":1}}]`)
	f(`1e999`)
	f(`[1`)
	f(`{} {}`)
	f("{}\x00")
	f(strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1))
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestCanonicalReportsWriteErrors(t *testing.T) {
	if err := Canonical(failing{}, []byte(`["`+strings.Repeat("x", 10_000)+`"]`)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestAppendQuoted(t *testing.T) {
	text := "a\"\\/\b\f\n\r\t\x00\x1f\x7f\u00e9\u2028\U0001f600<&>"
	quoted := AppendQuoted([]byte("x"), text)
	got, err := New(quoted[1:]).String()
	var out bytes.Buffer
	if canonErr := Canonical(&out, quoted[1:]); err != nil || got != text || canonErr != nil || out.String() != string(quoted[1:]) {
		t.Errorf("%s: %q, %v; canonical %s, %v", quoted, got, err, out.String(), canonErr)
	}
}

func TestNumbers(t *testing.T) {
	f := func(text string, want int64, ok bool) {
		t.Helper()
		got, err := New([]byte(text)).Uint()
		if got != want && ok || ok != (err == nil) {
			t.Errorf("Uint(%s) = %d, %v", text, got, err)
		}
	}
	f("0", 0, true)
	f("9223372036854775807", 1<<63-1, true)
	f("9223372036854775808", 0, false)
	f("99999999999999999999", 0, false)
	f("-1", 0, false)
	f("1.0", 0, false)
	f("1e3", 0, false)
	f("01", 0, false)
	if v, err := New([]byte("1.5e3")).Float(); v != 1500 || err != nil {
		t.Errorf("Float: %v, %v", v, err)
	}
	if _, err := New([]byte("-1e400")).Float(); !errors.Is(err, ErrSyntax) {
		t.Errorf("Float(-1e400): %v", err)
	}
}

// accepted says whether the scanner takes text as one value.
func accepted(text []byte) error {
	s := New(text)
	if _, err := s.Value(); err != nil {
		return err
	}
	return s.End()
}

// TestAgreesWithStandard: the scanner and encoding/json agree on what is JSON.
func TestAgreesWithStandard(t *testing.T) {
	for _, text := range []string{
		`{"a":[1,2.5e-3,"x\u00e9\n",true,false,null,{}]}`, `[]`, `{}`, `""`, ` 1 `, `-0.0E+0`, `{"a":}`, `{"a"}`, `{a:1}`, `[1,]`, `[,1]`, `{"a":1,}`,
		`+1`, `.5`, `1.`, `1e`, `--1`, `0x1`, `tru`, `truex`, `nul`, `"\x"`, `"\u12"`, `"\u12g4"`, "\"a\tb\"", `"abc`, `[1 2]`, `{"a":1 "b":2}`, `]`, `}`, `[}`, `{]`, `'a'`,
		`NaN`, `Infinity`, `"` + "\x7f" + `"`, "\ufeff{}", "[1]\n\t ", `-`, `-a`, `1e+`, `1E5`,
	} {
		if err := accepted([]byte(text)); (err == nil) != json.Valid([]byte(text)) {
			t.Errorf("%q: scanner says %v, encoding/json %v", text, err, json.Valid([]byte(text)))
		}
	}
	for _, text := range []string{`"\ud800"`, `"\ud800\u0041"`, `"\udc00"`, "\"\xff\"", "\"\xc3\""} {
		if err := accepted([]byte(text)); !errors.Is(err, ErrSyntax) {
			t.Errorf("%q was accepted", text)
		}
	}
}

func TestReadsTypedValues(t *testing.T) {
	s := New([]byte(`{"name":"n\u0061me","list":[1,2,3],"none":null,"rest":{"deep":[{}]}}`))
	var name, rest string
	var sum int64
	null := false
	err := s.Object(func(key Text) (err error) {
		switch string(key.Bytes()) {
		case "name":
			name, err = s.String()
		case "list":
			err = s.Array(func() error { v, err := s.Uint(); sum += v; return err })
		case "none":
			null = s.Null()
		default:
			var raw []byte
			raw, err = s.Value()
			rest = string(raw)
		}
		return err
	})
	if err != nil || s.End() != nil || name != "name" || sum != 6 || !null || rest != `{"deep":[{}]}` {
		t.Errorf("%q %d %v %q %v", name, sum, null, rest, err)
	}
}

// adversarial texts have many values in few bytes.
func adversarial(size int) map[string][]byte {
	repeat := func(open, item, end string) []byte {
		return []byte(open + strings.Repeat(item+",", size/(len(item)+1)) + item + end)
	}
	var names, escaped strings.Builder
	for i := 0; names.Len() < size; i++ {
		fmt.Fprintf(&names, `"%x":1,`, i)
	}
	for i := 0; escaped.Len() < size; i++ {
		fmt.Fprintf(&escaped, `"\n%x":1,`, i)
	}
	deep := strings.Repeat("[", MaxDepth-1) + strings.Repeat("]", MaxDepth-1)
	return map[string][]byte{
		"arrays":  repeat("[", "[]", "]"),
		"objects": repeat("[", "{}", "]"),
		"numbers": repeat("[", "1", "]"),
		"members": []byte("{" + names.String() + `"":1}`),
		"escaped": []byte("{" + escaped.String() + `"":1}`),
		"nested":  repeat("[", deep, "]"),
		"string":  []byte(`"` + strings.Repeat(`\n`, size/2) + `"`),
	}
}

// TestMemory: checking allocates nothing, the canonical form at most 3 times the text.
func TestMemory(t *testing.T) {
	for name, text := range adversarial(1 << 18) {
		f := func(what string, most float64, call func() error) {
			t.Helper()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := call()
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Errorf("%s %s: %v", name, what, err)
			}
			if got := after.TotalAlloc - before.TotalAlloc; float64(got) > most*float64(len(text))+32<<10 {
				t.Errorf("%s %s: %d bytes allocated for a text of %d", name, what, got, len(text))
			}
		}
		f("checked", 0, func() error { return accepted(text) })
		f("canonical", 3, func() error { return Canonical(discard{}, text) })
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func FuzzCanonical(f *testing.F) {
	for _, text := range adversarial(300) {
		f.Add(text)
	}
	f.Add([]byte(`{"b":1.50,"a":["\ud83d\ude00\u0041",-0]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var once, twice bytes.Buffer
		checkErr := accepted(text)
		if checkErr == nil && !json.Valid(text) {
			t.Fatalf("accepted %q", text)
		}
		if checkErr != nil && json.Valid(text) && utf8.Valid(text) && !bytes.Contains(text, []byte(`\u`)) && bytes.Count(text, []byte{'['})+bytes.Count(text, []byte{'{'}) <= MaxDepth {
			t.Fatalf("refused %q: %v", text, checkErr)
		}
		if err := Canonical(&once, text); err != nil {
			return
		}
		if err := Canonical(&twice, once.Bytes()); err != nil || !bytes.Equal(once.Bytes(), twice.Bytes()) {
			t.Fatalf("%q -> %q -> %q, %v", text, once.Bytes(), twice.Bytes(), err)
		}
	})
}
